"""The dialog that downloads samples: what it shows, what it starts, and how it ends."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import reflex as rx
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.errors import NotFound, Unauthenticated
from sp404_app.jobs import runner
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, User
from sp404_app.services.cards import conversions
from sp404_app.services.infra import storage
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.cards.download import DownloadState, describe_skipped
from sp404_app.state.library.library import LibraryState
from tests.accounts import cookie
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
S = TypeVar("S", bound=rx.State)
Open = Callable[..., Any]


@pytest.fixture
def tab(user: User) -> Open:
    """Return a function that opens a state; all of one `root` are in one tab."""

    def opened(kind: type[S], key: str = "", root: rx.State | None = None) -> S:
        root = root or rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        state = root.get_substate(kind.get_full_name().split("."))
        return in_tab(state, key or cookie(user.id), url="/library")  # type: ignore[return-value]

    return opened


@pytest.fixture
def library(tab: Open) -> LibraryState:
    """A library that is sorted by name."""
    state = tab(LibraryState)
    state.query = SampleQuery(sort="name")
    return state


@pytest.fixture
def dialog(tab: Open, library: LibraryState) -> DownloadState:
    return tab(DownloadState, root=library._get_root_state())


async def run(handler: Any) -> list[Any]:
    if hasattr(handler, "__aiter__"):
        return [event async for event in handler]
    return [await handler]


def said(events: list[Any]) -> str:
    return " ".join(str(event.args) for event in events if isinstance(event, rx.event.EventSpec))


def conversion() -> ProcessingJob:
    query = select(ProcessingJob).where(ProcessingJob.kind == JobKind.CONVERT)
    with transaction() as session:
        return session.exec(query.order_by(ProcessingJob.id.desc())).first()  # type: ignore[attr-defined,return-value]


def measure(sample_id: uuid.UUID, **values: Any) -> None:
    with transaction() as session:
        sample = session.get_one(Sample, sample_id)
        for name, value in ({"duration": 0.2, "sample_rate": 22_050} | values).items():
            setattr(sample, name, value)


async def test_the_names_of_the_first_sounds_are_shown_by_the_template(
    library: LibraryState, dialog: DownloadState, keep: Keep
) -> None:
    ids = [keep(f"Sound {number}.wav") for number in range(1, 8)]
    library._selected = {str(sample_id) for sample_id in ids}
    await run(dialog.open_for_selection())
    assert (dialog.is_open, dialog.sounds, dialog.is_single) == (True, "7 sounds", False)
    assert (dialog.names[0], len(dialog.names), dialog.more) == ("Sound 1.wav", 5, "and 2 more")
    await run(dialog.set_template("{n:02} {name}"))
    assert dialog.names[4] == "05 Sound 5.wav"
    await run(dialog.choose_format("flac"))
    assert dialog.names[0] == "01 Sound 1.flac"
    measure(ids[0], folder="Drums")
    await run(dialog.toggle_folders())
    assert dialog.names[:2] == ["Drums/01 Sound 1.flac", "02 Sound 2.flac"]
    await run(dialog.set_template("{tempo}"))
    assert (dialog.names, "{tempo} is not a field" in dialog.problem) == ([], True)
    assert await run(dialog.start()) == []
    assert conversion() is None


async def test_the_archive_has_the_names_that_were_shown(
    library: LibraryState, dialog: DownloadState, keep: Keep, user: User
) -> None:
    for name in ("B.wav", "A.wav"):
        keep(name)
    await run(dialog.open_for_results())
    await run(dialog.set_template("{n} {name}"))
    shown = dialog.names
    assert shown == ["1 A.wav", "2 B.wav"]
    await run(dialog.start())
    assert (dialog.phase, dialog.is_open) == ("running", True)
    job = conversion()
    runner.run(str(job.id))
    with transaction() as session:
        plan = conversions.find_archive(session, user.id, job.id)
    content = storage.read_bytes(plan.key)
    assert all(name.encode() in content for name in shown)
    with transaction() as session:
        events = dialog._end(session.get_one(ProcessingJob, job.id))
    assert f"/api/conversions/{job.id}" in said(events)
    assert (dialog.is_open, dialog.phase) == (False, "choose")


async def test_one_small_sound_is_downloaded_at_once_and_without_an_archive(
    dialog: DownloadState, keep: Keep
) -> None:
    sample_id = keep("Snare.wav")
    measure(sample_id)
    await run(dialog.open_for_sample(str(sample_id)))
    assert (dialog.is_single, dialog.sounds) == (True, "“Snare”")
    assert (dialog.names, dialog.more) == (["Snare.wav"], "")
    events = await run(dialog.start())
    assert f"/api/samples/{sample_id}/download?as=mk2" in said(events)
    assert not dialog.is_open
    events = await run(dialog.download_sample(str(sample_id), "sx"))
    assert f"/api/samples/{sample_id}/download?as=sx" in said(events)


async def test_a_long_sound_shows_its_progress_and_can_be_cancelled(
    dialog: DownloadState, keep: Keep
) -> None:
    sample_id = keep()
    measure(sample_id, duration=100.0)
    await run(dialog.download_sample(str(sample_id), "flac"))
    assert (dialog.is_open, dialog.phase) == (True, "running")
    await run(dialog.close())
    await run(dialog.open_for_sample(str(keep("Other.wav"))))
    assert (dialog.is_open, dialog.phase, dialog.sounds) == (True, "running", "“Kick”")
    assert await run(dialog.start()) == []
    await run(dialog.cancel())
    assert (dialog.phase, conversion().status) == ("choose", JobStatus.CANCELLED)
    await run(dialog.cancel())


async def test_a_page_that_loads_closes_the_dialog_and_follows_a_running_job(
    dialog: DownloadState, keep: Keep
) -> None:
    sample_id = keep()
    measure(sample_id, duration=100.0)
    await run(dialog.open_for_sample(str(sample_id)))
    assert await run(dialog.load()) == []
    assert not dialog.is_open
    await run(dialog.download_sample(str(sample_id), "flac"))
    (event,) = await run(dialog.load())
    assert event is DownloadState.watch
    assert (dialog.is_open, dialog.phase) == (False, "running")


async def test_a_refused_sound_is_explained_in_the_dialog(
    dialog: DownloadState, keep: Keep
) -> None:
    sample_id = keep()
    measure(sample_id, duration=1_000.0)
    await run(dialog.open_for_sample(str(sample_id)))
    await run(dialog.start())
    assert "longer than 16 minutes" in dialog.problem
    assert dialog.is_open


async def test_a_failed_job_is_explained(dialog: DownloadState, keep: Keep) -> None:
    sample_id = keep()
    measure(sample_id, duration=100.0)
    await run(dialog.download_sample(str(sample_id), "mk2"))
    job = conversion()
    job.status, job.error = JobStatus.FAILED, "This file is damaged."
    assert dialog._end(job) == []
    assert (dialog.problem, dialog.is_open) == ("This file is damaged.", True)
    await run(dialog.close())
    assert "damaged" in said(dialog._end(job))


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (0, ""),
        (1, "“Kick” was left out. It is damaged."),
        (3, "3 sounds were left out. “Kick”: It is damaged."),
    ],
)
def test_sounds_that_were_left_out_are_named(count: int, message: str) -> None:
    listed = [{"name": "Kick", "reason": "It is damaged."}] * count
    job = ProcessingJob(
        user_id=uuid.uuid4(), kind="convert", queue="free",
        result={"skipped": count, "skipped_files": listed},
    )  # fmt: skip
    assert describe_skipped(job) == message


async def test_nothing_opens_without_a_selection(dialog: DownloadState) -> None:
    await run(dialog.open_for_selection())
    assert not dialog.is_open
    assert await run(dialog.start()) == []


async def test_samples_of_others_and_unknown_formats_are_not_found(
    dialog: DownloadState, keep: Keep, person: Callable[..., User]
) -> None:
    foreign = keep(owner=person().id)
    for sample_id in (foreign, uuid.uuid4(), "x"):
        with pytest.raises(NotFound):
            await run(dialog.open_for_sample(str(sample_id)))
        with pytest.raises(NotFound):
            await run(dialog.download_sample(str(sample_id), "wav"))
    with pytest.raises(NotFound):
        await run(dialog.choose_format("mp3"))


async def test_every_handler_needs_a_session(tab: Open) -> None:
    state = tab(DownloadState, "no session")
    for handler in (state.open_for_selection(), state.start(), state.cancel(), state.close()):
        with pytest.raises(Unauthenticated):
            await run(handler)
