"""Which files the SP-404MKII refuses to import."""

import pytest

from sp404_app.devices.card_rules import explain_refusal, is_too_long

ONLY = "the SP-404MKII imports WAV, AIFF and MP3 only."


@pytest.mark.parametrize(
    ("audio_format", "filename", "reason"),
    [
        ("WAV 16-bit", "Kick.wav", ""),
        ("WAV 24-bit", "Kick.wav", ""),
        ("WAV 32-bit", "Kick.wav", ""),
        ("WAV u-law", "Kick.wav", ""),
        ("AIFF 16-bit", "Kick.aif", ""),
        ("MP3", "Kick.mp3", ""),
        ("", "Kick.wav", ""),
        ("WAV 32-bit float", "Kick.wav", "32-bit float: the SP-404MKII shows “Unsupported File”."),
        ("AIFF 32-bit float", "K.aif", "32-bit float: the SP-404MKII shows “Unsupported File”."),
        ("FLAC", "Kick.flac", f"FLAC: {ONLY}"),
        ("OGG Vorbis", "Kick.ogg", f"OGG Vorbis: {ONLY}"),
        ("M4A", "Kick.m4a", f"M4A: {ONLY}"),
        ("W64 16-bit", "Kick.w64", f"W64 16-bit: {ONLY}"),
        ("WAV 16-bit", "Grün.wav", "The file name has characters that the SP-404MKII can’t load."),
    ],
)
def test_a_file_is_refused_for_what_is_known(audio_format: str, filename: str, reason: str) -> None:
    assert explain_refusal(audio_format, filename) == reason


@pytest.mark.parametrize(
    ("seconds", "too_long"), [(None, False), (0.1, False), (960.0, False), (960.1, True)]
)
def test_sounds_above_sixteen_minutes_are_too_long(seconds: float | None, too_long: bool) -> None:
    assert is_too_long(seconds) is too_long
