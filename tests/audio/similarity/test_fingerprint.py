"""Fingerprints of duplicates match; those of two recordings of one drum do not."""

import io
import zlib
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.fingerprint import Fingerprint
from sp404_app.audio.synth.demo_sounds import demo_sounds
from sp404_app.audio.synth.drums import hat, kick, snare
from sp404_app.audio.synth.tones import eight_oh_eight

RATE = 44_100
Signal = np.ndarray
SOUNDS = {sound.name: (sound.signal, sound.sample_rate) for sound in demo_sounds()}


def print_of(signal: Signal, rate: float = RATE) -> Fingerprint:
    found = fingerprint.compute_fingerprint(np.asarray(signal, np.float32), rate)
    assert found
    return found


def coded(signal: Signal, rate: int, format: str) -> Signal:  # noqa: A002 - as soundfile has it
    file = io.BytesIO()
    soundfile.write(file, np.clip(signal, -1, 1), rate, format=format)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def resampled(y: Signal, sr: int, rate: int) -> Signal:
    """Resample by FFT; linear interpolation would attenuate high frequencies."""
    count = round(len(y) * rate / sr)
    spectrum = np.fft.rfft(y)
    wide = np.zeros(count // 2 + 1, complex)
    kept = min(len(wide), len(spectrum))
    wide[:kept] = spectrum[:kept]
    return np.fft.irfft(wide, count) * (count / len(y))


CHANGES: dict[str, Callable[[Signal, int], tuple[Signal, float]]] = {
    "quieter": lambda y, sr: (0.25 * y, sr),
    "upside down": lambda y, sr: (-y, sr),
    "padded": lambda y, sr: (np.pad(y, (sr // 3, sr // 2)), sr),
    "mp3": lambda y, sr: (coded(y, sr, format="MP3"), sr),
    "ogg": lambda y, sr: (coded(y, sr, format="OGG"), sr),
    "another rate": lambda y, sr: (resampled(y, sr, 48_000), 48_000),
}


def test_duplicates_match_and_different_sounds_do_not() -> None:
    mono = {name: (np.asarray(y, np.float32), sr) for name, (y, sr) in SOUNDS.items()}
    mono = {n: (y.mean(axis=1) if y.ndim > 1 else y, sr) for n, (y, sr) in mono.items()}
    originals = {name: print_of(*sound) for name, sound in mono.items()}
    found = [
        fingerprint.is_same_recording(originals[name], print_of(*change(*sound)))
        for name, sound in mono.items()
        for change in CHANGES.values()
    ]
    wrong = [
        (one, other)
        for one, other in combinations(originals, 2)
        if fingerprint.is_same_recording(originals[one], originals[other])
    ]
    assert wrong == []
    assert np.mean(found) >= 0.97


@pytest.mark.parametrize("make", [snare, hat])
def test_two_hits_of_one_drum_do_not_match(make: Callable[..., Signal]) -> None:
    one, other = (print_of(make(np.random.default_rng(seed))) for seed in (1, 2))
    assert fingerprint.is_same_recording(one, one)
    assert not fingerprint.is_same_recording(one, other)


def test_kicks_and_basses_of_different_pitch_do_not_match() -> None:
    kicks = [print_of(kick(np.random.default_rng(1), pitch=hertz)) for hertz in (50, 52)]
    basses = [print_of(eight_oh_eight(note)) for note in (31, 32)]
    assert not fingerprint.is_same_recording(*kicks)
    assert not fingerprint.is_same_recording(*basses)


def test_tones_above_the_long_spectrum_are_distinguished_by_their_bands() -> None:
    time = np.arange(RATE // 2) / RATE
    high, higher = (np.sin(2 * np.pi * hertz * time) for hertz in (6000, 9000))
    assert fingerprint.is_same_recording(print_of(high), print_of(0.2 * high))
    assert not fingerprint.is_same_recording(print_of(high), print_of(higher))


def test_silence_and_clicks_have_no_fingerprint() -> None:
    assert fingerprint.compute_fingerprint(np.zeros(RATE, np.float32), RATE) is None
    assert fingerprint.compute_fingerprint(np.zeros(0, np.float32), RATE) is None
    assert fingerprint.compute_fingerprint(np.ones(1, np.float32), 8000) is None


@pytest.mark.parametrize("rate", [1000, 8000, 11_025, 22_050, 44_101, 50_000])
def test_every_sample_rate_has_a_fingerprint(rate: int) -> None:
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, 2 * rate)
    found = print_of(noise, rate)
    assert found.length == pytest.approx(2.0, abs=0.05)
    assert fingerprint.is_same_recording(found, print_of(np.pad(noise, rate // 3), rate))


def test_trailing_silence_after_a_cut_does_not_change_the_fingerprint() -> None:
    loud = eight_oh_eight(31)[: RATE // 3]
    assert fingerprint.is_same_recording(print_of(loud), print_of(np.pad(loud, (0, RATE))))


def test_a_shortened_sound_does_not_match() -> None:
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, 2 * RATE)
    assert not fingerprint.is_same_recording(print_of(noise), print_of(noise[: -RATE // 4]))


@given(st.floats(0, 60), st.floats(0, 60))
def test_matching_of_lengths_is_symmetric(one: float, other: float) -> None:
    fits = abs(one - other) <= 0.06 + 0.01 * min(one, other)
    near = (
        abs(abs(one - other) - 0.06 - 0.01 * min(one, other)) < 1e-9
    )  # the result depends on rounding
    assert (
        near
        or fingerprint.lengths_match(one, other) == fingerprint.lengths_match(other, one) == fits
    )


def test_a_fingerprint_survives_packing_and_another_version_is_rejected() -> None:
    before = print_of(kick(np.random.default_rng(1)))
    packed = before.to_bytes()
    after = Fingerprint.from_bytes(packed)
    assert fingerprint.fingerprint_distance(before, after) == 0
    assert (after.bands, after.length) == (before.bands, pytest.approx(before.length))
    with pytest.raises(ValueError, match="not a fingerprint"):
        Fingerprint.from_bytes(b"\0" + packed[1:])
    with pytest.raises(ValueError, match="damaged"):
        Fingerprint.from_bytes(packed[:-9])
    with pytest.raises(ValueError, match="truncated"):
        Fingerprint.from_bytes(packed[: fingerprint.HEADER.size] + zlib.compress(b"short"))
    with pytest.raises(ValueError, match="not a fingerprint"):
        Fingerprint.from_bytes(b"")
