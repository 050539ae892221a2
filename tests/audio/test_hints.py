"""What people write into names, and what they do not mean."""

import pytest

from sp404_app.audio import hints
from sp404_app.audio.hints import Stated, fits, from_name


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
        ("a major disaster 2.wav", None, "A major"),
        ("kick 01.wav", None, None),
        ("909beat.wav", None, None),
        ("loop 999bpm.wav", None, None),
        ("Gsharp minor riff.wav", None, "G# minor"),
        ("Fb minor.wav", None, "E minor"),
        ("", None, None),
    ],
)
def test_names_are_read(name: str, bpm: float | None, key: str | None) -> None:
    found = from_name(name)
    assert (found.bpm, found.key) == (bpm, key)


def test_a_bare_number_may_be_a_tempo_but_is_not_sure() -> None:
    assert from_name("groove_120_dry.wav") == Stated(120, None, sure=False)
    assert from_name("groove 120bpm.wav") == Stated(120, None, sure=True)


def test_a_tempo_fits_a_length_of_whole_bars() -> None:
    assert fits(120, 8.0)
    assert fits(120, 8.05)
    assert not fits(120, 8.6)
    assert fits(136, 4.41175)  # ten beats, to a hair
    assert not fits(136, 4.43)
    assert fits(90, 2.0)
    assert not fits(100, 0.2)
    assert hints.MIN_BPM < hints.MAX_BPM
