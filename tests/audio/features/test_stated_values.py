"""What names, folders, tags and exact lengths give for a sound that nobody has analysed."""

import pytest

from sp404_app.audio.features.filename_hints import StatedMetadata
from sp404_app.audio.features.stated_values import StatedValues, read_stated_values

BARS_AT_90 = 8 * 60 / 90


@pytest.mark.parametrize(
    ("folder", "filename", "duration", "tags", "bpm", "source", "confirmed"),
    [
        ("", "Dusty 92bpm.wav", 3.1, {}, 92.0, "name", False),
        ("", "Dusty 90bpm.wav", BARS_AT_90, {}, 90.0, "name", True),
        ("95bpm", "dusty.wav", 4.0, {}, 95.0, "folder", False),
        ("95bpm", "dusty 92bpm.wav", 4.0, {}, 92.0, "name", False),
        ("95bpm", "dusty.wav", 0.6, {}, None, "", False),  # less than two beats: a hit
        ("95bpm", "Kick.wav", 1.9, {}, None, "", False),
        ("95bpm", "Hats.wav", 8 * 60 / 95, {}, 95.0, "folder", True),
        ("95bpm", "Kick Loop.wav", 1.75, {}, 95.0, "folder", False),
        ("", "kick 95bpm.wav", 0.4, {}, 95.0, "name", False),
        ("", "kick.wav", 0.4, {}, None, "", False),
        ("", "90_Drums.wav", BARS_AT_90, {}, 90.0, "name", True),
        ("", "90_Drums.wav", 4.7, {}, None, "", False),  # a number that nothing confirms
        ("", "dusty.wav", 4.0, {"bpm": 87.0}, 87.0, "file", False),
        ("", "dusty.wav", 4.1, {"bpm": 120.0}, None, "", False),  # the default of many programs
        ("", "dusty.wav", 4.0, {"bpm": 120.0}, 120.0, "file", True),
        ("", "dusty.wav", BARS_AT_90, {"beats": 8.0}, 90.0, "file", True),
        ("", "Drum Loop.wav", BARS_AT_90, {}, 90.0, "length", True),
        ("Loops", "dusty.wav", 16 * 60 / 128, {}, 128.0, "length", True),
        ("Loops", "Kick.wav", BARS_AT_90, {}, None, "", False),
        ("", "Drum Loop.wav", BARS_AT_90 * 1.0002, {}, None, "", False),
        ("", "dusty.wav", BARS_AT_90, {}, None, "", False),  # not named a loop
        ("", "Drum Loop.wav", 0.0, {}, None, "", False),
        ("", "Blooper.wav", BARS_AT_90, {}, None, "", False),
    ],
)
def test_the_tempo(
    folder: str, filename: str, duration: float, tags: dict[str, float], bpm: float | None,
    source: str, confirmed: bool,
) -> None:  # fmt: skip
    found = read_stated_values(folder, filename, duration, StatedMetadata(**tags))  # type: ignore[arg-type]
    assert found.bpm == pytest.approx(bpm)
    assert (found.bpm_source, found.bpm_confirmed) == (source, confirmed)


@pytest.mark.parametrize(
    ("folder", "filename", "tags", "key", "source"),
    [
        ("", "Pad F#m.wav", {}, "F# minor", "name"),
        ("Keys/A minor", "pad.wav", {}, "A minor", "folder"),
        ("", "pad.wav", {"key": "C major"}, "C major", "file"),
        ("A minor", "Pad F#m.wav", {"key": "C major"}, "C major", "file"),
        ("", "kick.wav", {}, None, ""),
        ("", "I am here.wav", {}, None, ""),
    ],
)
def test_the_key(
    folder: str, filename: str, tags: dict[str, str], key: str | None, source: str
) -> None:
    found = read_stated_values(folder, filename, 2.0, StatedMetadata(**tags))  # type: ignore[arg-type]
    assert (found.key, found.key_source) == (key, source)


@pytest.mark.parametrize(
    ("folder", "filename", "found"),
    [
        ("", "Kick 01.wav", "kick"),
        ("Snares", "dusty.wav", "snare"),
        ("", "Hat.wav", None),  # closed or open
        ("", "Kick Loop.wav", None),
        ("", "dusty.wav", None),
    ],
)
def test_the_class(folder: str, filename: str, found: str | None) -> None:
    assert read_stated_values(folder, filename, 0.4).sound_class == found


@pytest.mark.parametrize("duration", [-1.0, 0.0, 1e-9, 1e9, float("nan"), float("inf")])
def test_odd_lengths_give_no_error(duration: float) -> None:
    found = read_stated_values("", "Drum Loop.wav", duration)
    assert found == StatedValues()
