"""A function that opens states in a tab of the user, and how handlers are run."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import reflex as rx

from sp404_app.models import User
from tests.accounts import cookie
from tests.tabs import in_tab

S = TypeVar("S", bound=rx.State)
Open = Callable[..., Any]


@pytest.fixture
def tab(user: User) -> Open:
    """Return a function that opens a state; all of one `root` are in one tab."""

    def opened(
        kind: type[S], key: str = "", root: rx.State | None = None, url: str = "/library"
    ) -> S:
        root = root or rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        state = root.get_substate(kind.get_full_name().split("."))
        return in_tab(state, key or cookie(user.id), url=url)  # type: ignore[return-value]

    return opened


async def run(handler: Any) -> list[Any]:
    """Run a handler to its end; return the events that it yields or returns."""
    if hasattr(handler, "__aiter__"):
        return [event async for event in handler]
    return [await handler]


def said(events: list[Any]) -> str:
    return " ".join(str(event.args) for event in events if hasattr(event, "args"))
