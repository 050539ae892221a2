"""Silence before and after a sound does not change its kind and tempo."""

from collections.abc import Iterator

import numpy as np
import pytest

from sp404_app.audio.features.analysis import Analysis, Kind, analyse, analyse_file
from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds
from tests.audio.conftest import RATE, Write

PADDING = [(0.0, 0.1), (0.0, 0.25), (0.0, 1.0), (0.05, 0.0), (0.25, 0.0), (0.3, 0.5)]


@pytest.fixture(scope="module")
def sounds() -> dict[str, list[DemoSound]]:
    found = list(demo_sounds())
    return {kind: [sound for sound in found if sound.kind == kind] for kind in ("loop", "one_shot")}


def mono(sound: DemoSound) -> np.ndarray:
    signal = np.asarray(sound.signal, np.float32)
    return signal if signal.ndim == 1 else np.ascontiguousarray(signal.mean(axis=1))


def padded(signal: np.ndarray, head: float, tail: float, hiss: float = 0.0) -> np.ndarray:
    out = np.pad(signal, (round(head * RATE), round(tail * RATE)))
    noise = np.random.default_rng(1).standard_normal(len(out)) * hiss * np.abs(signal).max()
    return (out + noise).astype(np.float32)


def analysed(signal: np.ndarray, name: str = "") -> Analysis:
    return analyse(signal, RATE, duration=len(signal) / RATE, name_hint=name)


def pairs(
    sounds: list[DemoSound], head: float, tail: float, hiss: float = 0.0
) -> Iterator[tuple[DemoSound, Analysis, Analysis]]:
    for sound in sounds:
        assert sound.sample_rate == RATE
        yield sound, analysed(mono(sound)), analysed(padded(mono(sound), head, tail, hiss))


@pytest.mark.parametrize(("head", "tail"), PADDING)
def test_padding_keeps_the_kind_and_tempo_of_loops(
    sounds: dict[str, list[DemoSound]], head: float, tail: float
) -> None:
    kept = [
        (after.kind is Kind.LOOP, after.bpm == pytest.approx(before.bpm, abs=0.5))
        for _, before, after in pairs(sounds["loop"], head, tail)
        if before.kind is Kind.LOOP and before.bpm
    ]
    assert len(kept) >= 10
    assert np.mean([is_loop for is_loop, _ in kept]) >= 0.9
    assert np.mean([same for _, same in kept]) >= 0.8


def test_hiss_after_a_loop_counts_as_silence(sounds: dict[str, list[DemoSound]]) -> None:
    kinds = [after.kind for _, _, after in pairs(sounds["loop"], 0.0, 0.5, 1e-4)]
    assert kinds.count(Kind.LOOP) >= 0.9 * len(kinds)


@pytest.mark.parametrize(("head", "tail"), PADDING)
def test_padding_keeps_the_kind_of_one_shots(
    sounds: dict[str, list[DemoSound]], head: float, tail: float
) -> None:
    for sound, before, after in pairs(sounds["one_shot"], head, tail):
        assert after.kind is before.kind, sound.name


def test_a_stated_tempo_is_confirmed_by_the_length_without_silence(
    sounds: dict[str, list[DemoSound]],
) -> None:
    loop = next(sound for sound in sounds["loop"] if sound.bpm)
    found = analysed(padded(mono(loop), 0, 1.0), f"Break {loop.bpm:g}bpm.wav")
    assert (found.kind, found.bpm, found.bpm_conflict) == (Kind.LOOP, loop.bpm, False)


def test_beat_times_are_relative_to_the_start_of_the_file(
    sounds: dict[str, list[DemoSound]],
) -> None:
    loop = next(sound for sound in sounds["loop"] if "Four Doors" in sound.name)
    before, after = analysed(mono(loop)), analysed(padded(mono(loop), 0.25, 0.0))
    assert after.bpm == before.bpm
    shifted = {round(time + 0.25, 2) for time in before.beats}
    near = [min(abs(time - other) for other in shifted) for time in after.beats]
    assert np.median(near) < 0.02
    assert min(after.beats) >= 0
    assert max(after.beats) < len(mono(loop)) / RATE + 0.25


def test_silence_is_no_loop() -> None:
    found = analysed(np.zeros(3 * RATE, np.float32))
    assert (found.kind, found.bpm, found.beats) == (Kind.ONE_SHOT, None, [])


@pytest.mark.parametrize(("head", "tail"), [(0.0, 40.0), (40.0, 0.0), (15.0, 25.0)])
def test_a_loop_within_long_silence_is_a_loop(
    write: Write, sounds: dict[str, list[DemoSound]], head: float, tail: float
) -> None:
    loop = mono(next(sound for sound in sounds["loop"] if analysed(mono(sound)).bpm))
    found = analyse_file(write("a.wav", padded(loop, head, tail)), "")
    assert found.survey.whole
    assert found.analysis.kind is Kind.LOOP
    assert found.analysis.bpm == pytest.approx(analysed(loop).bpm, abs=0.5)
