"""Wait for what a page knows; its policy forbids Playwright's own way, which evaluates text."""

import time
from collections.abc import Callable

SECONDS = 30.0


def until(holds: Callable[[], bool]) -> None:
    """Return as soon as something holds, and fail if it does not in half a minute."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
