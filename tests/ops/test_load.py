"""The load profile runs against a product without an error; how fast it is, no test says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.product import ROOT, home_in, slot


def test_the_load_profile_gets_no_errors(tmp_path: Path) -> None:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    with slot("load-") as folder, home_in(folder) as product:
        product.extra |= {"SP404_DEMO": "false"}
        product.start(seconds=540)
        try:
            environment = {name: os.environ[name] for name in os.environ if "SP404" not in name}
            environment |= {"SP404_HOME": str(product.home), "PORT": str(product.port)}
            command = [sys.executable, "bench/load_users.py", "--users", "5", "--size", "60"]
            made = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
            )
            assert len(made.stdout.split()) == 5
            tokens = tmp_path / "tokens.txt"
            tokens.write_text(made.stdout)
            command = ["make", "load", f"HOST={product.base_url}", f"TOKENS={tokens}"]
            done = subprocess.run(
                [*command, "USERS=5", "MINUTES=0.5"],
                cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            product.stop()
    said = re.search(r"(\d+) requests, (\d+) errors", done.stdout)
    assert said, done.stdout + done.stderr
    assert int(said[1]) > 20
    assert said[2] == "0", done.stdout + done.stderr
    table = done.stdout + done.stderr  # locust writes its table to either
    assert re.search(r"POST +upload +[1-9]", table), table
