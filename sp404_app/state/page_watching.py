"""Background handlers that follow changes survive an outage of PostgreSQL or Redis."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

from sp404_app.services.infra.outages import OUTAGES

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 5.0
STEADY_S = 30.0  # who ran so long begins again with the first wait

S = TypeVar("S")


def begin_again_after_outages(
    watch: Callable[[S], Awaitable[None] | AsyncIterator[Any]],
) -> Callable[[S], AsyncIterator[Any]]:
    """Return a handler that runs `watch` again, from its start, after each outage.

    `watch` shows the page once when its subscription is active, so changes made during the outage
    are shown, too. Reflex cancels the handler when its tab closes.
    """

    @wraps(watch)
    async def watch_on(self: S) -> AsyncIterator[Any]:
        wait = FIRST_RETRY_S
        while True:
            began = time.monotonic()
            try:
                running = watch(self)
                if isinstance(running, Awaitable):
                    await running
                else:
                    async for events in running:
                        yield events
            except OUTAGES:
                if time.monotonic() - began > STEADY_S:
                    wait = FIRST_RETRY_S
                # Open pages come back one after another.
                await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 -- no secret
                wait = min(2 * wait, LAST_RETRY_S)
            else:
                return

    return watch_on
