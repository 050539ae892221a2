"""Create, list, change, duplicate, delete and restore projects."""

import datetime as dt
import math
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlmodel import func, select

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX
from sp404_app.errors import (
    AppError,
    ChangedMeanwhile,
    Conflict,
    NotFound,
    QuotaExceeded,
    ValidationFailed,
)
from sp404_app.models import PadRender, Project, ProjectPad, ProjectStep, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.billing import quotas
from sp404_app.services.library import samples
from sp404_app.services.plans import PLANS, Tier
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import Kit
from sp404_app.services.projects.pads import PadChange
from tests.services.projects.kits import names, place
from tests.sounds import Keep


def create(user: User, name: str = "Kit", ids: list[uuid.UUID] | None = None) -> Target:
    with transaction() as session:
        made = projects.create_project(session, user.id, name, MK2, ids or [])
        return Target(user.id, made.project.id)


def read(target: Target) -> Kit:
    with transaction() as session:
        project = history.get_project(session, target.user_id, target.project_id)
        return history.load_kit(session, project)


def change(target: Target, changes: Mapping[str, object]) -> Kit:
    with transaction() as session:
        projects.change_details(session, target, changes)
    return read(target)


def trash(target: Target, at: dt.datetime | None = None) -> None:
    with transaction() as session:
        projects.delete_project(session, target.user_id, target.project_id, target.revision)
        if at:
            session.get_one(Project, target.project_id).deleted_at = at


def restore(target: Target) -> None:
    with transaction() as session:
        projects.restore_project(session, target.user_id, target.project_id)


def exists(target: Target) -> bool:
    with transaction() as session:
        return session.get(Project, target.project_id) is not None


def listed(user: User, *, trash: bool = False) -> list[str]:
    with transaction() as session:
        found = projects.list_projects(session, user.id, trash=trash)
        return [each.project.name for each in found]


def used(user: User) -> int:
    with transaction() as session:
        return quotas.stored_bytes(session, user.id)


def limit_storage(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    plan = replace(PLANS[Tier.FREE], storage_bytes=size)
    monkeypatch.setattr(quotas, "_unblocked_plan", lambda *_: plan)


def test_a_project_starts_with_samples_from_a1_on_and_the_tempo_of_its_first_loop(
    user: User, keep: Keep
) -> None:
    ids = [keep("Kick.wav"), keep("Break.wav")]
    with transaction() as session:
        loop = session.get_one(Sample, ids[1])
        loop.bpm, loop.kind = 91.337, "loop"
    kit = read(create(user, ids=ids))
    assert names(kit) == {"A1": "Kick", "A2": "Break"}
    assert (kit.tempo, kit.banks[9]["tempo"]) == (91.34, 91.34)
    assert read(create(user)).tempo == 90
    with transaction() as session:
        loop = session.get_one(Sample, ids[1])
        loop.bpm = 250.0
    assert read(create(user, ids=ids)).tempo == 200


def test_samples_come_from_a_folder_or_tag_by_name(user: User, keep: Keep) -> None:
    ids = [keep("Kick 10.wav"), keep("Kick 9.wav"), keep("Snare.wav")]
    with transaction() as session:
        for sample_id, folder in zip(ids, ("Drums", "Drums/Old", "Drums2"), strict=True):
            sample = session.get_one(Sample, sample_id)
            sample.folder, sample.tags = folder, ["dusty"]
    with transaction() as session:
        assert projects.samples_in_folder(session, user.id, "/Drums/") == [ids[1], ids[0]]
        assert projects.samples_with_tag(session, user.id, "dusty") == [ids[1], ids[0], ids[2]]
        assert projects.samples_with_tag(session, user.id, "dus\x00\ud800ty") == [
            ids[1], ids[0], ids[2],
        ]  # fmt: skip
        assert projects.samples_with_tag(session, user.id, "%") == []


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("x" * 300, "x" * 200),
        ("\u202e \x00", "Untitled project"),
        (" סט\nלילה ", "סט לילה"),
        ("\ud800Dawn", "Dawn"),
    ],
)
def test_a_name_is_one_line_of_200_characters_and_never_empty(
    name: str, stored: str, user: User
) -> None:
    target = create(user, name)
    assert read(target).name == stored
    assert change(target, {"name": " "}).name == stored


@pytest.mark.parametrize("device", ["mk3", "", None, 1, ["mk2"], math.nan])
def test_a_device_is_mk2_or_sx(device: object) -> None:
    with pytest.raises(ValidationFailed):
        projects.parse_device(device)
    assert projects.parse_device("sx") is SX


def test_details_of_project_and_banks_change(project: Target) -> None:
    bank = {"bank": "J", "name": " Break\nbeats ", "colour": "#ABCDEF", "tempo": 88.888}
    kit = change(project, {"tempo": 40, "tempo_source": "bank", "banks": [bank]})
    assert (kit.tempo, kit.tempo_source) == (40, "bank")
    expected = {"name": "Break beats", "colour": "#abcdef", "tempo": 88.89, "volume": 127}
    assert kit.banks[9] == expected | {"bank": "J", "protect": False}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tempo": 39.9}, "tempo"),
        ({"tempo": math.nan}, "tempo"),
        ({"tempo": 10**400}, "tempo"),
        ({"tempo": "90"}, "tempo"),
        ({"tempo": True}, "tempo"),
        ({"tempo_source": "pad"}, "tempo_source"),
        ({"tempo_source": ["bank"]}, "tempo_source"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"device": "sx"}, "device"),
        ({"\ud800": 1}, "\\ud800"),
        ({"banks": {}}, "banks"),
        ({"banks": ["A"]}, "banks"),
        ({"banks": [{"bank": "K"}]}, "bank"),
        ({"banks": [{"volume": 5}]}, "bank"),
        ({"banks": [{"bank": "A", "volume": 128}]}, "banks.volume"),
        ({"banks": [{"bank": "A", "volume": 5.0}]}, "banks.volume"),
        ({"banks": [{"bank": "A", "protect": 1}]}, "banks.protect"),
        ({"banks": [{"bank": "A", "colour": "red"}]}, "banks.colour"),
        ({"banks": [{"bank": "A", "colour": "#ffffff\n"}]}, "banks.colour"),
        ({"banks": [{"bank": "A", "tempo": 201}]}, "banks.tempo"),
        ({"banks": [{"bank": "A", "name": 1}]}, "banks.name"),
        ({"banks": [{"bank": "A", "pads": []}]}, "banks.pads"),
    ],
)
def test_an_invalid_detail_is_refused_by_name_and_changes_nothing(
    changes: dict[str, object], field: str, project: Target
) -> None:
    before = read(project)
    with pytest.raises(ValidationFailed) as refusal:
        change(project, {"name": "new"} | changes if "name" not in changes else changes)
    assert list(refusal.value.details) == [field]
    assert read(project) == before


def test_a_copy_has_the_same_content_and_no_history(user: User, keep: Keep) -> None:
    target = create(user, "Night set", [keep(), keep()])
    with transaction() as session:
        pads.set_pad(session, target, place("A1"), PadChange(settings={"level": 5}))
        copy, report = projects.duplicate_project(session, user.id, target.project_id)
        with pytest.raises(Conflict):
            history.undo_step(session, Target(user.id, copy.id))
    copied = read(Target(user.id, copy.id))
    assert (copied.name, report) == ("Night set copy", [])
    assert replace(copied, name="Night set") == read(target)


def test_a_copy_for_the_other_device_is_converted_with_its_samples(user: User, keep: Keep) -> None:
    sample_id = keep()
    with transaction() as session:
        sample = session.get_one(Sample, sample_id)
        sample.duration, sample.sample_rate = 2.0, 44_100
    target = create(user, "x" * 200, [sample_id] * 14)
    with transaction() as session:
        copy, report = projects.duplicate_project(session, user.id, target.project_id, SX)
    kit = read(Target(user.id, copy.id))
    assert kit.name == f"{'x' * 180} (SP-404SX/A)"
    assert (len(kit.pads), kit.pads[place("A1")].frames, len(report)) == (12, 88_200, 2)


def test_projects_are_listed_by_their_last_change(user: User, keep: Keep) -> None:
    first, _ = create(user, "first", [keep(), keep()]), create(user, "second")
    assert listed(user) == ["second", "first"]
    change(first, {"tempo": 100})
    assert listed(user) == ["first", "second"]
    with transaction() as session:
        summary = projects.get_summary(session, user.id, first.project_id)
    assert (summary.filled, summary.filled_by_bank) == (2, (2, *[0] * 9))


def test_a_deleted_project_goes_to_the_trash_and_comes_back(project: Target, user: User) -> None:
    trash(project)
    assert (listed(user), listed(user, trash=True)) == ([], ["Night set"])
    restore(project)
    restore(project)  # nothing to do
    assert (listed(user), listed(user, trash=True)) == (["Night set"], [])


def test_a_repeated_deletion_with_the_same_revision_deletes_nothing_for_good(
    project: Target,
) -> None:
    seen = replace(project, revision=1)
    trash(seen)
    with pytest.raises(ChangedMeanwhile):
        trash(seen)
    assert exists(project)
    trash(replace(project, revision=2))
    assert not exists(project)


def test_projects_are_purged_30_days_after_their_deletion(user: User) -> None:
    old, recent, kept = create(user), create(user), create(user)
    month = dt.timedelta(days=projects.TRASH_DAYS)
    trash(old, now() - month - dt.timedelta(minutes=1))
    trash(recent, now() - month + dt.timedelta(minutes=1))
    with transaction() as session:
        assert projects.purge_old_projects(session, now()) == 1
    assert [exists(each) for each in (old, recent, kept)] == [False, True, True]


def test_the_oldest_projects_leave_a_trash_that_is_full(
    user: User, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "MAX_TRASHED_PROJECTS", 2)
    theirs, kept = create(person()), create(user)
    trash(theirs)
    thrown = [create(user, str(n)) for n in range(3)]
    for each in (thrown[1], thrown[0], thrown[2]):
        trash(each)
    assert [exists(each) for each in thrown] == [True, False, True]
    assert exists(theirs)
    assert exists(kept)


def test_another_users_project_does_not_exist(project: Target, person: Callable[..., User]) -> None:
    stranger = replace(project, user_id=person().id)
    for act in (trash, restore, read):
        with pytest.raises(NotFound):
            act(stranger)
    with transaction() as session, pytest.raises(NotFound):
        projects.duplicate_project(session, stranger.user_id, project.project_id)
    with transaction() as session, pytest.raises(NotFound):
        projects.get_summary(session, stranger.user_id, project.project_id)
    assert listed(person()) == []


def test_requests_at_once_cannot_exceed_the_number_of_projects(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "MAX_PROJECTS", 3)
    old = create(user)
    trash(old)
    create(user)

    def attempt(number: int) -> type[AppError] | None:
        try:
            restore(old) if number == 0 else create(user)
        except AppError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(attempt, range(6)))
    assert (done.count(None), done.count(Conflict)) == (2, 4)
    assert len(listed(user)) == 3


def test_a_trashed_sample_counts_as_storage_while_a_project_uses_it(
    project: Target, user: User, keep: Keep
) -> None:
    sample_id = keep()
    size = used(user)
    with transaction() as session:
        pads.fill(session, project, place("A1"), [sample_id, sample_id])
        samples.delete_samples(session, user.id, [sample_id])
    assert used(user) == size  # once, however many pads use it
    trash(project)
    assert used(user) == 0
    restore(project)
    assert used(user) == size
    with transaction() as session:
        pads.clear_whole_bank(session, project, 0)
    assert used(user) == 0
    with transaction() as session:
        history.undo_step(session, project)
    assert used(user) == size


def test_a_used_sample_is_restored_without_more_room(
    project: Target, user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    used_id, unused_id = keep(), keep()
    with transaction() as session:
        pads.fill(session, project, place("A1"), [used_id])
        samples.delete_samples(session, user.id, [used_id, unused_id])
    limit_storage(monkeypatch, used(user))
    with transaction() as session:
        assert samples.restore_samples(session, user.id, [used_id]) == [used_id]
        with pytest.raises(QuotaExceeded):
            samples.restore_samples(session, user.id, [unused_id])


def test_over_its_storage_a_user_reads_and_changes_projects(
    project: Target, user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = keep()
    limit_storage(monkeypatch, 1)
    with transaction() as session, pytest.raises(QuotaExceeded):
        quotas.ensure_storage(session, user.id, 1)
    with transaction() as session:
        pads.fill(session, project, place("A1"), [sample_id])
        projects.duplicate_project(session, user.id, project.project_id)
    assert len(read(project).pads) == 1


def test_2560_pads_in_16_projects_are_listed_filled_and_lose_their_sound(
    user: User, keep: Keep
) -> None:
    sample_id = keep("Kick.wav")
    targets = [create(user, f"Kit {n}", [sample_id] * 160) for n in range(16)]
    with transaction() as session:
        found = projects.list_projects(session, user.id)
        assert [each.filled_by_bank for each in found] == [(16,) * 10] * 16
        assert len({each.bytes for each in found}) == 1
        pads.move_whole_bank(session, targets[0], 0, 9, "swap")
        history.undo_step(session, targets[0])
        samples.move_to_trash(session, user.id, [sample_id])
        assert samples.delete_for_good(session, user.id, [sample_id]) == [sample_id]
    with transaction() as session:
        rows = select(func.count(), func.count(ProjectPad.sample_id)).select_from(ProjectPad)
        assert session.exec(rows).one() == (2_560, 0)
    assert len(read(targets[0]).pads) == 160


def test_the_account_takes_its_projects_along(
    project: Target, user: User, keep: Keep, person: Callable[..., User]
) -> None:
    with transaction() as session:
        pads.fill(session, project, place("A1"), [keep()])
    other = create(person())
    with transaction() as session:
        deletion.erase_account(session, user.id)
    with transaction() as session:
        for table in (ProjectPad, ProjectStep, PadRender):
            assert session.exec(select(func.count()).select_from(table)).one() == 0
        assert session.exec(select(Project.id)).all() == [other.project_id]


def test_an_account_can_be_deleted_while_its_pads_change(user: User, keep: Keep) -> None:
    ids = [keep() for _ in range(4)]
    targets = [create(user, ids=ids) for _ in range(2)]

    def play(target: Target) -> None:
        try:
            for _ in range(200):
                with transaction() as session:
                    pads.move(session, target, place("A1"), place("B1"), "copy")
                    pads.clear_whole_bank(session, target, 1)
        except NotFound:
            return
        raise AssertionError

    def erase() -> None:
        with transaction() as session:
            deletion.erase_account(session, user.id)

    with ThreadPoolExecutor(3) as pool:
        players = [pool.submit(play, target) for target in targets]
        pool.submit(erase).result()
        for each in players:
            each.result()
    assert not any(map(exists, targets))
