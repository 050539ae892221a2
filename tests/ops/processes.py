"""Start single processes of the product, as containers do."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.product import ROOT, SLOTS, UNSET_PREFIXES


@contextmanager
def process(log: Path, *arguments: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `python -m sp404_app …` with these settings only; its output goes to `log`."""
    environment: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if not name.startswith(UNSET_PREFIXES)
    }
    environment = {**environment, "NUMBA_CACHE_DIR": str(SLOTS / "numba"), **settings}
    with log.open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "sp404_app", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.wait(60)
