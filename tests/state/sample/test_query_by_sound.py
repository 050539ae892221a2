"""Query by sound: whatever the browser sends, only the user's own samples are shown."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import User
from sp404_app.services.library import samples
from sp404_app.state.sample.query_by_sound import (
    MAX_RESULTS,
    NOTHING_ANALYSED,
    SILENCE,
    QueryBySoundState,
)
from tests.accounts import cookie
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


def opened(owner_cookie: str) -> QueryBySoundState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(QueryBySoundState.get_full_name().split("."))
    return in_tab(state, owner_cookie, url="/library")  # type: ignore[return-value, arg-type]


@pytest.fixture
def tab(user: User) -> QueryBySoundState:
    return opened(cookie(user.id))


def answer(*ids: object, **heard: object) -> dict[str, Any]:
    found = [{"id": str(each), "distance": 0.1 * place} for place, each in enumerate(ids)]
    return {"samples": found, "heard": {"silent": False, "kind": "loop", **heard}}


async def test_results_are_shown_in_the_order_of_the_response(
    tab: QueryBySoundState, keep: Keep
) -> None:
    kick, snare = keep("Kick.wav"), keep("Snare.wav")
    await tab.open_dialog()
    assert tab.is_open
    await tab.show(answer(snare, kick, bpm=92.5, key="A minor", duration=4.2))
    assert [(each.row.name, each.alike) for each in tab.rows] == [
        ("Snare", "100 %"),
        ("Kick", "90 %"),
    ]
    assert (tab.heard, tab.nothing) == ("loop · 92.5 BPM · A minor · 4.20 s", "")


async def test_another_users_and_trashed_samples_are_left_out(
    tab: QueryBySoundState, keep: Keep, user: User, person: Callable[..., User]
) -> None:
    mine, theirs, gone = keep("Mine.wav"), keep("Theirs.wav", owner=person().id), keep("Gone.wav")
    with transaction() as session:
        samples.delete_samples(session, user.id, [gone])
    await tab.show(answer(theirs, gone, mine, uuid.uuid4()))
    assert [each.row.name for each in tab.rows] == ["Mine"]


async def test_silence_and_an_empty_library_have_their_own_messages(tab: QueryBySoundState) -> None:
    await tab.show(answer(silent=True, kind="one_shot"))
    assert (tab.rows, tab.nothing) == ([], SILENCE)
    await tab.show(answer())
    assert tab.nothing == NOTHING_ANALYSED


async def test_closing_the_dialog_clears_it(tab: QueryBySoundState, keep: Keep) -> None:
    await tab.open_dialog()
    await tab.compare_by("timbre")
    await tab.show(answer(keep()))
    await tab.close()
    assert (tab.is_open, tab.rows, tab.heard, tab.aspect) == (False, [], "", "overall")


@pytest.mark.parametrize(
    "hostile",
    [
        "text",
        None,
        7,
        {"samples": "x"},
        {"samples": [7]},
        {"samples": [{}]},
        {"samples": [{"id": "x", "distance": 0}]},
        {"samples": [{"id": str(uuid.uuid4()), "distance": "much"}]},
        {"samples": [{"id": str(uuid.uuid4()), "distance": float("nan")}]},
        {"heard": "x"},
        {"heard": {"bpm": "x"}},
        {"heard": {"key": 7}},
        {"heard": {"duration": [1]}},
    ],
)
async def test_an_invalid_response_is_refused(tab: QueryBySoundState, hostile: Any) -> None:
    with pytest.raises((ValidationFailed, NotFound)):
        await tab.show(hostile)
    assert (tab.rows, tab.heard, tab.nothing) == ([], "", "")


async def test_a_long_response_is_cut(tab: QueryBySoundState, keep: Keep) -> None:
    kept = [keep() for _ in range(MAX_RESULTS + 2)]
    await tab.show(answer(*kept))
    assert len(tab.rows) == MAX_RESULTS


async def test_an_unknown_aspect_is_refused(tab: QueryBySoundState) -> None:
    for aspect in ("colour", 7, None):
        with pytest.raises(AppError):
            await tab.compare_by(aspect)  # type: ignore[arg-type]
    assert tab.aspect == "overall"


async def test_an_unauthenticated_tab_is_refused(keep: Keep) -> None:
    stranger = opened("invented")
    for call in (
        stranger.open_dialog(),
        stranger.close(),
        stranger.compare_by("pitch"),
        stranger.show(answer(keep())),
    ):
        with pytest.raises(Unauthenticated):
            await call
    assert (stranger.is_open, stranger.rows) == (False, [])
