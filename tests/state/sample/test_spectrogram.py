"""The spectrogram of the sample page: requested, waited for, shown, and its errors."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.errors import Unauthenticated, ValidationFailed
from sp404_app.jobs import runner
from sp404_app.models import Sample, User
from sp404_app.services.infra import queue, storage
from sp404_app.services.library import samples
from sp404_app.services.sample import spectrograms
from sp404_app.state.sample.spectrogram import SpectrogramState
from tests.accounts import cookie
from tests.services.processing.test_jobs import job_of
from tests.sounds import tone, write
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")

Open = Callable[..., SpectrogramState]


@pytest.fixture
def sample_id(user: User, tmp_path: Path) -> uuid.UUID:
    """An analysed sample of 100 s."""
    path = write(tmp_path / "Long.wav", np.tile(tone(440, 1.0), 100))
    with transaction() as session:
        found = samples.add_sample(session, user.id, samples.inspect_file(path, "Long.wav"))
    runner.run(str(job_of(found).id))
    return found


@pytest.fixture
def tab(user: User, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the state in a tab; outside a running app, `async with self` locks nothing."""

    async def enter(state: SpectrogramState) -> SpectrogramState:
        return state

    async def leave(*_: object) -> None:
        return None

    monkeypatch.setattr(SpectrogramState, "__aenter__", enter, raising=False)
    monkeypatch.setattr(SpectrogramState, "__aexit__", leave, raising=False)

    def opened(sample_id: object, owner: User = user, session_cookie: str = "") -> SpectrogramState:
        root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        state = root.get_substate(SpectrogramState.get_full_name().split("."))
        held = session_cookie or cookie(owner.id)
        return in_tab(state, held, url=f"/samples/{sample_id}")  # type: ignore[return-value, arg-type]

    return opened


@asynccontextmanager
async def picture_worker() -> AsyncIterator[list[uuid.UUID]]:
    """Run the drawing jobs that are queued during the block; yield their ids."""
    drawn: list[uuid.UUID] = []

    async def work() -> None:
        while True:
            name = await asyncio.to_thread(
                queue.rq_queue(queue.PICTURES).connection.lpop, queue.rq_queue(queue.PICTURES).key
            )
            job_id = queue.job_id_of(name.decode()) if isinstance(name, bytes) else None
            if job_id:
                drawn.append(job_id)
                await asyncio.to_thread(runner.run, str(job_id))
            await asyncio.sleep(0.01)

    task = asyncio.create_task(work())
    yield drawn
    task.cancel()


async def choose(page: SpectrogramState, view: object) -> None:
    await SpectrogramState.choose.fn(page, view)  # type: ignore[attr-defined]


async def look_at(page: SpectrogramState, start: object, end: object) -> None:
    await SpectrogramState.look_at.fn(page, start, end)  # type: ignore[attr-defined]


async def test_a_chosen_view_is_drawn_shown_and_hidden(tab: Open, sample_id: uuid.UUID) -> None:
    page = tab(sample_id)
    async with picture_worker() as drawn:
        await choose(page, "spectrum")
        assert (page.view, page.ready, page.busy, page.problem) == ("spectrum", True, False, "")
        assert page.stretch == ""
        assert page.figure.data[0].z.shape == (128, 512)
        await choose(page, "spectrum")
        assert (page.view, page.ready, page.busy) == ("", False, False)
        await choose(page, "spectrum")
        assert page.ready
        assert len(drawn) == 1  # the kept picture needs no second job


async def test_the_picture_follows_the_zoom_and_long_samples_are_drawn_in_parts(
    tab: Open, sample_id: uuid.UUID
) -> None:
    page = tab(sample_id)
    async with picture_worker() as drawn:
        await choose(page, "notes")
        await look_at(page, 30.0, 90.0)  # cut from the whole
        assert page.stretch == "30.00 – 90.00 s"
        assert len(drawn) == 1
        await look_at(page, 50.0, 51.0)  # of a part, in finer columns
        assert page.stretch == "50.00 – 51.00 s"
        assert page.figure.data[0].x0 == pytest.approx(50.0, abs=0.05)
        assert len(drawn) == 2
        await look_at(page, 52.0, 53.0)
        assert len(drawn) == 2
        await look_at(page, 0.0, 0.0)
        assert page.stretch == ""


async def test_a_file_that_cannot_be_drawn_shows_why_and_can_be_tried_again(
    tab: Open, sample_id: uuid.UUID
) -> None:
    page = tab(sample_id)
    with transaction() as session:
        key = session.get_one(Sample, sample_id).storage_key
    with storage.local_copy(key) as path:
        content = path.read_bytes()
        path.write_bytes(b"RIFF")
    async with picture_worker():
        await choose(page, "pulse")
        assert (page.ready, page.busy) == (False, False)
        assert page.problem.endswith(".")
        path.write_bytes(content)
        await look_at(page, 0.0, 0.0)
        assert (page.ready, page.problem) == (True, "")


@pytest.mark.parametrize("view", ["", "waveform", "x" * 11, None, 7, ["spectrum"]])
async def test_an_unknown_view_is_refused(tab: Open, sample_id: uuid.UUID, view: object) -> None:
    page = tab(sample_id)
    with pytest.raises(ValidationFailed):
        await choose(page, view)
    assert (page.view, page.busy) == ("", False)


async def test_another_users_sample_is_not_drawn(
    tab: Open, sample_id: uuid.UUID, person: Callable[..., User]
) -> None:
    page = tab(sample_id, person())
    await choose(page, "spectrum")
    assert (page.ready, page.busy, page.problem) == (False, False, "There is no such sample.")
    assert queue.rq_queue(queue.PICTURES).count == 0
    with pytest.raises(Unauthenticated):
        await choose(tab(sample_id, session_cookie="invented"), "spectrum")


async def test_a_sample_deleted_while_it_is_drawn_is_reported(
    tab: Open, sample_id: uuid.UUID, user: User
) -> None:
    page = tab(sample_id)
    waiting = asyncio.create_task(choose(page, "spectrum"))
    while not queue.rq_queue(queue.PICTURES).count:  # noqa: ASYNC110 - Redis has no event for it
        await asyncio.sleep(0.01)
    with transaction() as session:
        samples.delete_samples(session, user.id, [sample_id])
    with transaction() as session:
        samples.delete_for_good(session, user.id, [sample_id])
    await asyncio.wait_for(waiting, 30)
    assert (page.ready, page.problem) == (False, "There is no such sample.")


async def test_a_picture_that_is_no_longer_wanted_is_not_shown(
    tab: Open, sample_id: uuid.UUID
) -> None:
    page = tab(sample_id)
    first = asyncio.create_task(choose(page, "notes"))
    while not queue.rq_queue(queue.PICTURES).count:  # noqa: ASYNC110 - Redis has no event for it
        await asyncio.sleep(0.01)
    second = asyncio.create_task(choose(page, "spectrum"))
    async with picture_worker() as drawn:
        await asyncio.gather(first, second)
    assert len(drawn) == 2
    assert page.view == "spectrum"
    assert len(page.figure.data[0].z) == 128


async def test_resetting_hides_the_picture(tab: Open, sample_id: uuid.UUID) -> None:
    page = tab(sample_id)
    async with picture_worker():
        await choose(page, "pulse")
    await page.reset_picture()
    assert (page.view, page.ready, page.busy, page.stretch) == ("", False, False, "")
    spectrograms.load_picture.cache_clear()
