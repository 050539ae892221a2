"""What a migration makes of rows that are there already."""

import importlib.util
from pathlib import Path
from types import ModuleType

from sqlalchemy import text
from sqlmodel import Session

from sp404_app.models import Analysis, User
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
