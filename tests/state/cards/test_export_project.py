"""State of the export dialog: check, make, cancel, and hostile arguments."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX, Device
from sp404_app.errors import AppError, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import JobStatus, ProcessingJob, Project, User
from sp404_app.services.cards.preflight import PadCheck, Preflight
from sp404_app.services.processing import jobs
from sp404_app.services.projects import projects
from sp404_app.state.cards.export_project import ExportState
from sp404_app.state.cards.export_view import check_of, format_length
from tests.accounts import cookie
from tests.ids import UNKNOWN_ID
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
Make = Callable[..., Project]
RESULT = {"export_id": str(UNKNOWN_ID), "bytes": 3 << 20, "files": 2, "sha256": "ab" * 32}


def opened(owner_cookie: str) -> ExportState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(ExportState.get_full_name().split("."))
    return in_tab(state, owner_cookie, url="/projects")  # type: ignore[return-value, arg-type]


@pytest.fixture
def tab(user: User) -> ExportState:
    return opened(cookie(user.id))


@pytest.fixture
def make(user: User, keep: Keep) -> Make:
    """Return a function that creates a project with a sound on A1."""

    def create(device: Device = MK2) -> Project:
        with transaction() as session:
            return projects.create_project(
                session, user.id, "Night set", device, [keep("Kick.wav")]
            ).project

    return create


async def run(handler: Any) -> list[Any]:
    """Run an event handler to its end; return the events that it yields."""
    if hasattr(handler, "__aiter__"):
        return [event async for event in handler]
    return [await handler]


def end_job(job_id: str, status: JobStatus, error: str = "") -> ProcessingJob:
    with transaction() as session:
        job = session.get_one(ProcessingJob, uuid.UUID(job_id))
        job.result = RESULT
        jobs.finish_job(session, job.id, status, error)
        session.flush()
        session.refresh(job)
        session.expunge(job)
        return job


async def test_the_import_pack_comes_first_and_is_checked(tab: ExportState, make: Make) -> None:
    project = make()
    await run(tab.open_dialog(str(project.id)))
    await run(tab.run_check())
    assert (tab.device, tab.name, tab.is_open) == ("import", "Night set", True)
    assert (tab.check.pads, tab.check.is_empty, tab.is_checked) == ("1 pad", False, True)


async def test_a_project_for_the_sx_is_exported_for_it(tab: ExportState, make: Make) -> None:
    await run(tab.open_dialog(str(make(SX).id)))
    assert tab.device == "sx"


async def test_an_export_shows_its_progress_and_its_result(tab: ExportState, make: Make) -> None:
    await run(tab.open_dialog(str(make().id)))
    await run(tab.start())
    assert (tab.phase, tab.percent) == ("making", 0)
    tab._show_job(end_job(tab._job_id, JobStatus.DONE))
    assert (tab.phase, tab.result.files, tab.result.size) == ("done", "2 files", "3 MB")


async def test_a_failed_export_says_why_and_can_be_tried_again(
    tab: ExportState, make: Make
) -> None:
    await run(tab.open_dialog(str(make().id)))
    await run(tab.start())
    tab._show_job(end_job(tab._job_id, JobStatus.FAILED, "Pad A1: its sound is gone."))
    assert (tab.phase, tab.problem) == ("choose", "Pad A1: its sound is gone.")


async def test_an_export_can_be_cancelled(tab: ExportState, make: Make) -> None:
    await run(tab.open_dialog(str(make().id)))
    await run(tab.start())
    job_id = uuid.UUID(tab._job_id)
    await run(tab.cancel())
    with transaction() as session:
        assert session.get_one(ProcessingJob, job_id).status == JobStatus.CANCELLED
    assert tab.phase == "choose"


async def test_an_empty_project_is_not_exported(tab: ExportState, user: User) -> None:
    with transaction() as session:
        project = projects.create_project(session, user.id, "Empty", MK2, []).project
    await run(tab.open_dialog(str(project.id)))
    await run(tab.run_check())
    assert (tab.check.is_empty, len(tab.check.problems)) == (True, 1)
    await run(tab.start())
    assert (tab.phase, tab.problem != "") == ("choose", True)


async def test_another_choice_forgets_the_result(tab: ExportState, make: Make) -> None:
    await run(tab.open_dialog(str(make().id)))
    await run(tab.start())
    tab._show_job(end_job(tab._job_id, JobStatus.DONE))
    await run(tab.choose_device("mk2"))
    await run(tab.choose_slot("4"))
    await run(tab.choose_place("export"))
    assert (tab.phase, tab.device, tab.place, tab.slot) == ("choose", "mk2", "export", "4")


async def test_a_project_of_another_user_is_unknown(
    make: Make, person: Callable[..., User]
) -> None:
    project = make()
    with pytest.raises(NotFound):
        await run(opened(cookie(person().id)).open_dialog(str(project.id)))


@pytest.mark.parametrize("value", [None, 3, [], {}, "x", "", "0", "17", "1e9", "nan"])
@pytest.mark.parametrize("handler", ["choose_device", "choose_place", "choose_slot", "open_dialog"])
async def test_hostile_arguments_are_refused(tab: ExportState, handler: str, value: Any) -> None:
    before = (tab.device, tab.place, tab.slot, tab.project_id)
    if (handler, value) == ("choose_slot", 3):
        return
    with pytest.raises(AppError):
        await run(getattr(tab, handler)(value))
    assert (tab.device, tab.place, tab.slot, tab.project_id) == before


async def test_every_handler_needs_a_session() -> None:
    tab = opened("nonsense")
    calls = (
        tab.open_dialog(str(UNKNOWN_ID)),
        tab.close(),
        tab.choose_device("mk2"),
        tab.choose_place("import"),
        tab.choose_slot("1"),
        tab.run_check(),
        tab.start(),
        tab.cancel(),
        tab.go_back(),
        tab.show_pad("A1"),
    )
    for call in calls:
        with pytest.raises(Unauthenticated):
            await run(call)


async def test_a_pad_of_the_check_is_shown_on_its_page(tab: ExportState, make: Make) -> None:
    project = make()
    await run(tab.open_dialog(str(project.id)))
    events = await run(tab.show_pad("B3"))
    assert f"/projects/{project.id}?pad=B3" in str(events[0].args)
    with pytest.raises(ValidationFailed):
        await run(tab.show_pad(3))  # type: ignore[arg-type]


def pad(number: int, **values: Any) -> PadCheck:
    usual: dict[str, Any] = {"changes": [], "warnings": [], "refused": None}
    return PadCheck("A", number, f"Pad {number}", "", **(usual | values), frames=1, bytes=1)


def test_pads_with_the_same_sentence_are_one_group() -> None:
    pads = [
        pad(1, changes=["Padded."]),
        pad(2, changes=["Named “x”.", "Padded."]),
        pad(3, refused="Missing."),
    ]
    check = check_of(Preflight(ok=False, bytes=2, seconds=65.2, problems=[], pads=pads))
    assert [(group.text, len(group.pads)) for group in check.changes] == [
        ("Padded.", 2),
        ("Named “x”.", 1),
    ]
    assert (check.pads, check.refused_title, check.duration) == (
        "2 pads",
        "1 pad left out",
        "1:05 min",
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1:00 min"), (725, "12:05 min")],
)
def test_a_length_is_minutes_from_a_minute_on(seconds: float, text: str) -> None:
    assert format_length(seconds) == text
