"""Detect slow Stripe requests, so that the page can say that it is still waiting."""

import asyncio
from typing import Any

SLOW_AFTER_S = 2.0


async def is_done_soon(work: asyncio.Future[Any]) -> bool:
    """Wait for the work, at most `SLOW_AFTER_S`; return whether it is done."""
    done, _ = await asyncio.wait({work}, timeout=SLOW_AFTER_S)
    return bool(done)
