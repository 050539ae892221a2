"""The image can be built for ARM: every package has a wheel, as there is no compiler in it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ops.image_builder import DOCKERFILE
from tests.product import ROOT

pytestmark = pytest.mark.timeout(1800)  # pip downloads the wheels to read what they need

# Wheels for the glibc of Debian 12, which is 2.36, or an older one.
GLIBC = [f"manylinux_2_{minor}" for minor in range(17, 37)] + ["manylinux2014"]


def test_every_package_of_the_image_has_a_wheel_for_arm(tmp_path: Path) -> None:
    assert "-slim-bookworm" in DOCKERFILE.read_text(), "change GLIBC with the release of Debian"
    stages_only = re.findall(r"pip install (?:--\S+ )*([a-z]\S+) -c", DOCKERFILE.read_text())
    assert len(stages_only) == 2
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--only-binary", ":all:"]
    command += ["--target", str(tmp_path), "--python-version", "3.11"]
    for name in GLIBC:
        command += ["--platform", f"{name}_aarch64"]
    command += ["-r", str(ROOT / "deploy" / "requirements.txt"), *stages_only]
    command += ["-c", str(ROOT / "constraints.txt")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    for name in stages_only:
        assert f" {name}-" in done.stdout.splitlines()[-1]
