"""Key scores: the profile, the opening, the advantage of minor, and calibrated probabilities."""

import numpy as np
import pytest

from sp404_app.audio.dsp.chroma import Chroma, SpectralPeaks, compute_chroma
from sp404_app.audio.features import key_detection
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.synth import tones

RATE_HZ = 44_100
A_MINOR_SCALE = (0, 2, 4, 5, 7, 9, 11)  # of C major, too


def chroma_of(notes: dict[int, float], opening: dict[int, float] | None = None) -> Chroma:
    """Return a chroma with these energies by pitch class."""
    whole, start = np.zeros(12), np.zeros(12)
    for place, energies in ((whole, notes), (start, notes if opening is None else opening)):
        for pitch, energy in energies.items():
            place[pitch] = energy
    nothing = np.zeros(0)
    peaks = SpectralPeaks(nothing.astype(np.int64), nothing, nothing, 1, 1.0, 0.0)
    return Chroma(pitches=whole, opening=start, tuning=0.0, in_tune=1.0, peaks=peaks)


def triad(root: int, third: int, energy: float = 1.0) -> dict[int, float]:
    return {pitch % 12: energy for pitch in (root, root + third, root + 7)}


@pytest.mark.parametrize("root", range(12))
@pytest.mark.parametrize(("third", "mode"), [(4, "major"), (3, "minor")])
def test_a_triad_is_its_key(root: int, third: int, mode: str) -> None:
    found = key_detection.estimate_key(chroma_of(triad(root, third)))
    assert found.name == f"{KEYS[root].split()[0]} {mode}"


def test_the_opening_decides_between_relative_keys() -> None:
    scale = dict.fromkeys(A_MINOR_SCALE, 1.0)
    minor = key_detection.estimate_key(chroma_of(scale, triad(9, 3)))
    major = key_detection.estimate_key(chroma_of(scale, triad(0, 4)))
    assert (minor.name, major.name) == ("A minor", "C major")


def test_where_nothing_else_decides_the_key_is_minor() -> None:
    fifth = {0: 1.0, 7: 1.0}
    evidence = key_detection.key_evidence(chroma_of(fifth))
    assert abs(evidence[0, 0] - evidence[12, 0]) < 0.1
    assert key_detection.estimate_key(chroma_of(fifth)).name == "C minor"


def test_the_probabilities_of_all_keys_sum_to_one_and_leave_room_for_doubt() -> None:
    found = key_detection.estimate_key(chroma_of(triad(2, 3)))
    assert len(found.chances) == 24
    assert sum(found.chances.values()) == pytest.approx(1.0)
    assert found.candidates[0] == (found.name, found.confidence)
    assert 0.3 < found.confidence < 0.9
    flat = key_detection.estimate_key(chroma_of(dict.fromkeys(range(12), 1.0)))
    assert flat.confidence < 0.1


def test_a_progression_of_chords_is_in_its_key() -> None:
    chords = [(45, 48, 52), (41, 45, 48), (48, 52, 55), (43, 47, 50)]  # Am F C G
    voices = [sum(tones.organ(note + 12, 1.0)[:RATE_HZ] for note in chord) for chord in chords]
    signal = np.concatenate(voices).astype(np.float32)
    chroma = compute_chroma(signal, RATE_HZ)
    assert chroma is not None
    found = key_detection.estimate_key(chroma)
    assert found.name == "A minor"
    assert "C major" in [name for name, _ in found.candidates[:3]]
