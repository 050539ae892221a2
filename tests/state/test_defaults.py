"""Defaults of the states, which are built into the pages."""

import subprocess
import sys

from tests.product import ROOT

PRINT_DEFAULTS = """
import json, reflex as rx
import sp404_app.pages.routes
states = rx.State(_reflex_internal_init=True).dict(initial=True)
print(json.dumps(sorted(states.items()), default=str))  # Reflex sorts the states, too
"""


def defaults(seed: int) -> str:
    command = [sys.executable, "-c", PRINT_DEFAULTS]
    environment = {"PYTHONHASHSEED": str(seed), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    return done.stdout.decode()


def test_defaults_do_not_depend_on_the_order_of_a_set() -> None:
    first, second = defaults(1), defaults(2)
    assert "peak" in first
    assert first == second
