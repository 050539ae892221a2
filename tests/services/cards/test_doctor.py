"""The card doctor finds what is wrong, and mends it in one step that can be undone."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.models import PadSource, ProjectPad, Sample, User
from sp404_app.services.cards import doctor, doctor_fixes, imports
from sp404_app.services.cards.doctor import CheckedProject, Problem
from sp404_app.services.cards.doctor_fixes import Checkup
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.library import samples
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from tests.services.cards import cards
from tests.services.cards.test_card_round_trip import EXPORT_FOLDER, project_of

pytestmark = pytest.mark.usefixtures("services")

SMP = f"{EXPORT_FOLDER}/SMPL/BANK1-01.SMP"
A1 = PadPosition(0, 1)


def take_in(user: User, changes: Mapping[str, bytes | None]) -> Target:
    card = {**cards.mk2_project(EXPORT_FOLDER), **changes}
    files = {path: data for path, data in card.items() if data is not None}
    return project_of(user, cards.take_in(user.id, files))


def check(target: Target) -> Checkup:
    with transaction() as session:
        return doctor_fixes.check_project(session, target.user_id, target.project_id)


def problems(target: Target) -> dict[str, Problem]:
    return {each.id: each for each in check(target).problems}


def fix(target: Target, *ids: str) -> list[str]:
    with transaction() as session:
        return [each.id for each in doctor_fixes.fix_problems(session, target, ids)]


def undo(target: Target) -> None:
    with transaction() as session:
        history.undo_step(session, target)


def test_a_sound_project_has_no_problem_and_sizes_by_bank(user: User) -> None:
    found = check(take_in(user, {}))
    assert found.problems == []
    sizes = {bank.bank: (bank.pads, bank.bytes) for bank in found.banks if bank.pads}
    assert sizes == {"A": (2, 6_000 * 6), "B": (1, 6_000 * 4)}
    assert found.bytes == 6_000 * 10


def test_a_missing_file_leaves_the_pad_with_its_name(user: User) -> None:
    found = problems(take_in(user, {SMP: None}))
    assert found["missing_sound:A1"].what == "The sound of A1 “Kick  drum” is missing."
    assert not found["missing_sound:A1"].can_fix


def test_a_wrong_hash_is_mended_in_a_copy_and_undone(user: User) -> None:
    broken = bytearray(cards.smp(cards.pcm(1, 6_000)))
    broken[0x20] ^= 0xFF
    target = take_in(user, {SMP: bytes(broken)})
    assert "hash" in problems(target)["refused_file:A1"].what
    with transaction() as session:
        before = {row.id: row.audio_header for row in session.exec(select(PadSource))}
    assert fix(target, "refused_file:A1", "nothing") == ["refused_file:A1"]
    assert problems(target) == {}
    with transaction() as session:
        after = {row.id: row.audio_header for row in session.exec(select(PadSource))}
    assert before.items() < after.items()
    undo(target)
    assert "refused_file:A1" in problems(target)


def test_a_sound_in_the_trash_is_restored(user: User) -> None:
    target = take_in(user, {})
    with transaction() as session:
        sample_id = session.exec(
            select(ProjectPad.sample_id).where(ProjectPad.bank == 0, ProjectPad.pad == 1)
        ).one()
        assert sample_id
        samples.delete_samples(session, user.id, [sample_id])
    assert fix(target, "trashed_sound:A1") == ["trashed_sound:A1"]
    assert problems(target) == {}


def test_a_lost_sound_that_the_library_has_again_is_put_back(user: User) -> None:
    target = take_in(user, {})
    with transaction() as session:
        ids = session.exec(select(Sample.id)).all()
        samples.delete_samples(session, user.id, ids)
    with transaction() as session:
        samples.delete_for_good(session, user.id, ids)
    assert not problems(target)["missing_sound:A1"].can_fix
    take_in(user, {})
    assert problems(target)["missing_sound:A1"].can_fix
    fix(target, *problems(target))
    assert problems(target) == {}


def test_a_name_that_the_device_cannot_show_is_spelled_for_it(user: User) -> None:
    target = take_in(user, {})
    with transaction() as session:
        pads.set_pad(session, target, A1, PadChange(name="Kïck"))
    assert problems(target)["name:A1"].fix == "Rename it to “Kick”"
    fix(target, "name:A1")
    with transaction() as session:
        assert history.load_pads(session, target.project_id)[A1].name == "Kick"


def test_a_sound_beyond_sixteen_minutes_is_cut(user: User) -> None:
    target = take_in(user, {})
    too_long = MK2.max_frames + 1
    with transaction() as session:
        for row in session.exec(select(ProjectPad).where(ProjectPad.bank == 1)):
            row.frames = too_long
            sample = session.get_one(Sample, row.sample_id)
            sample.duration = too_long / 48_000
    assert problems(target)["too_long:B2"].fix == "Cut it to 16 minutes"
    fix(target, "too_long:B2")
    with transaction() as session:
        pad = history.load_pads(session, target.project_id)[PadPosition(1, 2)]
        assert pad.frames == MK2.max_frames
    assert problems(target) == {}


def test_repeated_sounds_and_what_lies_on_the_card_is_named(user: User) -> None:
    target = take_in(user, {f"{EXPORT_FOLDER}/SMPL/BANK1-02.SMP": cards.smp(cards.pcm(1, 6_000))})
    (repeated,) = problems(target).values()
    assert repeated.pads == ("A1", "A2")
    assert repeated.what == "The same sound is on A1 and A2."
    with transaction() as session:
        project = history.get_project(session, user.id, target.project_id)
        kit = history.load_kit(session, project)
    names = ["SMPL/BANK9-01.SMP", "SMPL/BANK1-01.SMP.crswap", "._PADCONF.BIN"]
    card = [ListedFile(f"P/{name}", 5) for name in names] + [ListedFile("P/SMPL/BANK1-01.SMP", 0)]
    alone = CheckedProject(replace(kit, pads={}), {}, card=card)
    found = [(each.kind, each.path) for each in doctor.find_problems(alone)]
    assert found == [
        ("unused_sound", "P/SMPL/BANK9-01.SMP"),
        ("leftover", "P/SMPL/BANK1-01.SMP.crswap"),
        ("leftover", "P/._PADCONF.BIN"),
        ("leftover", "P/SMPL/BANK1-01.SMP"),
    ]


def test_sounds_of_which_only_the_name_was_listed_are_found_unused(user: User) -> None:
    unused = f"{EXPORT_FOLDER}/SMPL/BANK10-16.SMP"
    import_id = cards.send(user.id, cards.mk2_project(EXPORT_FOLDER))
    with transaction() as session:
        imports.add_listing(session, user.id, import_id, [ListedFile(unused, 1_000)])
    job = cards.finish(user.id, import_id)
    assert job.result
    assert list(problems(project_of(user, job.result))) == [f"unused_sound:{unused}"]
