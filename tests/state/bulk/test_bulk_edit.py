"""The dialog that edits many sounds, and what it says when the job has ended."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.errors import NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import JobStatus, ProcessingJob, User
from sp404_app.services.bulk import bulk_edits
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.bulk.bulk_progress import BulkProgressState, edit_message, undo_message
from sp404_app.state.library.library import LibraryState
from tests.accounts import cookie
from tests.services.bulk.conftest import insert_sounds, load, run_job
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")
S = TypeVar("S", bound=rx.State)
Open = Callable[..., Any]


@pytest.fixture
def ids(user: User) -> list[uuid.UUID]:
    return insert_sounds(user.id, 3, bpm=90.0, tags=["dusty"])


@pytest.fixture
def tab(user: User) -> Open:
    """Return a function that opens a state; all are in one tab."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]

    def opened(kind: type[S], key: str = "") -> S:
        state = root.get_substate(kind.get_full_name().split("."))
        return in_tab(state, key or cookie(user.id), url="/library")  # type: ignore[return-value]

    return opened


@pytest.fixture
async def dialog(tab: Open, ids: list[uuid.UUID]) -> BulkEditState:
    """The dialog for all sounds of the library, sorted by name."""
    tab(LibraryState).query = SampleQuery(sort="name")
    tab(BulkProgressState)
    state = tab(BulkEditState)
    await state.open_for_results()
    return state


async def run(handler: Any) -> list[Any]:
    return [event async for event in handler]


async def test_the_dialog_shows_what_the_sounds_have_in_common(dialog: BulkEditState) -> None:
    assert (dialog.is_open, dialog.sounds, dialog.tab) == (True, "3 sounds", "values")
    assert (dialog.common.bpm, dialog.common.key) == ("90", "No key")
    assert [(tag.name, tag.state) for tag in dialog.tags] == [("dusty", "all")]
    assert (dialog.can_apply, dialog.problem) == (False, "")
    assert dialog.apply_text == "Apply to 3 sounds"


async def test_names_are_previewed_and_changed_by_a_job(
    dialog: BulkEditState, tab: Open, ids: list[uuid.UUID]
) -> None:
    await dialog.choose_tab("rename")
    await dialog.set_value("template", "{n}: {name}")
    assert [row.after for row in dialog.names] == ["1: Kick 1", "2: Kick 2", "3: Kick 3"]
    assert dialog.summary == "3 names change."
    await run(dialog.apply())
    progress = tab(BulkProgressState)
    assert (dialog.is_open, progress.label) == (False, "Changing sounds")
    run_job(uuid.UUID(progress._job_id))
    assert [sample.name for sample in load(ids)] == ["1: Kick 1", "2: Kick 2", "3: Kick 3"]
    await progress.open_list()
    (edit,) = progress.edits
    assert (edit.title, edit.result, edit.can_undo) == ("Rename", "3 of 3 sounds changed", True)
    await run(progress.undo(edit.id))
    run_job(uuid.UUID(progress._job_id))
    assert [sample.name for sample in load(ids)] == ["Kick 1", "Kick 2", "Kick 3"]


async def test_only_touched_values_are_changed(
    dialog: BulkEditState, tab: Open, ids: list[uuid.UUID]
) -> None:
    await dialog.toggle_tag("dusty")
    await dialog.toggle_tag("no such tag")
    await dialog.set_value("bpm", "93")
    event = await dialog.set_value("bpm_factor", "2")  # instead of the tempo
    assert "bulk-bpm" in str(event) or "bulk_bpm" in str(event)
    assert dialog.values["bpm"] == ""
    await run(dialog.apply())
    run_job(uuid.UUID(tab(BulkProgressState)._job_id))
    assert [(sample.bpm, sample.tags, sample.rating) for sample in load(ids)] == [
        (180.0, [], 0)
    ] * 3


async def test_a_double_click_on_apply_starts_one_edit(
    dialog: BulkEditState, user: User, ids: list[uuid.UUID]
) -> None:
    await dialog.set_value("bpm_factor", "2")
    for _ in range(2):
        await run(dialog.apply())
    with transaction() as session:
        assert len(bulk_edits.list_edits(session, user.id)) == 1


async def test_suggestions_that_were_declined_are_not_applied(
    tab: Open, user: User, dialog: BulkEditState
) -> None:
    new = insert_sounds(user.id, 1, name="Dusty_Break_90bpm")
    new += insert_sounds(user.id, 1, name="Paper_Snare")
    await dialog.open_for_results()
    await dialog.choose_tab("clean")
    assert [row.after for row in dialog.names] == ["Dusty Break", "Paper Snare"]
    await dialog.toggle_suggestion(str(new[1]))
    assert dialog.apply_text == "Apply to 1 sound"
    await run(dialog.apply())
    run_job(uuid.UUID(tab(BulkProgressState)._job_id))
    assert [sample.name for sample in load(new)] == ["Dusty Break", "Paper_Snare"]


async def test_what_is_wrong_is_said_and_nothing_starts(dialog: BulkEditState, tab: Open) -> None:
    await dialog.choose_tab("rename")
    await dialog.set_value("template", "{nmae}")
    assert dialog.problem.startswith("{nmae} is not a field.")
    await run(dialog.apply())
    assert (dialog.is_open, tab(BulkProgressState).label) == (True, "")
    await dialog.choose_tab("replace")
    await dialog.set_value("find", "(")
    await dialog.set_value("is_regex", "on")
    assert dialog.problem.startswith("This pattern isn’t valid")
    assert not dialog.can_apply


async def test_another_level_is_suggested_for_loudness(dialog: BulkEditState) -> None:
    await dialog.choose_tab("normalise")
    assert (dialog.values["level"], dialog.can_apply) == ("-1", True)
    await dialog.set_value("to", "lufs")
    assert dialog.values["level"] == "-14"


async def test_unknown_fields_tabs_and_suggestions_change_nothing(dialog: BulkEditState) -> None:
    with pytest.raises(ValidationFailed):
        await dialog.set_value("user_id", "x")
    await dialog.choose_tab("explode")
    await dialog.toggle_suggestion(str(uuid.uuid4()))
    with pytest.raises(NotFound):
        await dialog.toggle_suggestion("x")
    assert (dialog.tab, dialog._declined) == ("values", [])


async def test_other_peoples_edits_are_not_undone(
    tab: Open, dialog: BulkEditState, person: Callable[..., User]
) -> None:
    await dialog.choose_tab("rename")
    await run(dialog.apply())
    mine = tab(BulkProgressState)
    await mine.open_list()
    edit_id = mine.edits[0].id
    stranger = tab(BulkProgressState, cookie(person().id))
    (notice,) = await run(stranger.undo(edit_id))
    assert "There is no such bulk edit." in str(notice.args)
    await stranger.open_list()
    assert stranger.edits == []


async def test_a_signed_out_tab_can_do_nothing(tab: Open) -> None:
    for call in (
        lambda: tab(BulkEditState, "x").open_for_results(),
        lambda: tab(BulkEditState, "x").toggle_tag("a"),
        lambda: run(tab(BulkEditState, "x").apply()),
        lambda: run(tab(BulkProgressState, "x").undo_last()),
        lambda: tab(BulkProgressState, "x").open_list(),
    ):
        with pytest.raises(Unauthenticated):
            await call()


def job(status: JobStatus, error: str = "", **result: object) -> ProcessingJob:
    return ProcessingJob(
        user_id=uuid.uuid4(), kind="bulk", queue="free", status=status, error=error, result=result
    )


@pytest.mark.parametrize(
    ("ended", "message"),
    [
        (job(JobStatus.DONE, changed=1200), "1,200 sounds changed."),
        (job(JobStatus.DONE, changed=0), "No sound was changed."),
        (job(JobStatus.DONE, changed=2, action="restore"), "2 sounds restored."),
        (
            job(JobStatus.DONE, changed=1200, failed=2, action="delete"),
            "1,200 sounds moved to the trash. 2 sounds couldn’t be moved to the trash: "
            "see Recent edits.",
        ),
        (
            job(JobStatus.DONE, changed=2, failed=1),
            "2 sounds changed. 1 sound couldn’t be changed: see Recent edits.",
        ),
        (job(JobStatus.CANCELLED, "Cancelled.", changed=1), "Cancelled. 1 sound changed."),
        (job(JobStatus.FAILED, "It broke.", changed=1), "It broke. 1 sound changed."),
    ],
)
def test_the_notice_says_what_was_changed(ended: ProcessingJob, message: str) -> None:
    assert edit_message(ended) == message


@pytest.mark.parametrize(
    ("ended", "message"),
    [
        (job(JobStatus.DONE, restored=3), "3 sounds restored to what they were."),
        (job(JobStatus.DONE, restored=3, action="restore"), "3 sounds moved to the trash again."),
        (
            job(JobStatus.DONE, restored=3, changed_since=1),
            "3 sounds restored to what they were. 1 sound was changed since and stays.",
        ),
        (
            job(JobStatus.DONE, restored=0, changed_since=2, failed=1),
            "0 sounds restored to what they were. 2 sounds were changed since and stay. "
            "1 sound couldn’t be restored.",
        ),
    ],
)
def test_the_notice_says_what_was_undone(ended: ProcessingJob, message: str) -> None:
    assert undo_message(ended) == message
