"""Migrations convert existing rows."""

import importlib.util
import uuid
from pathlib import Path
from types import ModuleType

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import text
from sqlmodel import Session

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.models import Analysis, Project, ProjectPad, Sample, UnsentMail, User
from sp404_app.models.columns import now
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library.key_words import key_search_words
from sp404_app.services.library.search_terms import search_words
from tests.services.conftest import keep
from tests.sounds import Keep

__all__ = ["keep"]

VERSIONS = Path(__file__).parents[1] / "alembic" / "versions"


def migration(revision: str) -> ModuleType:
    (path,) = VERSIONS.glob(f"{revision}_*.py")
    spec = importlib.util.spec_from_file_location(revision, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def migrations_after(revision: str | None) -> list[ModuleType]:
    """Return the later migrations, oldest first; all of them after None."""
    modules = [migration(path.stem.partition("_")[0]) for path in VERSIONS.glob("*.py")]
    following = {module.down_revision: module for module in modules}
    found: list[ModuleType] = []
    while revision in following:
        found.append(following[revision])
        revision = found[-1].revision
    return found


def test_class_and_root_note_come_from_the_newest_analysis(
    session: Session, user: User, keep: Keep
) -> None:
    heard, unheard = keep(), keep()
    for version, name, note in (("1", "tom", 40), ("2", "kick", 36)):
        session.add(
            Analysis(
                user_id=user.id, sample_id=heard, engine_version=version, status="ready",
                content={"sound_class": name, "root_note": note},
            )
        )  # fmt: skip
        session.commit()
    session.add(
        Analysis(user_id=user.id, sample_id=heard, engine_version="3", status="failed", error="No.")
    )
    session.execute(text(migration("20c3b6a37d3c").KNOWN))  # type: ignore[deprecated]
    rows = session.execute(text("select id, sound_class, root_note from samples")).all()  # type: ignore[deprecated]
    assert {row[0]: (row[1], row[2]) for row in rows} == {
        heard: ("kick", 36),
        unheard: (None, None),
    }


def test_existing_names_get_search_words_and_sort_keys(session: Session, keep: Keep) -> None:
    ids = [keep("Snare02.wav"), keep("Kick 10.wav"), keep("kick2.wav")]
    session.execute(
        text("update samples set search_text = '', sort_key = '', key = 'F# minor', tags = '{Öl}'")
    )  # type: ignore[deprecated]
    sorting = migration("6d1f0c2ab7e4")
    # A size of 2 makes two batches. The migration was written when the column had another name.
    fill = sorting.FILL.replace("set words =", "set search_text =")
    vars(sorting).update(BATCH=2, FILL=fill)
    sorting.fill(session.connection())
    rows = session.execute(text("select id, search_text from samples order by sort_key"))  # type: ignore[deprecated]
    assert {row.id: row.search_text for row in rows} == {
        ids[0]: "keyfsharpminor minor 11a snare02 snare 02 2 ol",
        ids[1]: "keyfsharpminor minor 11a kick 10 ol",
        ids[2]: "keyfsharpminor minor 11a kick2 kick 2 ol",
    }
    order = session.execute(text("select name from samples order by sort_key")).scalars()  # type: ignore[deprecated]
    assert list(order) == ["kick2", "Kick 10", "Snare02"]


def test_the_migration_computes_the_same_values_as_the_product() -> None:
    sorting = migration("6d1f0c2ab7e4")
    for name in (
        "Pad F♯m",
        "Ørsted Straße 007",
        "DustyBreak90bpm",
        "!x",
        "A Minor -8A ½",
        "a" * 200,
    ):
        assert sorting.sort_key(name) == sort_key(name)
        assert sorting.words(None, [name]) == search_words(name)
    for key in KEYS:
        assert sorting.of_key(key) == key_search_words(key)


OLD_COLUMNS = "select words, copy_group, search @@ to_tsquery('simple', 'kick') from samples"
NEW_COLUMNS = (
    "select search_text, duplicate_group_id, search @@ to_tsquery('simple', 'kick') from samples"
)


def test_renamed_columns_keep_their_values_in_both_directions(session: Session, keep: Keep) -> None:
    session.get_one(Sample, keep("Kick.wav")).duplicate_group_id = group = uuid.uuid4()
    session.flush()
    renaming = migration("d4a7c15e90b2")
    with Operations.context(MigrationContext.configure(session.connection())):
        renaming.downgrade()
        assert session.execute(text(OLD_COLUMNS)).all() == [("kick", group, True)]  # type: ignore[deprecated]
        # The generated column is computed from the renamed one.
        session.execute(text("update samples set words = 'snare'"))  # type: ignore[deprecated]
        renaming.upgrade()
    assert session.execute(text(NEW_COLUMNS)).all() == [("snare", group, False)]  # type: ignore[deprecated]


def test_emails_without_a_body_are_given_up(session: Session) -> None:
    waiting = UnsentMail(recipient="ada@example.org", subject="Hello")
    refused = UnsentMail(
        recipient="bob@example.org", subject="Hello", reason="Refused.", failed_at=now()
    )
    session.add_all([waiting, refused])
    session.flush()
    session.execute(text(migration("7c41d90be2a5").GIVE_UP_WITHOUT_BODY))  # type: ignore[deprecated]
    session.refresh(waiting)
    session.refresh(refused)
    assert waiting.reason == "The server restarted before it was sent."
    assert waiting.failed_at is not None
    assert refused.reason == "Refused."


def test_projects_are_added_beside_existing_samples_and_removed_again(
    session: Session, user: User, keep: Keep
) -> None:
    sample_id = keep()
    put_on_pad(session, user, sample_id)
    revisions = [migration("429971e36a5a"), *migrations_after("429971e36a5a")]
    with Operations.context(MigrationContext.configure(session.connection())):
        for revision in reversed(revisions):
            revision.downgrade()
        assert list(session.execute(text("select id from samples")).scalars()) == [sample_id]  # type: ignore[deprecated]
        assert session.execute(text(TABLES_OF_PROJECTS)).all() == []  # type: ignore[deprecated]
        for revision in revisions:
            revision.upgrade()
    put_on_pad(session, user, sample_id)
    session.execute(text("delete from samples"))  # type: ignore[deprecated]
    pads = session.execute(text("select sample_id, user_id, name from project_pads")).all()  # type: ignore[deprecated]
    assert pads == [(None, user.id, "Kick")]


TABLES_OF_PROJECTS = (
    "select table_name from information_schema.tables "
    "where table_schema = 'public' and table_name ~ '^(project|pad_render)'"
)


def put_on_pad(session: Session, user: User, sample_id: uuid.UUID) -> None:
    project = Project(user_id=user.id, name="Kit", device="mk2")
    session.add(project)
    session.flush()
    session.add(
        ProjectPad(
            project_id=project.id, user_id=user.id, sample_id=sample_id, bank=0, pad=1, name="Kick",
            revision=1,
        )
    )  # fmt: skip
    session.flush()
    session.expunge_all()
