"""A project and its card: compare before a write, and record what was written."""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from sqlmodel import Session

from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound, ValidationFailed
from sp404_app.models import ProjectCard, User
from sp404_app.services.cards import card_records, doctor_fixes, imports
from sp404_app.services.cards.card_comparison import CardChange
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from tests.ids import UNKNOWN_ID
from tests.services.cards import cards
from tests.services.cards.exported import contents_of, export
from tests.services.cards.test_card_round_trip import EXPORT_FOLDER, project_of

pytestmark = pytest.mark.usefixtures("services")


SX_SOUND = "ROLAND/SP-404SX/SMPL/A0000001.WAV"


def listed(files: Mapping[str, bytes]) -> list[ListedFile]:
    return [
        ListedFile(path, len(data), hashlib.sha256(data).hexdigest())
        for path, data in files.items()
    ]


def compare(
    user: User, target: Target, card: Mapping[str, bytes], slot: int = 1
) -> list[CardChange]:
    with transaction() as session:
        made = imports.create_import(session, user.id)
        imports.add_listing(session, user.id, made.id, listed(card))
        wanted = parse_target("mk2", "export", slot)
        return card_records.compare(session, user.id, target.project_id, made.id, wanted)


def set_level(target: Target, level: int) -> None:
    with transaction() as session:
        pads.set_pad(session, target, PadPosition(0, 1), PadChange(settings={"level": level}))


def test_an_unchanged_card_needs_nothing(user: User) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    target = project_of(user, cards.take_in(user.id, card))
    export(target, "mk2", "export", 1)
    assert compare(user, target, card) == []


def test_a_change_replaces_the_settings_only(user: User) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    target = project_of(user, cards.take_in(user.id, card))
    set_level(target, 99)
    export(target, "mk2", "export", 1)
    changes = compare(user, target, card)
    assert [(each.path, each.what) for each in changes] == [
        (f"{EXPORT_FOLDER}/PADCONF.BIN", "replace")
    ]


def test_a_project_that_was_read_from_its_folder_alone_is_known_on_the_card(user: User) -> None:
    target = project_of(user, cards.take_in(user.id, cards.mk2_project("")))
    set_level(target, 99)
    export(target, "mk2", "export", 1)
    (change,) = compare(user, target, cards.mk2_project(EXPORT_FOLDER))
    assert change.what == "replace"


def test_an_sx_card_is_known_by_its_folder_of_sounds_alone(user: User) -> None:
    card = cards.sx_card()
    inside = "ROLAND/SP-404SX/SMPL/"
    alone = {
        path.removeprefix(inside): data for path, data in card.items() if path.startswith(inside)
    }
    target = project_of(user, cards.take_in(user.id, alone))
    set_level(target, 99)
    export(target, "sx")
    with transaction() as session:
        made = imports.create_import(session, user.id)
        imports.add_listing(session, user.id, made.id, listed(card))
        wanted = parse_target("sx")
        (change,) = card_records.compare(session, user.id, target.project_id, made.id, wanted)
    assert (change.path, change.what) == (f"{inside}PAD_INFO.BIN", "replace")


def test_folders_in_other_case_are_the_same_project(user: User) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    config = f"{EXPORT_FOLDER}/PADCONF.BIN"
    mixed = {path if path == config else f"p/{path}": data for path, data in card.items()}
    mixed = {path.replace("p/EXPORT", "export"): data for path, data in mixed.items()}
    target = project_of(user, cards.take_in(user.id, mixed))
    with transaction() as session:
        pads.clear_pad(session, target, PadPosition(0, 2))
    export(target, "mk2", "export", 1)
    changes = {each.path.rpartition("/")[2]: each.what for each in compare(user, target, card)}
    assert changes == {"PADCONF.BIN": "replace", "BANK1-02.SMP": "delete"}


def test_a_sound_that_could_not_be_read_is_not_deleted_from_the_card(user: User) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    broken = f"{EXPORT_FOLDER}/SMPL/BANK1-02.SMP"
    card[broken] = card[broken][:100]
    target = project_of(user, cards.take_in(user.id, card))
    export(target, "mk2", "export", 1)
    assert compare(user, target, card) == []


def test_a_broken_sound_that_was_marked_stays_once_a_pad_has_it_again(user: User) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    broken = f"{EXPORT_FOLDER}/SMPL/BANK1-02.SMP"
    card[broken] = card[broken][:100]
    target = project_of(user, cards.take_in(user.id, card))
    with transaction() as session:
        pads.clear_pad(session, target, PadPosition(0, 2))
    with transaction() as session:
        doctor_fixes.fix_problems(session, target, [f"unused_sound:{broken}"])
    export(target, "mk2", "export", 1)
    assert {each.path: each.what for each in compare(user, target, card)}[broken] == "delete"
    with transaction() as session:
        history.undo_step(session, target)
    export(target, "mk2", "export", 1)
    assert compare(user, target, card) == []


@pytest.mark.parametrize("device", ["mk2", "sx"])
def test_the_file_of_a_broken_sound_stays_on_the_card_when_its_pad_is_moved(
    user: User, device: str
) -> None:
    is_mk2 = device == "mk2"
    card = cards.mk2_project(EXPORT_FOLDER) if is_mk2 else cards.sx_card()
    broken = f"{EXPORT_FOLDER}/SMPL/BANK1-02.SMP" if is_mk2 else SX_SOUND
    card[broken] = card[broken][:100]
    target = project_of(user, cards.take_in(user.id, card))
    place = PadPosition(0, 2 if is_mk2 else 1)
    with transaction() as session:
        pads.move(session, target, place, PadPosition(9, 12), "overwrite")
    where: tuple[Any, ...] = ("export", 1) if is_mk2 else ()
    export(target, device, *where)
    with transaction() as session:
        made = imports.create_import(session, user.id)
        imports.add_listing(session, user.id, made.id, listed(card))
        wanted = parse_target(device, *where)
        changes = card_records.compare(session, user.id, target.project_id, made.id, wanted)
    assert [(each.path.rpartition("/")[2], each.what) for each in changes] == [
        ("PADCONF.BIN" if is_mk2 else "PAD_INFO.BIN", "replace")
    ]


def test_another_project_in_the_way_is_a_conflict(user: User) -> None:
    target = project_of(user, cards.take_in(user.id, cards.mk2_project(EXPORT_FOLDER)))
    export(target, "mk2", "export", 2)
    other = cards.mk2_project("EXPORT/PROJECT/PROJECT_02", seed=9)
    changes = {each.path.rpartition("/")[2]: each.what for each in compare(user, target, other, 2)}
    assert changes["BANK1-01.SMP"] == "conflict"
    assert changes == dict.fromkeys(changes, "conflict")


def test_a_project_must_be_exported_as_it_is_now(user: User) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    target = project_of(user, cards.take_in(user.id, card))
    with pytest.raises(Conflict, match="Export"):
        compare(user, target, card)
    export(target, "mk2", "export", 1)
    set_level(target, 98)
    with pytest.raises(Conflict, match="Export"):
        compare(user, target, card)


def test_a_verified_write_is_what_the_next_comparison_knows(user: User) -> None:
    target = project_of(user, cards.take_in(user.id, cards.mk2_project(EXPORT_FOLDER)))
    set_level(target, 90)
    written = contents_of(target, export(target, "mk2", "export", 1))
    with transaction() as session:
        card_records.record_card(session, user.id, target.project_id, listed(written))
    set_level(target, 80)
    export(target, "mk2", "export", 1)
    (change,) = compare(user, target, written)
    assert change.what == "replace"


def test_a_record_needs_the_users_project_and_paths_inside_the_card(
    session: Session, user: User
) -> None:
    target = project_of(user, cards.take_in(user.id, cards.mk2_project(EXPORT_FOLDER)))
    files = [ListedFile("A.BIN", 1)]
    for user_id, project_id in ((uuid.uuid4(), target.project_id), (user.id, UNKNOWN_ID)):
        with pytest.raises(NotFound):
            card_records.record_card(session, user_id, uuid.UUID(str(project_id)), files)
    with pytest.raises(ValidationFailed):
        card_records.record_card(session, user.id, target.project_id, [ListedFile("../A", 1)])
    card = session.get_one(ProjectCard, target.project_id)
    assert "A.BIN" not in str(card.files)
