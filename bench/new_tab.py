"""Time and bytes of the first state of a new tab, which every opened page receives.

    .venv/bin/python bench/new_tab.py

The web server computes it on its event loop. The baseline is its conversion to JSON in the same
run.
"""

import os
import time
from collections.abc import Callable
from statistics import median

import services  # noqa: F401 - it makes the product importable
from reflex.state import State
from reflex_base.utils.format import json_dumps

import sp404_app.sp404_app  # noqa: F401 - it imports all states

ROUNDS = 50


def main() -> None:
    """Measure and print."""
    values = first_state()
    state_ms, json_ms = measure(first_state), measure(lambda: json_dumps(values))
    print(f"load {os.getloadavg()[0]:.1f}, {len(json_dumps(values)) / 1000:.1f} kB")
    print(f"to JSON     {json_ms:6.2f} ms")
    print(f"first state {state_ms:6.2f} ms, {state_ms / json_ms:.1f} ×")


def first_state() -> dict[str, dict[str, object]]:
    """Return the values of all states, as Reflex sends them at first."""
    return State(_reflex_internal_init=True).dict(initial=True)  # type: ignore[call-arg]


def measure(work: Callable[[], object]) -> float:
    """Return the median CPU time of some rounds in ms, without the first one."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * median(times)


if __name__ == "__main__":
    main()
