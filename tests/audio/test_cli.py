"""`python -m sp404_app analyse`: one line per file, also for unreadable files."""

import json
from pathlib import Path

import numpy as np
import pytest

from sp404_app.audio import cli
from sp404_app.audio.synth.demo_sounds import demo_sounds
from tests.audio.conftest import Write

FIELDS = {
    "file", "ok", "error", "duration", "sample_rate", "channels", "kind", "kind_confidence",
    "bpm", "bpm_confidence", "bpm_candidates", "beats", "key", "key_confidence", "camelot",
    "loudness_lufs", "peak_dbfs", "onsets",
}  # fmt: skip


@pytest.fixture(scope="module")
def loop() -> np.ndarray:
    return next(demo_sounds()).signal


def test_json_output_has_one_object_per_line_with_the_documented_fields(
    write: Write, loop: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = write("loop.wav", loop), write("bad.wav", np.zeros(0))
    missing = bad.with_name("missing.wav")
    assert cli.main([good, bad, missing], as_json=True) == 1
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert set(first) >= FIELDS
    assert (first["ok"], first["error"], first["kind"]) == (True, None, "loop")
    assert first["bpm"] == pytest.approx(86)
    assert first["file"] == str(good)
    assert (second["ok"], second["error"]) == (False, "This file contains no sound.")
    assert third["error"] == "Can't read the file: No such file or directory."


def test_text_output_has_one_line_per_file(
    write: Write, loop: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    paths: list[Path] = [write("loop.wav", loop), write("hit.wav", loop[:8000])]
    assert cli.main(paths, as_json=False) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "86.00 BPM" in first
    assert "one_shot" in second


def test_text_output_shows_the_error_of_a_broken_file(
    write: Write, loop: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([write("bad.wav", np.zeros(0)), write("a.wav", loop)], as_json=False) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.split(maxsplit=1) == ["bad.wav", "This file contains no sound."]
    assert "BPM" in second
