"""The numbers of sounds in smart collections, counted in the background.

Each count is a search over the library, so lists show the names at once and the numbers when they
are known.
"""

import asyncio
import time
import uuid
from contextlib import suppress
from typing import Final

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.collections import collections
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Topic
from sp404_app.state.base import SessionState
from sp404_app.state.library.bulk_messages import format_sounds
from sp404_app.state.page_watching import begin_again_after_outages

GATHER_S: Final = 0.5  # changes within this time are counted once
REFRESH_S: Final = 300.0  # without a change: a rule may say "in the last 7 days"


class SmartCountState(SessionState):
    """How many sounds each smart collection has, by its id; those in the trash are not counted."""

    counts: rx.Field[dict[str, int]] = rx.field(default_factory=dict)
    texts: rx.Field[dict[str, str]] = rx.field(default_factory=dict)  # "12 sounds"

    @rx.event(background=True)
    @begin_again_after_outages
    async def watch(self) -> None:
        """Count now and after every change of the library, until the tab leaves the page."""
        user_id = await self._user_id()
        async for burst in events.listen(user_id, GATHER_S, patience=REFRESH_S):
            if burst and all(item.topic is Topic.PROJECT for item in burst):
                continue
            began = time.monotonic()
            found = await _count_all(user_id)
            async with self:
                if self.counts != found:
                    self.counts = found
                    self.texts = {each: format_sounds(count) for each, count in found.items()}
            # At most half of the time is spent on counting, however many changes there are.
            await asyncio.sleep(time.monotonic() - began)


async def _count_all(user_id: uuid.UUID) -> dict[str, int]:
    """Count each smart collection in a transaction of its own, which is short."""
    found: dict[str, int] = {}
    for each in await in_transaction(collections.list_smart_ids, user_id):
        with suppress(NotFound):  # deleted meanwhile
            summary = await in_transaction(collections.get_summary, user_id, each)
            found[str(each)] = summary.count
    return found
