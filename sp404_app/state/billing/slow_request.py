"""Work that may take long: after two seconds the page says so."""

import asyncio
from typing import Any

SOON = 2.0  # seconds


async def done_soon(work: asyncio.Future[Any]) -> bool:
    """Wait for two seconds at most; say whether the work is done."""
    done, _ = await asyncio.wait({work}, timeout=SOON)
    return bool(done)
