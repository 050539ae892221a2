"""Time from clone to a running product: `python bench/startup.py [--no-install]`.

Clones the checkout's last commit into a temporary folder, installs, starts the product with an
empty home, stops it, and starts it again. Prints wall-clock seconds.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.product import free_port  # noqa: E402 - needs the path above

READY_TEXT = "Ctrl-C"
STOP_TIMEOUT_S = 1200.0


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-install", action="store_true", help="use this virtual environment")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sp404n-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", "--depth", "1", ROOT.as_uri(), clone], check=True)
        rows = []
        if options.no_install:
            (clone / ".venv").symlink_to(ROOT / ".venv")
        else:
            rows.append(("virtual environment and packages", time_install(clone)))
        environment = os.environ | {"SP404_HOME": f"{folder}/home", "PORT": str(free_port())}
        rows += [
            (f"{which} {what}", seconds)
            for which in ("first", "second")
            for what, seconds in zip(
                ("start", "stop"), time_start_and_stop(clone, environment), strict=True
            )
        ]
    print("| step | seconds |\n|---|---:|")
    for step, seconds in rows:
        print(f"| {step} | {seconds:.1f} |")


def time_install(clone: Path) -> float:
    """Return how long `make` takes to create the virtual environment."""
    begun = time.monotonic()
    subprocess.run(["make", "-s", ".venv/installed"], cwd=clone, check=True)
    return time.monotonic() - begun


def time_start_and_stop(clone: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds until the address is printed, and from Ctrl-C to the end."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [clone / ".venv/bin/python", "-m", "sp404_app", "serve", "--with-parent"],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if READY_TEXT in line:
            break
    started = time.monotonic()
    assert process.poll() is None, "it did not start"
    process.send_signal(signal.SIGINT)
    process.wait(STOP_TIMEOUT_S)
    return started - begun, time.monotonic() - started


if __name__ == "__main__":
    main()
