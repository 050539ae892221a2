"""Cards that nobody's device wrote: only clear sentences, nothing half made, nothing outside."""

import io
import uuid
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.errors import AppError
from sp404_app.models import JobStatus, ProcessingJob, Project, ProjectPad, Sample, User
from sp404_app.services.cards import card_reading, doctor_fixes, zip_import
from sp404_app.services.cards.import_files import open_zipped_card
from sp404_app.services.cards.zip_import import import_archive
from sp404_app.services.infra import storage
from sp404_app.services.library import archives
from sp404_app.settings import settings as ours
from tests.services import zips
from tests.services.cards import cards
from tests.services.cards.test_card_round_trip import EXPORT_FOLDER, project_of

pytestmark = pytest.mark.usefixtures("services")

FOLDER = EXPORT_FOLDER
CONFIG, SOUND = f"{FOLDER}/PADCONF.BIN", f"{FOLDER}/SMPL/BANK1-01.SMP"


def read(user: User, files: Mapping[str, bytes]) -> ProcessingJob:
    return cards.finish(user.id, cards.send(user.id, files))


def counts() -> tuple[int, int]:
    with transaction() as session:
        return len(session.exec(select(Project)).all()), len(session.exec(select(Sample)).all())


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (b"", "PADCONF"),
        (b"RFPD", "PADCONF"),
        (b"x" * 52_000, "PADCONF"),
        (cards.mk2_project()[CONFIG][:-1], "cut off"),
        (cards.mk2_project()[CONFIG].replace(b"\3\0\0\0", b"\4\0\0\0", 1), "version"),
        (cards.mk2_project()[CONFIG] + bytes(100_000), "too large"),
    ],
)
def test_a_broken_padconf_is_named_and_makes_nothing(
    user: User, config: bytes, reason: str
) -> None:
    job = read(user, cards.mk2_project() | {CONFIG: config})
    assert job.status == JobStatus.FAILED
    assert reason.casefold() in job.error.casefold()
    assert counts() == (0, 0)


def test_a_broken_project_does_not_stop_the_others(user: User) -> None:
    good = cards.mk2_project("B/GOOD")
    result = cards.take_in(user.id, good | {"A/BAD/PADCONF.BIN": b"RFPD"})
    assert [each["name"] for each in result["projects"]] == ["BEATS"]
    assert [each["path"] for each in result["problems"]] == ["A/BAD/PADCONF.BIN"]


@pytest.mark.parametrize(
    "sound",
    [
        b"",
        b"RFWV",
        cards.smp(cards.pcm(1, 6_000))[:512],
        b"RFWV" + b"\xff" * 600,
        b"<html>" * 200,
    ],
)
def test_a_broken_sound_leaves_its_pad_without_sample(user: User, sound: bytes) -> None:
    result = cards.take_in(user.id, cards.mk2_project(FOLDER) | {SOUND: sound})
    assert result["missing"] == ["BEATS, A1 Kick  drum"]
    assert result["samples"] == 2
    with transaction() as session:
        pad = session.exec(
            select(ProjectPad).where(ProjectPad.bank == 0, ProjectPad.pad == 1)
        ).one()
    assert (pad.sample_id, pad.name) == (None, "Kick  drum")


def test_of_a_sound_that_is_cut_off_the_rest_is_read_and_positions_lie_inside(user: User) -> None:
    sound = cards.smp(cards.pcm(1, 6_000))[: 512 + 4 * 2_000]
    result = cards.take_in(user.id, cards.mk2_project(FOLDER) | {SOUND: sound})
    assert (result["missing"], result["samples"]) == ([], 3)
    assert [(each["path"], "cut off" in each["why"]) for each in result["problems"]] == [
        (SOUND, True)
    ]
    with transaction() as session:
        pad = session.exec(
            select(ProjectPad).where(ProjectPad.bank == 0, ProjectPad.pad == 1)
        ).one()
    assert (pad.frames, pad.settings["end"], pad.chops) == (2_000, None, [0, 1_000])
    assert pad.settings["start"] == 100


def test_a_sound_that_the_device_would_refuse_is_read_and_named(user: User) -> None:
    import numpy as np
    import soundfile

    packed = io.BytesIO()
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, (22_050, 2))
    soundfile.write(packed, noise, 44_100, format="WAV", subtype="PCM_24")
    card = cards.sx_card() | {"ROLAND/SP-404SX/SMPL/A0000001.WAV": packed.getvalue()}
    result = cards.take_in(user.id, card)
    assert result["missing"] == []
    (problem,) = result["problems"]
    assert problem["path"].endswith("A0000001.WAV")
    target = project_of(user, result)
    with transaction() as session:
        (found,) = doctor_fixes.check_project(session, user.id, target.project_id).problems
        (fixed,) = doctor_fixes.fix_problems(session, target, [found.id])
    assert fixed.kind == "refused_file"


def test_files_beside_the_project_are_never_read(user: User) -> None:
    extra = {"secret.txt": b"x", f"{FOLDER}/SMPL/notes.txt": b"x", f"{FOLDER}/PTN/a.bin": b"x"}
    result = cards.take_in(user.id, cards.mk2_project(FOLDER) | extra)
    assert result["files"] == len(cards.mk2_project(FOLDER))
    assert result["problems"] == []


def test_a_huge_pattern_is_left_out(user: User) -> None:
    pattern = f"{FOLDER}/PTN/PTN00002.BIN"
    result = cards.take_in(user.id, cards.mk2_project(FOLDER) | {pattern: bytes(2 << 20)})
    assert [each["path"] for each in result["problems"]] == [pattern]


def archive(files: Mapping[str, bytes]) -> bytes:
    return cards.zipped_card(files)


def entries(*names: str) -> bytes:
    return zips.zipped(*((name, b"x") for name in names))


REFUSED: dict[str, tuple[bytes, str]] = {
    "no archive": (b"RIFF....", "not a ZIP archive"),
    "cut off": (archive(cards.mk2_project())[:4_000], "damaged"),
    "no project": (entries("kick.wav"), "library"),
    "a zip in a zip": (zips.zipped(("card.zip", archive(cards.mk2_project()))), "neither"),
    "only a link": (zips.zipped((zips.link("PADCONF.BIN"), b"/etc/passwd")), "empty"),
    "other case": (entries("A/PADCONF.BIN", "a/padconf.bin"), "one name"),
    "password": (zips.by_hand([b"PADCONF.BIN"], b"x", flags=1), "password"),
    "many entries": (
        zips.by_hand([b"%d" % n for n in range(20_001)], b"", overlap=True),
        "more than 20,000 files",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_archive_that_is_no_card_is_refused_at_once(user: User, kind: str) -> None:
    content, reason = REFUSED[kind]
    with pytest.raises(AppError, match=reason), transaction() as session:
        import_archive(session, user.id, io.BytesIO(content), "card.zip")
    assert storage.list_folder("imports") == []


def test_names_that_lead_outside_are_read_inside(user: User) -> None:
    card = {f"../../{path}": data for path, data in cards.mk2_project("P").items()}
    card |= {"/etc/PADCONF.BIN": b"RFPD"}
    result = cards.take_in_zip(user.id, card)
    assert [each["name"] for each in result["projects"]] == ["BEATS"]
    assert [each["path"] for each in result["problems"]] == ["etc/PADCONF.BIN"]


def test_a_bomb_ends_at_its_limit(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "RATIO_ALLOWANCE_BYTES", 1 << 20)
    bomb = {**cards.mk2_project("P"), "P/PICTURE/startup_2.bmp": bytes(900_000)}
    bomb |= {f"P/PTN/PTN{n:05}.BIN": bytes(900_000) for n in range(2, 150)}
    packed = zips.zipped(*bomb.items())
    with transaction() as session:
        job = import_archive(session, user.id, io.BytesIO(packed), "bomb.zip")
    ended = cards.run(job)
    assert ended.status == JobStatus.DONE
    assert ended.result
    assert any("too large" in each["why"] for each in ended.result["problems"])


def test_a_size_that_lies_is_found_when_the_file_is_read(user: User) -> None:
    config = cards.mk2_project("P")["P/PADCONF.BIN"]
    packed = zips.by_hand([b"P/PADCONF.BIN"], config, size=10)
    with transaction() as session:
        job = import_archive(session, user.id, io.BytesIO(packed), "card.zip")
    ended = cards.run(job)
    assert ended.status == JobStatus.FAILED
    assert "PADCONF.BIN" in ended.error


def test_an_archive_above_the_upload_limit_is_refused(
    user: User, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(
        zip_import, "settings", lambda: ours().model_copy(update={"max_upload_mb": 0})
    )
    with pytest.raises(AppError, match="larger than"), transaction() as session:
        import_archive(session, user.id, io.BytesIO(archive(cards.mk2_project())), "card.zip")


TEMPLATES = [cards.mk2_project("P"), cards.sx_card("P")]


@given(
    template=st.sampled_from(TEMPLATES),
    target=st.integers(0, 6),
    edits=st.lists(
        st.tuples(st.integers(0, 60_000), st.binary(min_size=1, max_size=8)), max_size=8
    ),
    cut=st.none() | st.integers(0, 60_000),
    name=st.none() | st.text(max_size=12),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_damage_gives_projects_or_a_sentence(
    template: dict[str, bytes],
    target: int,
    edits: list[tuple[int, bytes]],
    cut: int | None,
    name: str | None,
) -> None:
    paths = sorted(template)
    path = paths[target % len(paths)]
    content = bytearray(template[path])
    for at, patch in edits:
        start = at % max(1, len(content))
        content[start : start + len(patch)] = patch
    damaged: dict[str, Any] = dict(template)
    damaged[f"P/{name}" if name is not None else path] = bytes(content[:cut])
    packed, sentences = io.BytesIO(), list[str]()
    with zipfile.ZipFile(packed, "w") as archived:
        for each, data in damaged.items():
            try:
                archived.writestr(each.encode("utf-8", "replace").decode(), data)
            except ValueError:
                archived.writestr("other", data)
    try:
        with open_zipped_card(packed) as files:
            card = card_reading.read_projects(files, None)
            card_reading.read_sounds(card, files, {}, lambda _: None)
    except AppError as error:
        sentences.append(str(error))
        return
    finally:
        assert all(each.endswith(".") for each in sentences)
    for problem in card.problems:
        assert problem.why
    for project in card.projects:
        assert set(project.paths.values()) <= set(files.sizes())


def test_an_import_of_an_unknown_user_makes_nothing() -> None:
    with pytest.raises(AppError), transaction() as session:
        import_archive(session, uuid.uuid4(), io.BytesIO(archive(cards.mk2_project())), "x")
