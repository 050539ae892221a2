"""Levels of signals with known values: the cases of EBU Tech 3341, and arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sp404_app.audio.dsp.loudness import LoudnessMeter
from sp404_app.audio.dsp.true_peak import TruePeakMeter
from sp404_app.audio.features.survey import LevelMeter, survey_file
from sp404_app.audio.io.header import Header
from tests.audio.conftest import RATE, Write, sine

Signal = np.ndarray


def decibels(value: float) -> float:
    return 20 * np.log10(value)


def integrated(parts: list[tuple[float, float]], rate: int = 48_000) -> float | None:
    """Measure spans of a stereo 1 kHz sine, each with a level in dBFS and a duration in seconds."""
    meter = LoudnessMeter(rate, 2)
    for level, seconds in parts:
        tone = sine(1000, seconds, 10 ** (level / 20), rate)
        meter.feed(np.stack([tone, tone]))
    return meter.integrated()


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
)
def test_loudness_gating_matches_ebu_tech_3341(
    parts: list[tuple[float, float]], lufs: float
) -> None:
    """EBU Tech 3341, cases 1 to 5, with a tolerance of 0.1 LU."""
    assert integrated(parts) == pytest.approx(lufs, abs=0.1)


def test_sounds_below_the_absolute_gate_have_no_loudness() -> None:
    assert integrated([(-71, 3)]) is None
    assert integrated([(-69, 3)]) == pytest.approx(-69, abs=0.1)


@settings(max_examples=20, deadline=None)
@given(st.floats(-40, 12), st.sampled_from([8000, 22_050, 44_100, 48_000, 96_000]))
def test_gain_changes_loudness_by_the_same_amount(gain: float, rate: int) -> None:
    plain, moved = integrated([(-18, 1)], rate), integrated([(-18 + gain, 1)], rate)
    assert plain is not None
    assert moved == pytest.approx(plain + gain, abs=0.01)


def peak_between(planes: Signal, block: int = 1 << 16) -> float:
    """Return the true peak of planes (channels, frames), fed block by block."""
    planes = np.atleast_2d(planes).astype(np.float32)
    meter = TruePeakMeter(len(planes))
    for at in range(0, planes.shape[1], block):
        part = planes[:, at : at + block]
        meter.feed(part, np.abs(part).max(axis=0))
    return meter.linear_peak()


@pytest.mark.parametrize(
    ("divisor", "degrees", "amplitude", "dbtp"),
    [
        (4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0),
        (4, 45, 1.41, 3.0),
    ],
)  # fmt: skip
def test_true_peaks_of_tones_match_ebu_tech_3341(
    divisor: int, degrees: float, amplitude: float, dbtp: float
) -> None:
    """EBU Tech 3341, cases 15 to 19, with a tolerance of +0.2 and -0.4 dB."""
    n = np.arange(48_000)
    tone = amplitude * np.sin(2 * np.pi * n / divisor + np.radians(degrees))
    shaped = tone * np.interp(n, [0, 480, 47_520, 48_000], [0, 1, 1, 0])
    assert dbtp - 0.4 < decibels(peak_between(shaped)) < dbtp + 0.2


@pytest.mark.parametrize("frames", [2, 63, 64, 65, 700, 5000])
@pytest.mark.parametrize("block", [1, 64, 100, 10_000])
def test_two_equal_samples_have_a_true_peak_of_four_over_pi_at_any_position(
    frames: int, block: int
) -> None:
    """Halfway between them both sinc functions are 2 / pi; tested at the ends and across blocks."""
    for at in {0, frames // 2 - 1, frames - 2}:
        signal = np.zeros(frames)
        signal[at : at + 2] = 0.6
        assert peak_between(signal, block) == pytest.approx(0.6 * 4 / np.pi, rel=0.01)


def test_a_true_peak_is_found_beside_a_higher_single_sample() -> None:
    """The highest sample is isolated; two adjacent lower ones have a higher true peak."""
    signal = np.zeros((1, 20_000))
    signal[0, 3000] = 0.9
    signal[0, 12_000:12_002] = 0.8
    assert peak_between(signal) == pytest.approx(0.8 * 4 / np.pi, rel=0.01)


def test_the_true_peak_of_silence_is_none_and_of_one_sample_its_value(write: Write) -> None:
    assert peak_between(np.zeros(1000)) == 0
    assert survey_file(write("a.wav", np.zeros(1000))).true_peak_dbtp is None
    assert survey_file(write("b.wav", np.array([0.5]))).true_peak_dbtp == pytest.approx(
        -6.02, abs=0.005
    )


def levels(planes: Signal, block: int = 1 << 16) -> LevelMeter:
    planes = np.atleast_2d(planes).astype(np.float32)
    found = LevelMeter(Header(1.0, planes.shape[1], RATE, len(planes), "WAV 16-bit"))
    for at in range(0, planes.shape[1], block):
        found.feed(planes[:, at : at + block])
    return found


@pytest.mark.parametrize("block", [1, 2, 3, 5, 100])
def test_three_consecutive_full_scale_samples_are_clipping_for_any_block_size(block: int) -> None:
    for at in range(7):
        signal = np.zeros(12)
        signal[at : at + 2] = -1.0
        assert levels(signal, block).clips == 0
        signal[at + 2] = -1.0
        assert levels(signal, block).clips == 1


def test_full_scale_samples_in_different_channels_are_not_clipping() -> None:
    assert levels(np.eye(3)).clips == 0
    assert levels(np.stack([np.ones(3), np.zeros(3)])).clips == 1


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4000), st.integers(1, 3), st.integers(1, 500), st.integers(0, 2**31),
    st.booleans(),
)  # fmt: skip
def test_levels_are_equal_for_any_block_size(
    frames: int, channels: int, block: int, seed: int, same: bool
) -> None:
    rng = np.random.default_rng(seed)
    planes = rng.uniform(-1.2, 1.2, (channels, frames)) * (rng.random(frames) < 0.3)
    planes[:] = planes[:1] if same else planes
    one, other = levels(planes, block), levels(planes)
    for field in ("peak", "clips", "head", "tail", "dual_mono", "frames"):
        assert getattr(one, field) == getattr(other, field)
    assert one.sums == pytest.approx(other.sums, abs=1e-3)
    assert other.dual_mono == (channels == 2 and np.array_equal(*planes[[0, -1]]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3000), st.integers(1, 3000), st.integers(0, 3000), st.floats(1.1e-4, 1))
def test_silence_at_both_ends_is_exact_to_the_sample(
    head: int, sounding: int, tail: int, level: float
) -> None:
    signal = np.concatenate([np.zeros(head), np.full(sounding, level), np.zeros(tail)])
    noise = np.random.default_rng(1).uniform(-0.9e-4, 0.9e-4, len(signal))  # below -80 dBFS
    found = levels(np.where(signal > 0, signal, noise), 700)
    assert (found.head * RATE, found.tail * RATE) == pytest.approx((head, tail))


def test_a_dc_offset_in_one_channel_is_measured(write: Write) -> None:
    tone = sine(441, 1.0, 0.3)
    assert survey_file(write("a.wav", np.stack([tone, tone - 0.15], 1))).dc_offset == pytest.approx(
        0.15, abs=1e-4
    )
    assert survey_file(write("b.wav", tone)).dc_offset == pytest.approx(0, abs=1e-4)


def test_dual_mono_is_two_equal_channels_and_nothing_else(write: Write) -> None:
    tone = sine(441, 0.2)
    other = tone.copy()
    other[-1] += 0.01
    claims = {
        "mono": (tone, False),
        "dual": (np.stack([tone, tone], 1), True),
        "stereo": (np.stack([tone, other], 1), False),
        "upside down": (np.stack([tone, -tone], 1), False),
        "four": (np.stack([tone] * 4, 1), False),
    }
    for name, (signal, dual) in claims.items():
        assert survey_file(write(f"{name}.wav", signal)).dual_mono is dual
