"""Chops: at hits, in equal parts, on beats; at zero crossings."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.audio.features.chops import (
    MAX_CHOPS,
    beat_times,
    chop_by_grid,
    chop_by_transients,
    chop_equally,
    nearest_zero_crossing,
)
from tests.audio.conftest import RATE, sine


def hits(
    times: Sequence[float], levels: Sequence[float], seconds: float = 4.0, rate: int = RATE
) -> npt.NDArray[np.float32]:
    """Return decaying tones at the given times."""
    out = np.zeros(round(seconds * rate), np.float32)
    for time, level in zip(times, levels, strict=True):
        start = round(time * rate)
        t = np.arange(min(rate // 4, len(out) - start)) / rate
        out[start : start + len(t)] += level * np.cos(2 * np.pi * 400 * t) * np.exp(-t / 0.03)
    return out.astype(np.float32)


TIMES = (0.0, 0.5, 1.0, 1.37, 2.0, 2.75, 3.2)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
def test_hits_are_found_within_3_ms(rate: int) -> None:
    chops = chop_by_transients(hits(TIMES, [0.8] * 7, rate=rate), rate, 1.0)
    assert len(chops) == len(TIMES)
    assert np.abs(np.array(chops) / rate - TIMES).max() < 0.003


def test_a_chop_is_not_after_the_attack() -> None:
    chops = chop_by_transients(hits(TIMES, [0.8] * 7), RATE, 1.0)
    assert all(chop <= round(time * RATE) for chop, time in zip(chops, TIMES, strict=True))


def test_a_lower_sensitivity_finds_only_strong_hits() -> None:
    levels = [0.9, 0.2, 0.9, 0.2, 0.9, 0.2, 0.9]
    signal = hits(TIMES, levels)
    few, many = (chop_by_transients(signal, RATE, each) for each in (0.0, 1.0))
    assert len(few) < len(many) == 7
    assert set(few) <= set(many)


def test_a_stereo_sound_is_chopped_like_its_mix() -> None:
    signal = hits(TIMES, [0.8] * 7)
    both = np.stack([signal, signal], axis=1)
    assert chop_by_transients(both, RATE) == chop_by_transients(signal, RATE)


def test_at_most_16_chops_are_made_of_the_strongest_hits() -> None:
    times = np.arange(24) * 0.16
    levels = [0.9 if index % 2 else 0.3 for index in range(24)]
    chops = chop_by_transients(hits(times, levels), RATE, 1.0)
    assert len(chops) == MAX_CHOPS
    strong = {round(time * RATE) for time in times[1::2]}
    assert all(any(abs(chop - frame) < 200 for chop in chops) for frame in strong)
    assert len(chop_by_transients(hits(times, levels), RATE, 1.0, maximum=4)) == 4


@pytest.mark.parametrize("signal", [np.zeros(0), np.zeros(9_000), np.ones(1), np.zeros((0, 2))])
def test_a_sound_without_hits_has_one_chop(signal: npt.NDArray) -> None:
    assert chop_by_transients(signal.astype(np.float32), RATE) == [0]


def test_a_sound_of_a_very_low_rate_has_one_chop() -> None:
    assert chop_by_transients(hits(TIMES, [0.8] * 7, rate=4_000), 4_000) == [0]


@given(st.integers(0, 10**9), st.integers(-5, 99))
def test_equal_parts_differ_by_one_frame_at_most(frames: int, parts: int) -> None:
    chops = chop_equally(frames, parts)
    assert chops[0] == 0
    assert len(chops) <= MAX_CHOPS
    assert chops == sorted(set(chops))
    sizes = np.diff([*chops, frames])
    if frames >= MAX_CHOPS:
        assert len(chops) == min(max(parts, 1), MAX_CHOPS)
        assert sizes.max() - sizes.min() <= 1


def test_the_grid_is_on_the_beats() -> None:
    beats = beat_times(120, 4.0, first=0.25)
    assert chop_by_grid(beats, 4 * RATE, RATE) == [
        0, *(round((0.25 + beat / 2) * RATE) for beat in range(8)),
    ]  # fmt: skip


def test_the_first_beat_is_the_start() -> None:
    assert chop_by_grid([0.01, 1.0], 2 * RATE, RATE) == [0, RATE]


def test_a_long_sound_is_chopped_on_every_fourth_beat() -> None:
    chops = chop_by_grid(beat_times(120, 32.0), 32 * RATE, RATE)
    assert chops == [2 * RATE * index for index in range(16)]


def test_beats_outside_the_sound_are_ignored() -> None:
    assert chop_by_grid([-1, 0.5, 99], RATE, RATE) == [0, RATE // 2]


@pytest.mark.parametrize("bpm", [0, -1, float("nan")])
def test_a_tempo_must_be_positive(bpm: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        beat_times(bpm, 1.0)


def test_the_nearest_zero_crossing_is_the_first_frame_after_it() -> None:
    signal = sine(441, 1.0)  # a period of 100 frames
    for frame in (140, 151, 160):
        assert nearest_zero_crossing(signal, frame, 30) in (150, 151)


def test_without_a_crossing_in_reach_the_frame_stays() -> None:
    signal = np.ones(1_000, np.float32)
    assert nearest_zero_crossing(signal, 500, 100) == 500
    assert nearest_zero_crossing(sine(441, 1.0), 125, 10) == 125


@given(st.integers(-10, 2_000), st.integers(0, 50))
def test_a_crossing_is_inside_the_sound_and_in_reach(frame: int, reach: int) -> None:
    signal = sine(2_000, 0.02)
    found = nearest_zero_crossing(signal, frame, reach)
    inside = min(max(frame, 0), len(signal))
    assert 0 <= found <= len(signal)
    assert abs(found - inside) <= reach
