"""Run all tests with the coverage gate (`make test`), the unit tests or those of operation.

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
TWO_WORKERS = ("-n", "2", "--dist", "loadscope")
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
# Programs that tests of operation run, and the packages of Debian that have them.
OPS_PROGRAMS = {
    "amtool": "prometheus-alertmanager",
    "caddy": "caddy",
    "ip": "iproute2",
    "nginx": "nginx-light",
    "pgbouncer": "pgbouncer",
    "promtool": "prometheus",
}
COVERED_PACKAGES = ("sp404_app.audio", "sp404_app.devices", "sp404_app.services")
MIN_COVERAGE_PERCENT = 95  # of lines and branches; 96 was measured without all API and state tests


def main(arguments: Sequence[str]) -> int:
    """Return pytest's exit code; it fails, too, if the coverage is too low."""
    if arguments[:1] == ["--unit"]:
        return run_pytest(*TWO_WORKERS, *UNIT_TESTS, *arguments[1:])
    if not any(map(shutil.which, BROWSERS)):
        install_chromium()
    if arguments[:1] == ["--ops"]:
        install_programs()
        return run_pytest(*(arguments[1:] or ["tests/ops"]))
    return run_pytest(*TWO_WORKERS, *(arguments or coverage_options()))


def run_pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


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
    if can_install_packages() and install_packages("chromium"):
        return
    playwright = Path(sys.executable).with_name("playwright")
    subprocess.run([playwright, "install", "chromium"], check=True)


def install_programs() -> None:
    """Install what tests of operation run; without it, those that need it are skipped."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [each for name, each in OPS_PROGRAMS.items() if not shutil.which(name, path=path)]
    if missing and can_install_packages():
        install_packages(*missing)


def can_install_packages() -> bool:
    """Return whether this is Debian or the like, and the user may install packages."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(*packages: str) -> bool:
    """Return whether Debian's packages could be installed."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    update = ["apt-get", "-qq", "update"]
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages]
    return all(
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode
        == 0
        for command in (update, install)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
