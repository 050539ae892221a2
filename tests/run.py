"""Run the tests as `make test` does: find a browser, then everything in parallel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Return pytest's exit code."""
    if not any(map(shutil.which, BROWSERS)):
        get_browser()
    # Which tests stay together on one process, and begin first, is said in conftest.py.
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope", *sys.argv[1:]]
    return subprocess.run(command, check=False).returncode


def get_browser() -> None:
    """Install Chromium: Debian's own where we may, Playwright's otherwise."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        update = subprocess.run(["apt-get", "-qq", "update"], check=False, env=environment)
        install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium"]
        if (
            not update.returncode
            and not subprocess.run(
                install, check=False, env=environment, stdout=subprocess.DEVNULL
            ).returncode
        ):
            return
    playwright = Path(sys.executable).with_name("playwright")
    subprocess.run([playwright, "install", "chromium"], check=True)


if __name__ == "__main__":
    sys.exit(main())
