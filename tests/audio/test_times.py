"""Onsets, beats and downbeats of rendered sounds with known times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sp404_app.audio.dsp import onset
from sp404_app.audio.features import beats, tempo
from sp404_app.audio.features.analysis import Analysis, Kind, analyse
from sp404_app.audio.synth import drums
from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds
from sp404_app.audio.synth.sequencer import Loop
from tests.audio.conftest import RATE

HOP = 1 / onset.FPS
Signal = np.ndarray
DRUMS = [sound for sound in demo_sounds() if sound.kind == "loop" and "drums" in sound.tags]


def analysed(signal: Signal, rate: float = RATE) -> Analysis:
    return analyse(signal.astype(np.float32), rate, duration=len(signal) / rate)


def clicks(times: list[float], seconds: float, rate: int) -> Signal:
    signal = np.zeros(round(seconds * rate), np.float32)
    for time in times:
        signal[round(time * rate) :][:40] = 0.7
    return signal


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(6, 290), min_size=1, max_size=12, unique_by=lambda at: at // 6),
    st.sampled_from([22_050, 44_100, 48_000]),
)
def test_onsets_of_clicks_are_exact_to_one_frame(hundredths: list[int], rate: int) -> None:
    times = sorted(at / 100 for at in hundredths if at % 6 < 3)  # at least 40 ms apart
    found = onset.onset_strength(clicks(times, 3.0, rate), rate).times
    assert found == pytest.approx(times, abs=HOP + 1e-6)


def groove(bpm: float, bars: int = 2) -> Signal:
    """Render a drum loop with snares on two and four, and the loudest kick on one."""
    rng = np.random.default_rng(3)
    loop = Loop(bpm, 4 * bars)
    loop.row("X-----------o---", [drums.kick(rng, 50, 0.2)], 1.0)
    loop.row("----X-------X---", [drums.snare(rng, 190, 0.12)], 0.6)
    loop.row("x-x-x-x-x-x-x-x-", [drums.hat(rng, 0.04)], 0.3)
    return loop.mastered(rng).mean(axis=1)


@pytest.mark.parametrize("bpm", [70, 86, 97, 110, 128, 143])
def test_beats_are_on_the_rendered_grid(bpm: float) -> None:
    found = analysed(groove(bpm))
    assert found.bpm == pytest.approx(bpm)
    assert found.beats == pytest.approx(np.arange(8) * 60 / bpm, abs=2 * HOP)
    assert found.downbeat == 0


@pytest.mark.parametrize("quiet", [0.4, 1.1, 2.3, 3.2])
@pytest.mark.parametrize("sound", DRUMS, ids=lambda sound: sound.name)
def test_leading_silence_shifts_the_downbeat(sound: DemoSound, quiet: float) -> None:
    assert sound.bpm is not None
    beat = 60 / sound.bpm
    before = np.zeros(round(quiet * beat * RATE))
    found = analysed(np.concatenate([before, sound.signal.mean(axis=1)]))
    assert found.bpm == pytest.approx(sound.bpm, rel=1e-3)
    first = found.beats[found.downbeat] - quiet * beat
    assert first == pytest.approx(4 * beat * round(first / (4 * beat)), abs=4 * HOP)


def test_a_loop_of_two_beats_has_downbeat_0() -> None:
    loop = Loop(90, 2)
    loop.row("X-x-o-x-", [drums.kick(np.random.default_rng(1))])
    envelope = onset.onset_strength(loop.frames.mean(axis=1), RATE)
    found, down = beats.track_beats(envelope, 90, 2 * 60 / 90, start=0.0, from_ends=True)
    assert found == pytest.approx([0, 60 / 90], abs=2 * HOP)
    assert down == 0


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.3, 4.0])
def test_silence_of_any_length_has_neither_onsets_nor_tempo(seconds: float) -> None:
    envelope = onset.onset_strength(np.zeros(max(1, round(seconds * RATE)), np.float32), RATE)
    assert not len(envelope.onsets)
    assert tempo.estimate_tempo(envelope, max(seconds, 1e-4)) is None


@pytest.mark.parametrize("bpm", [60, 75, 90.5, 101, 120, 139.25, 160, 174])
def test_an_imprecise_cut_keeps_the_tempo(bpm: float) -> None:
    """Half a second too long: no number of beats fits the length."""
    y = groove(bpm, 4)
    found = analysed(np.concatenate([y, y[: RATE // 2]]))
    assert found.kind is Kind.LOOP
    octave = found.bpm / bpm if found.bpm else 0
    assert min(abs(octave - 1), abs(octave - 0.5), abs(octave - 2)) < 0.01


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 0.98), min_size=1, max_size=5), st.floats(0.08, 1.5), st.booleans()
)  # fmt: skip
def test_short_sounds_with_few_onsets_have_a_tempo_in_range_or_none(
    places: list[float], seconds: float, whole: bool
) -> None:
    rate = 22_050
    signal = np.random.default_rng(1).normal(0, 1e-3, round(seconds * rate)).astype(np.float32)
    for place in places:
        signal[round(place * len(signal)) :][:60] += 0.5
    found = tempo.estimate_tempo(onset.onset_strength(signal, rate), seconds, whole=whole)
    if found is not None:
        assert 49 <= found.bpm <= 216
        assert found.candidates[0] == (found.bpm, found.confidence)
        chances = [chance for _, chance in found.candidates]
        assert min(chances) >= 0
        assert sum(chances) <= 1 + 1e-6
