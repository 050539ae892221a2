"""Run all tests (`make test`), or the unit tests with their coverage (`make unit`).

Further arguments go to pytest: `make test TESTS="tests/api -k login"`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# `loadscope` and the groups of tests that stay on one worker: see conftest.py.
PYTEST = (sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope")
UNIT_TESTS = ("tests/audio", "tests/figures", "tests/services")
COVERED = ("sp404_app.audio", "sp404_app.devices", "sp404_app.services")
MIN_COVERAGE_PERCENT = 85  # lines and branches of COVERED


def main(arguments: Sequence[str]) -> int:
    """Return pytest's exit code."""
    if arguments[:1] == ["--unit"]:
        return run_pytest(*unit_test_arguments(), *arguments[1:])
    if not any(map(shutil.which, BROWSERS)):
        install_chromium()
    return run_pytest(*arguments)


def run_pytest(*arguments: str) -> int:
    return subprocess.run([*PYTEST, *arguments], check=False).returncode


def unit_test_arguments() -> list[str]:
    """Return pytest's arguments: tests without a browser or whole product, with coverage."""
    sources = [f"--cov={package}" for package in COVERED]
    report = [
        "--cov-branch",
        "--cov-report=term:skip-covered",
        f"--cov-fail-under={MIN_COVERAGE_PERCENT}",
    ]
    return [*sources, *report, *UNIT_TESTS]


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
