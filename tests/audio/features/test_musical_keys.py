"""Key names and Camelot codes."""

import pytest

from sp404_app.audio.features.musical_keys import KEYS, camelot, compatible_keys

WHEEL = {
    "G# minor": "1A", "D# minor": "2A", "A# minor": "3A", "F minor": "4A", "C minor": "5A",
    "G minor": "6A", "D minor": "7A", "A minor": "8A", "E minor": "9A", "B minor": "10A",
    "F# minor": "11A", "C# minor": "12A", "B major": "1B", "F# major": "2B", "C# major": "3B",
    "G# major": "4B", "D# major": "5B", "A# major": "6B", "F major": "7B", "C major": "8B",
    "G major": "9B", "D major": "10B", "A major": "11B", "E major": "12B",
}  # fmt: skip


def test_camelot_codes_match_the_published_wheel() -> None:
    assert {key: camelot(key) for key in KEYS} == WHEEL


def test_compatible_keys_are_adjacent_on_the_wheel() -> None:
    assert compatible_keys("A minor") == ["A minor", "C major", "E minor", "D minor"]
    assert compatible_keys("G# minor") == ["G# minor", "B major", "D# minor", "C# minor"]
    for key in KEYS:
        assert all(key in compatible_keys(other) for other in compatible_keys(key))


def test_an_unknown_key_name_is_rejected() -> None:
    with pytest.raises(ValueError, match="not the name"):
        camelot("H major")
