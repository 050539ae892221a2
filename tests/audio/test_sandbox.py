"""One file heard by a process that ends with it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sp404_app.audio import sandbox
from sp404_app.audio.features.analysis import ENGINE_VERSION, analyse_file
from tests.audio.conftest import Write, sine
from tests.sounds import silent_flac


def told(path: Path, *limits: str) -> tuple[int, str]:
    """Return how the process ended and what it said."""
    with path.open("rb") as file:
        command = [sys.executable, "-m", "sp404_app.audio.sandbox", *limits]
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_it_hears_what_the_engine_hears(write: Write) -> None:
    path = write("a.wav", sine(220, 1.0, 0.5))
    code, said = told(path, "20", "1024")
    assert code == 0
    expected = analyse_file(path, name_hint="")
    assert json.loads(said) == {"error": None} | sandbox.comparison_record(expected)
    assert json.loads(said)["engine_version"] == ENGINE_VERSION
    assert json.loads(said)["likeness"] == pytest.approx(expected.analysis.likeness.tolist())


def test_what_is_no_sound_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"A shopping list.\n")
    error = "This is not a sound file we can read."
    assert told(tmp_path / "a", "20", "1024") == (0, json.dumps({"error": error}))
    assert sandbox.analyse_input(tmp_path / "a") == {"error": error}


@pytest.mark.parametrize("limits", [("0.4", "1024"), ("20", "60")])
def test_it_ends_where_time_or_memory_ends(tmp_path: Path, limits: tuple[str, str]) -> None:
    code, said = told(silent_flac(tmp_path / "a.flac", 7200), *limits)
    assert code != 0
    assert said == ""
