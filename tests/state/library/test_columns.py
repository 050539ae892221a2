"""The columns of the library's list: kept for the person, hostile arguments."""

from typing import Any

import pytest
import reflex as rx

from sp404_app.errors import Unauthenticated, ValidationFailed
from sp404_app.models import User
from sp404_app.services.account.list_columns import COLUMNS
from sp404_app.state.library.columns import ColumnsState
from tests.accounts import cookie
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")


def opened(owner_cookie: str) -> ColumnsState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(ColumnsState.get_full_name().split("."))
    return in_tab(state, owner_cookie, url="/library")  # type: ignore[return-value, arg-type]


async def test_the_choice_is_the_same_in_another_tab(user: User) -> None:
    tab, other = opened(cookie(user.id)), opened(cookie(user.id))
    await tab.set_shown("tags", False)  # type: ignore[operator]
    await tab.move("added", -10)  # type: ignore[operator]
    await other.load()  # type: ignore[operator]
    assert other.shown == tab.shown == ["added", *(each for each in COLUMNS[:-1] if each != "tags")]
    assert [each.name for each in other.choices if not each.shown] == ["tags"]
    assert [each.label for each in other.choices if each.fixed] == ["Name"]
    await tab.reset_all()  # type: ignore[operator]
    assert tab.shown == list(COLUMNS)


@pytest.mark.parametrize(
    ("name", "by"), [("x", 1), (7, 1), (None, 1), ("tags", "1"), ("tags", None)]
)
async def test_hostile_moves_are_refused(user: User, name: Any, by: Any) -> None:
    with pytest.raises(ValidationFailed):
        await opened(cookie(user.id)).move(name, by)  # type: ignore[operator]


@pytest.mark.parametrize("name", ["name", "x" * 999, ["tags"], {}])
async def test_hostile_names_are_refused(user: User, name: Any) -> None:
    with pytest.raises(ValidationFailed):
        await opened(cookie(user.id)).set_shown(name, False)  # type: ignore[operator]


async def test_every_handler_requires_a_session() -> None:
    stranger: Any = opened("nonsense")
    for attempt in (
        stranger.load(),
        stranger.set_shown("tags", False),
        stranger.move("tags", 1),
        stranger.reset_all(),
    ):
        with pytest.raises(Unauthenticated):
            await attempt
