"""Suggestions of clean names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.services.bulk.name_cleaning import suggest_name


@pytest.mark.parametrize(
    ("name", "bpm", "key", "clean"),
    [
        ("KSHMR_Kick_04_(128)_Cm-FINAL2", None, None, "KSHMR Kick 04"),
        ("Dusty__Break___90bpm", None, None, "Dusty Break"),
        ("Dusty Break 90 BPM", 90.0, None, "Dusty Break"),
        ("Dusty Break BPM 90", 90.0, None, "Dusty Break"),
        ("Bass_C_Minor_76BPM.wav", 76.0, "C minor", "Bass"),
        ("Lead F# Natural Minor 100bpm", None, "F# minor", "Lead"),
        ("Pad_Abm_124", 124.0, "G# minor", "Pad"),
        ("Pad [8A] 124bpm", 124.0, "A minor", "Pad"),
        ("arp_keyAmin_bpm120", 120.0, "A minor", "arp"),
        ("120_glitch-loop", 120.0, None, "glitch-loop"),
        ("Vinyl crackle (1)", None, None, "Vinyl crackle"),
        ("Snare Copy 2", None, None, "Snare"),
        ("Snare_copy", None, None, "Snare"),
        ("Beat mixdown v2", None, None, "Beat"),
        ("Beat-MASTERED", None, None, "Beat"),
        ("Rim.wav.wav", None, None, "Rim"),
        ("Pack - Loop - 120bpm", 120.0, None, "Pack - Loop"),
        ("Crash(140)", 140.0, None, "Crash"),
        ("Drum 70bpm", 140.0, None, "Drum"),  # half of the pulse
    ],
)
def test_tempo_key_version_and_underscores_are_removed(
    name: str, bpm: float | None, key: str | None, clean: str
) -> None:
    assert suggest_name(name, bpm, key) == clean


@pytest.mark.parametrize(
    ("name", "bpm", "key"),
    [
        ("Kick 04", None, None),
        ("BD 808", None, None),
        ("Juno 106", None, None),
        ("I Am Here", None, None),
        ("CY2550", None, None),
        ("Snare v2 soft", None, None),  # a velocity
        ("Loop 120bpm", 93.0, None),  # another tempo was set
        ("Pad Cm", None, "D minor"),  # another key was set
        ("Finale", None, None),
        ("Final Countdown", None, None),  # a version stands behind the name, not in front
        ("Master Kick", None, None),
        ("Copy That", None, None),
        ("Hat Closed-01", None, None),
        ("105", 105.0, None),  # nothing would be left
        ("Cm", None, "C minor"),
        ("Sekt – 🎛️ Ünïcode", None, None),
        ("___", None, None),
    ],
)
def test_a_name_keeps_what_the_app_does_not_know_for_sure(
    name: str, bpm: float | None, key: str | None
) -> None:
    assert suggest_name(name, bpm, key) == name


@given(st.text(max_size=200), st.none() | st.floats(20, 999), st.none() | st.just("A minor"))
def test_any_name_gets_a_suggestion_that_is_not_empty(
    name: str, bpm: float | None, key: str | None
) -> None:
    assert suggest_name(name, bpm, key) or not name
