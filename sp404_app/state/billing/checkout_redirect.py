"""Redirect a tab to Stripe's pages (Checkout, portal, invoices)."""

import asyncio
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventType

# Time for the browser to start the navigation, before the URL is cleared.
REDIRECT_DELAY_S = 1.0


class LeavingState(rx.State):
    """The external URL this tab is about to open."""

    to: str = ""

    @rx.event
    async def forget(self) -> AsyncIterator[EventType[()] | None]:
        """Clear the URL, so that returning with the back button does not redirect again."""
        await asyncio.sleep(REDIRECT_DELAY_S)
        self.to = ""
        yield


async def redirect_tab(state: rx.State, url: str) -> EventType[()]:
    """Set the URL that the tab opens; return the event the handler must yield to clear it."""
    (await state.get_state(LeavingState)).to = url
    return LeavingState.forget  # type: ignore[return-value]
