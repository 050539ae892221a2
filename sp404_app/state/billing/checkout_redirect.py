"""The way to the payment service and back."""

import asyncio
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventType

MOMENT = 1.0  # seconds: long enough to go, short enough to be forgotten on return


class LeavingState(rx.State):
    """Where this tab is about to go."""

    to: str = ""

    @rx.event
    async def forget(self) -> AsyncIterator[EventType[()] | None]:
        """Forget it, so that coming back does not lead away again."""
        await asyncio.sleep(MOMENT)
        self.to = ""
        yield


async def leave(state: rx.State, address: str) -> EventType[()]:
    """Send a tab to an address; return the event that must follow."""
    (await state.get_state(LeavingState)).to = address
    return LeavingState.forget  # type: ignore[return-value]
