"""The card doctor finds what is wrong, and mends it in one step that can be undone."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from struct import pack

import pytest
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import ChangedMeanwhile
from sp404_app.models import PadSource, ProjectCard, ProjectPad, Sample, User
from sp404_app.services.cards import card_records, doctor, doctor_fixes, imports
from sp404_app.services.cards.card_comparison import RecordedFile
from sp404_app.services.cards.doctor import CheckedProject, Problem
from sp404_app.services.cards.doctor_fixes import Checkup
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.library import samples
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from tests.services.cards import cards
from tests.services.cards.exported import contents_of, export
from tests.services.cards.pattern_files import Hit, mk2_pattern
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
    card = [RecordedFile(f"P/{name}", 5) for name in names]
    card += [RecordedFile("P/SMPL/BANK1-01.SMP", 0)]
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


TEMPO = 1_323  # 132.3 BPM: 5,000 frames are a sixteenth of a bar
UNUSED = f"{EXPORT_FOLDER}/SMPL/BANK9-09.SMP"


def compare(target: Target, card: Mapping[str, bytes]) -> dict[str, str]:
    """Compare the card with the export of the project; return what happens to each file."""
    export(target, "mk2", "export", 1)
    with transaction() as session:
        made = imports.create_import(session, target.user_id)
        files = [
            ListedFile(path, len(data), hashlib.sha256(data).hexdigest())
            for path, data in card.items()
        ]
        imports.add_listing(session, target.user_id, made.id, files)
        wanted = parse_target("mk2", "export", 1)
        found = card_records.compare(session, target.user_id, target.project_id, made.id, wanted)
    return {each.path: each.what for each in found}


def test_an_unused_sound_is_deleted_by_the_next_write_only_if_the_user_wants_it(user: User) -> None:
    card = {**cards.mk2_project(EXPORT_FOLDER), UNUSED: cards.smp(cards.pcm(5, 2_000))}
    target = project_of(user, cards.take_in_zip(user.id, card))
    (found,) = check(target).problems
    assert (found.id, found.fix) == (f"unused_sound:{UNUSED}", "Delete it with the next write")
    revision = check(target).revision
    assert fix(target, found.id) == [found.id]
    assert fix(target, found.id) == []  # a second click changes nothing
    (marked,) = check(target).problems
    assert (marked.kind, marked.fix) == ("marked_file", "Keep it on the card")
    assert check(target).revision == revision
    with transaction() as session:
        (row,) = session.exec(select(ProjectCard))
    # The hash of a file that no pad uses is not known, so deleting it is a choice once more.
    assert [each["path"] for each in row.files if each.get("remove")] == [UNUSED]
    assert compare(target, card) == {UNUSED: "conflict"}
    assert fix(target, marked.id) == [marked.id]
    assert compare(target, card) == {}


def test_a_write_keeps_what_is_known_of_unused_sounds_and_forgets_deleted_ones(user: User) -> None:
    other = UNUSED.replace("09.SMP", "10.SMP")
    sounds = {path: cards.smp(cards.pcm(5, 2_000)) for path in (UNUSED, other)}
    card = {**cards.mk2_project(EXPORT_FOLDER), **sounds}
    target = project_of(user, cards.take_in(user.id, card))
    fix(target, f"unused_sound:{other}")
    assert compare(target, card) == {other: "delete"}
    written = contents_of(target, export(target, "mk2", "export", 1))
    with transaction() as session:
        files = [ListedFile(path, len(data)) for path, data in written.items()]
        card_records.record_card(session, user.id, target.project_id, files)
    assert list(problems(target)) == [f"unused_sound:{UNUSED}"]


def test_a_write_to_another_place_keeps_the_mark(user: User) -> None:
    card = {**cards.mk2_project(EXPORT_FOLDER), UNUSED: cards.smp(cards.pcm(5, 2_000))}
    target = project_of(user, cards.take_in(user.id, card))
    fix(target, f"unused_sound:{UNUSED}")
    written = contents_of(target, export(target, "mk2", "export", 3))
    with transaction() as session:
        files = [ListedFile(path, len(data)) for path, data in written.items()]
        card_records.record_card(session, user.id, target.project_id, files)
    assert list(problems(target)) == [f"marked_file:{UNUSED}"]
    assert compare(target, card)[UNUSED] == "delete"


def test_the_file_of_a_broken_sound_is_not_offered_for_deletion_when_its_pad_is_moved(
    user: User,
) -> None:
    target = take_in(user, {SMP: cards.smp(cards.pcm(1, 6_000))[:100]})
    assert list(problems(target)) == ["missing_sound:A1"]
    with transaction() as session:
        pads.move(session, target, A1, PadPosition(0, 3), "overwrite")
    assert list(problems(target)) == ["missing_sound:A3"]


def test_an_empty_pattern_that_comes_back_is_no_leftover(user: User) -> None:
    assert problems(take_in(user, {f"{EXPORT_FOLDER}/PTN/PTN00001.BIN": b""})) == {}


def test_marks_need_the_revision_that_was_seen(user: User) -> None:
    card = {**cards.mk2_project(EXPORT_FOLDER), UNUSED: b""}
    target = project_of(user, cards.take_in(user.id, card))
    stale = replace(target, revision=7)
    (found,) = check(target).problems
    with pytest.raises(ChangedMeanwhile):
        fix(stale, found.id)
    assert list(problems(target)) == [f"leftover:{UNUSED}"]


def put_copies(user: User, target: Target, **settings: object) -> None:
    """Put the sound of A1 on A3, and with these settings on A4."""
    with transaction() as session:
        pads.move(session, target, A1, PadPosition(0, 3), "copy")
        pads.move(session, target, A1, PadPosition(0, 4), "copy")
        pads.set_pad(session, target, PadPosition(0, 4), PadChange(settings=settings))


def test_pads_that_repeat_a_pad_are_emptied_in_one_step_and_come_back(user: User) -> None:
    target = take_in(user, {f"{EXPORT_FOLDER}/PTN/PTN00001.BIN": mk2_pattern([Hit(0, "A1")])})
    put_copies(user, target, level=50)
    ((id_, found),) = problems(target).items()
    assert (found.pads, found.fix) == (("A1", "A3", "A4"), "Empty A3")
    assert fix(target, id_) == [id_]
    with transaction() as session:
        assert PadPosition(0, 3) not in history.load_pads(session, target.project_id)
    assert problems(target)[id_].pads == ("A1", "A4")
    assert not problems(target)[id_].can_fix
    undo(target)
    assert problems(target)[id_].pads == ("A1", "A3", "A4")


@pytest.mark.parametrize("data", [b"damaged", mk2_pattern([Hit(0, "A3")])])
def test_a_pad_that_a_pattern_plays_or_may_play_is_not_emptied(user: User, data: bytes) -> None:
    target = take_in(user, {f"{EXPORT_FOLDER}/PTN/PTN00001.BIN": data})
    put_copies(user, target, level=50)
    (found,) = problems(target).values()
    assert (found.pads, found.can_fix) == (("A1", "A3", "A4"), False)


def sx_card_without_tempo(tempo: bytes) -> dict[str, bytes]:
    card = cards.sx_card()
    info = bytearray(card["ROLAND/SP-404SX/SMPL/PAD_INFO.BIN"])
    info[24:32] = tempo
    return card | {"ROLAND/SP-404SX/SMPL/PAD_INFO.BIN": bytes(info)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (bytes(8), pack(">2I", TEMPO, TEMPO)),
        (pack(">2I", 0, 1_000), pack(">2I", TEMPO, 1_000)),
        (pack(">2I", 900, 0), pack(">2I", 900, 900)),
    ],
)
def test_a_tempo_of_0_is_set_to_what_the_device_would_take(
    user: User, before: bytes, after: bytes
) -> None:
    target = project_of(user, cards.take_in(user.id, sx_card_without_tempo(before)))
    (found,) = problems(target).values()
    assert found.what == "The tempo of A1 “A0000001” is stored as 0."
    assert fix(target, "tempo:A1") == ["tempo:A1"]
    assert problems(target) == {}
    info = contents_of(target, export(target, "sx"))["ROLAND/SP-404SX/SMPL/PAD_INFO.BIN"]
    assert info[24:32] == after
    undo(target)
    assert list(problems(target)) == ["tempo:A1"]
    info = contents_of(target, export(target, "sx"))["ROLAND/SP-404SX/SMPL/PAD_INFO.BIN"]
    assert info[24:32] == before
