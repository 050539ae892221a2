"""Wait for a condition. The pages' CSP forbids Playwright's wait_for_function, which uses eval."""

import time
from collections.abc import Callable

TIMEOUT_S = 30.0


def until(holds: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; fail after `TIMEOUT_S`."""
    end = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < end, "the condition did not become true"
        time.sleep(0.05)
