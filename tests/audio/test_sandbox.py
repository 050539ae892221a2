"""The sandbox process analyses one file and ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sp404_app.audio import sandbox
from sp404_app.audio.features.analysis import ENGINE_VERSION, analyse_file
from tests.audio.conftest import Write, sine
from tests.sounds import silent_flac


def run_sandbox(path: Path, *limits: str) -> tuple[int, str]:
    """Return the exit code and the output of the process."""
    with path.open("rb") as file:
        command = [sys.executable, "-m", "sp404_app.audio.sandbox", *limits]
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_the_sandbox_returns_the_results_of_the_engine(write: Write) -> None:
    path = write("a.wav", sine(220, 1.0, 0.5))
    code, output = run_sandbox(path, "20", "1024")
    assert code == 0
    expected = analyse_file(path, name_hint="")
    assert json.loads(output) == {"error": None} | sandbox.comparison_record(expected)
    assert json.loads(output)["engine_version"] == ENGINE_VERSION
    assert json.loads(output)["likeness"] == pytest.approx(expected.analysis.likeness.tolist())


def test_the_sandbox_returns_an_error_for_a_file_that_is_not_audio(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"A shopping list.\n")
    error = "This is not a sound file we can read."
    assert run_sandbox(tmp_path / "a", "20", "1024") == (0, json.dumps({"error": error}))
    assert sandbox.analyse_input(tmp_path / "a") == {"error": error}


@pytest.mark.parametrize("limits", [("0.4", "1024"), ("20", "60")])
def test_the_sandbox_process_ends_at_its_time_or_memory_limit(
    tmp_path: Path, limits: tuple[str, str]
) -> None:
    code, output = run_sandbox(silent_flac(tmp_path / "a.flac", 7200), *limits)
    assert code != 0
    assert output == ""
