"""Tempo and key in file names, and words and numbers that only look like them."""

import csv
from pathlib import Path

import pytest

from sp404_app.audio.features import filename_hints
from sp404_app.audio.features.filename_hints import (
    StatedMetadata,
    read_filename_hints,
    tempo_fits_length,
)
from sp404_app.audio.features.musical_keys import PITCHES

OURS = Path(__file__).with_name("names.csv")
SHARED = Path(__file__).parents[3] / "../shared/data/names.csv"


@pytest.mark.parametrize(
    ("name", "bpm", "key"),
    [
        ("Break_95bpm_F#m.wav", 95, "F# minor"),
        ("95 BPM/break.wav", 95, None),
        ("LOOP - Ab minor - 124 BPM - Ooh.wav", 124, "G# minor"),
        ("bass_bpm120_Cmaj.wav", 120, "C major"),
        ("Pad D minor.aif", None, "D minor"),
        ("chords_Bbmin_88.5bpm.flac", 88.5, "A# minor"),
        ("keys 8A 90bpm.wav", 90, "A minor"),
        ("Am_loop.wav", None, "A minor"),
        ("i am here.wav", None, None),
        ("Bass_A_Major_72BPM.flac", 72, "A major"),
        ("Guitar_Db_Minor_74BPM", 74, "C# minor"),
        ("Chord_D_Harmonic_Minor_81BPM", 81, "D minor"),
        ("riff F SHARP MIN", None, "F# minor"),
        ("Bass_A_Majority", None, None),
        ("a major disaster 2.wav", None, None),
        ("kick 01.wav", None, None),
        ("909beat.wav", None, None),
        ("loop 999bpm.wav", None, None),
        ("Gsharp minor riff.wav", None, "G# minor"),
        ("Fb minor.wav", None, "E minor"),
        ("", None, None),
    ],
)
def test_tempo_and_key_are_parsed_from_names(name: str, bpm: float | None, key: str | None) -> None:
    found = read_filename_hints(name)
    assert (found.bpm, found.key) == (bpm, key)


def _same_key(found: StatedMetadata, right: str) -> bool:
    """Compare a key, or its tonic if no mode is stated; flats are spelt as sharps."""
    letter, _, mode = right.partition(" ")
    shift = letter.count("#") - letter.count("b")
    tonic = PITCHES[(PITCHES.index(letter[0]) + shift) % 12] if letter else None
    return (found.tonic, found.key) == (tonic, f"{tonic} {mode}" if mode else None)


@pytest.mark.parametrize("path", [OURS, SHARED], ids=["ours", "shared"])
def test_tempi_and_keys_of_many_names_are_parsed_correctly(path: Path) -> None:
    if not path.exists():
        pytest.skip("these names are not on this machine")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 150
    wrong: dict[str, list[str]] = {"bpm": [], "key": []}
    for row in rows:
        found = read_filename_hints(row["name"])
        if found.bpm != (float(row["bpm"]) if row["bpm"] else None):
            wrong["bpm"].append(row["name"])
        if not _same_key(found, row["key"]):
            wrong["key"].append(row["name"])
    # Few names have a key: they are counted separately.
    keyed = sum(bool(row["key"]) for row in rows)
    assert len(wrong["bpm"]) <= 0.03 * sum(bool(row["bpm"]) for row in rows), wrong["bpm"]
    assert len(wrong["key"]) <= 0.05 * keyed, wrong["key"]
    assert not [row["name"] for row in rows if not row["key"] and row["name"] in wrong["key"]]


@pytest.mark.parametrize(
    "name",
    ["Keys 3b", "take 2a", "Rhodes 12A", "Am I Dreaming", "Rhodes 12A.wav", "Take 2A 90bpm.wav",
     "Am Ende 90bpm", "Seite B 90bpm", "Face A 90bpm", "Lato B 90bpm",
     "13A - 124.wav", "0A - 124.wav", "FM 120", "Kick_A", "B", "-", "#",
     "m", "b" * 200],
)  # fmt: skip
def test_a_version_letter_or_a_word_is_no_key(name: str) -> None:
    found = read_filename_hints(name)
    assert (found.key, found.tonic) == (None, None)


@pytest.mark.parametrize(
    ("name", "key", "sure"),
    [
        ("Track - 8A.wav", "A minor", False),
        ("8A - 124 - Track.wav", "A minor", False),
        ("Guitar_Am_90bpm.wav", "A minor", True),
        ("Am_pluck.wav", "A minor", False),
        ("Em_pluck.wav", "E minor", True),
        ("Am7 pluck.wav", "A minor", True),
        ("keyAm.wav", "A minor", True),
    ],
)
def test_a_key_is_certain_if_it_cannot_be_a_word(name: str, key: str, sure: bool) -> None:
    found = read_filename_hints(name)
    assert (found.key, found.key_certain) == (key, sure)


@pytest.mark.parametrize(
    ("folder", "bpm", "key"),
    [
        ("Loops 95bpm", 95, None),
        ("F# minor", None, "F# minor"),
        ("A", None, None),
        ("120", None, None),
        ("8A - 124", None, None),
    ],
)
def test_a_folder_counts_only_if_it_is_unambiguous(
    folder: str, bpm: float | None, key: str | None
) -> None:
    found = read_filename_hints(f"Pack/{folder}/texture.wav")
    assert (found.bpm, found.tonic, found.key) == (bpm, key and key.split()[0], key)


def test_the_file_name_precedes_its_folders() -> None:
    found = read_filename_hints("120bpm/C minor/break 90bpm Am.wav")
    assert (found.bpm, found.key) == (90, "A minor")


def test_text_after_a_dot_is_part_of_the_name_unless_it_is_an_extension() -> None:
    assert read_filename_hints("Loop 92.5bpm").bpm == 92.5
    assert read_filename_hints("Loop 92.5 BPM").bpm == 92.5
    assert read_filename_hints("Loop.120bpm.wav").bpm == 120


def test_long_names_are_parsed_in_bounded_time() -> None:
    for piece in ("a ", "_", "A#", "9", "bpm", "C minor ", "1A - ", "9." * 3):
        read_filename_hints((piece * 1000)[:1200])


def test_a_bare_number_is_an_inexplicit_tempo() -> None:
    assert read_filename_hints("groove_120_dry.wav") == StatedMetadata(
        120, None, bpm_explicit=False
    )
    assert read_filename_hints("groove 120bpm.wav") == StatedMetadata(120, None, bpm_explicit=True)


def test_a_tempo_fits_a_length_of_whole_bars() -> None:
    assert tempo_fits_length(120, 8.0)
    assert tempo_fits_length(120, 8.05)
    assert not tempo_fits_length(120, 8.6)
    assert tempo_fits_length(136, 4.41175)  # exactly ten beats
    assert not tempo_fits_length(136, 4.43)
    assert tempo_fits_length(90, 2.0)
    assert not tempo_fits_length(100, 0.2)
    assert filename_hints.MIN_BPM < filename_hints.MAX_BPM
