"""Run all tests with the coverage gate (`make test`), or the unit tests (`make unit`).

Further arguments go to pytest, `make test TESTS="tests/api -k login"`, and switch the gate off.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# conftest.py replaces the scheduler of `loadscope`, and says which tests stay on one worker.
PYTEST = (sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope")
# Without browser and product, without bcrypt and Stripe: under two minutes on two cores.
UNIT_TESTS = (
    "tests/audio/dsp",
    "tests/audio/features",
    "tests/audio/io",
    "tests/audio/render",
    "tests/audio/similarity",
    "tests/devices",
    "tests/figures",
    "tests/services/infra",
    "tests/services/library",
    "tests/services/processing",
    "tests/services/sample",
)
COVERED_PACKAGES = ("sp404_app.audio", "sp404_app.devices", "sp404_app.services")
MIN_COVERAGE_PERCENT = 95  # of lines and branches; 96 was measured without all API and state tests


def main(arguments: Sequence[str]) -> int:
    """Return pytest's exit code; it fails, too, if the coverage is too low."""
    if arguments[:1] == ["--unit"]:
        return run_pytest(*UNIT_TESTS, *arguments[1:])
    if not any(map(shutil.which, BROWSERS)):
        install_chromium()
    return run_pytest(*(arguments or coverage_options()))


def run_pytest(*arguments: str) -> int:
    return subprocess.run([*PYTEST, *arguments], check=False).returncode


def coverage_options() -> list[str]:
    """Return pytest's options that measure the covered packages and require the minimum."""
    return [
        "--ignore=tests/ops",  # they are slow, and kill what other tests would wait for
        *(f"--cov={package}" for package in COVERED_PACKAGES),
        "--cov-branch",
        "--cov-report=term:skip-covered",
        f"--cov-fail-under={MIN_COVERAGE_PERCENT}",
    ]


def install_chromium() -> None:
    """Install Chromium: Debian's package as root, else Playwright's build."""
    if os.geteuid() == 0 and shutil.which("apt-get") and install_chromium_package():
        return
    playwright = Path(sys.executable).with_name("playwright")
    subprocess.run([playwright, "install", "chromium"], check=True)


def install_chromium_package() -> bool:
    """Return whether Debian's package could be installed."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    update = ["apt-get", "-qq", "update"]
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium"]
    return all(
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode
        == 0
        for command in (update, install)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
