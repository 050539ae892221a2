"""Waveform peaks at any zoom, in a few kilobytes, without losing a peak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sp404_app.audio.io import peaks
from sp404_app.audio.io.peaks import ALPHABET, Peaks, PeaksBuilder, compute_peaks
from tests.audio.conftest import growth

RATE = 44_100


def built(signal: np.ndarray, block: int = 10_000, rate: float = RATE) -> Peaks:
    builder = PeaksBuilder(rate)
    frames = np.atleast_2d(signal.T).T.astype(np.float32)
    for at in range(0, len(frames), block):
        builder.feed(frames[at : at + block])
    return builder.done()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40_000), st.integers(1, 9_000), st.integers(1, 3), st.integers(0, 2**31))
def test_peaks_are_equal_for_any_block_size(
    length: int, block: int, channels: int, seed: int
) -> None:
    signal = np.random.default_rng(seed).uniform(-1, 1, (length, channels))
    one, other = built(signal, block), built(signal, length)
    assert np.array_equal(one.points, other.points)
    assert one.frames == length
    assert len(one.points) == -(-length // 256)


def test_peaks_are_the_extremes_of_all_channels() -> None:
    left, right = np.zeros(1024), np.zeros(1024)
    left[10], right[300] = 0.8, -0.4
    found = built(np.stack([left, right], axis=1)).points
    assert found[0].tolist() == [0, 127]
    assert found[1].tolist() == [round(-0.4 / 0.8 * 127), 0]
    assert not found[2:].any()


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 10), st.floats(0.001, 10), st.integers(1, 2000))
def test_a_window_has_the_requested_points_and_the_true_extremes(
    start: float, length: float, points: int
) -> None:
    rng = np.random.default_rng(7)
    signal = rng.uniform(-1, 1, 10 * RATE) * np.linspace(0, 1, 10 * RATE)
    window = built(signal).window(start, start + length, points)
    assert window.shape == (points, 2)
    inside = signal[int(start * RATE) : int((start + length) * RATE)]
    if len(inside):
        assert window[:, 1].max() >= inside.max() - 0.01
        assert window[:, 0].min() <= inside.min() + 0.01
    assert np.abs(window).max() <= 1


def test_a_wide_window_uses_a_coarse_level() -> None:
    found = built(np.random.default_rng(1).uniform(-1, 1, 60 * RATE))
    level, per_point = found.level_for(60, 500)
    assert per_point > 256
    assert 500 <= len(level) < 2500
    assert found.level_for(1, 500)[1] == 256


def test_peaks_survive_packing() -> None:
    found = built(np.random.default_rng(1).uniform(-0.02, 0.02, 100_000), rate=48_000)
    again = Peaks.from_bytes(found.to_bytes())
    assert np.array_equal(found.points, again.points)
    assert (again.scale, again.sample_rate, again.frames, again.base) == pytest.approx(
        (found.scale, 48_000, 100_000, 256)
    )
    assert again.window(0, 1, 10) == pytest.approx(found.window(0, 1, 10))
    assert again.duration == pytest.approx(100_000 / 48_000)


def test_ten_seconds_pack_to_less_than_4_kb() -> None:
    assert len(built(np.random.default_rng(1).uniform(-1, 1, 10 * RATE)).to_bytes()) < 4000


@pytest.mark.parametrize("packed", [b"", b"SPK1", b"x" * 100])
def test_bytes_that_are_not_peaks_are_rejected(packed: bytes) -> None:
    with pytest.raises(ValueError, match="not a packed waveform"):
        Peaks.from_bytes(packed)


def test_a_thumbnail_is_independent_of_gain() -> None:
    time = np.linspace(0, 1, RATE)
    fading = np.sin(2 * np.pi * 100 * time) * (1 - time)
    loud, quiet = built(fading).thumbnail(), built(fading * 0.001).thumbnail()
    assert loud == quiet
    heights = [ALPHABET.index(character) for character in loud]
    assert len(heights) == 48
    assert heights[0] == 63
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] < 5


@pytest.mark.parametrize("signal", [np.zeros(5000), np.zeros(0), np.zeros(1)])
def test_silence_and_empty_signals_have_flat_peaks(signal: np.ndarray) -> None:
    found = built(signal)
    assert found.thumbnail(8) == "AAAAAAAA"
    assert not found.window(0, 1, 5).any()
    assert not Peaks.from_bytes(found.to_bytes()).points.any()


def test_a_long_sound_has_a_coarser_finest_level_and_keeps_every_peak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peaks, "MAX_POINTS", 100)
    signal = np.zeros(256 * 1003)
    signal[256 * 702 + 5] = -0.5
    found = built(signal, 2560)
    assert found.base > 256
    assert len(found.points) <= 110
    seconds = (256 * 702 + 5) / RATE
    assert found.window(seconds - 0.1, seconds + 0.1, 1)[0, 0] == pytest.approx(-0.5)
    assert found.window(0, seconds - 0.5, 1)[0, 0] == 0


def test_peaks_of_a_short_signal_are_exact_to_the_sample() -> None:
    signal = np.array([0.1, -0.2, 0.3, 0.0], np.float32)
    assert compute_peaks(signal, RATE, 4)[:, 0] == pytest.approx(signal)
    assert compute_peaks(signal, RATE, 2).ravel() == pytest.approx([-0.2, 0.1, 0.0, 0.3])
    assert compute_peaks(np.stack([signal, -signal], 1), RATE, 1).ravel() == pytest.approx(
        [-0.3, 0.3]
    )
    assert compute_peaks(signal, RATE, 100).shape == (100, 2)
    assert not compute_peaks(signal[:0], RATE, 3).any()


def test_peaks_of_two_hours_take_less_than_35_mb() -> None:
    """Two hours at 48 kHz, measured in a new process."""
    grown = growth(
        "import numpy as np\nfrom sp404_app.audio.io.peaks import PeaksBuilder\n"
        "block = np.random.default_rng(1).uniform(-1, 1, (65536, 2)).astype('f4')",
        "builder = PeaksBuilder(48000)\n"
        "for _ in range(5270): builder.feed(block)\n"
        "builder.done().to_bytes()",
    )
    assert 0 < grown < 35e6
