"""Tempo and key of all rendered loops are invariant under changes that do not affect the music."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
import soxr

from bench.train_render import render_takes
from sp404_app.audio.features.analysis import Analysis, Kind, analyse, analyse_file
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds
from sp404_app.audio.synth.sequencer import Loop, stack_triad
from sp404_app.audio.synth.tones import bass, electric_piano, organ, pluck
from tests.audio.conftest import RATE, Write

Signal = np.ndarray
LOOPS = [sound for sound in demo_sounds() if sound.kind == "loop"]
TONAL = [sound for sound in LOOPS if sound.key]
by_name = pytest.mark.parametrize("sound", LOOPS, ids=lambda sound: sound.name)


def analysed(signal: Signal, rate: float = RATE) -> Analysis:
    return analyse(np.asarray(signal, np.float32), rate, duration=len(signal) / rate)


def mono(sound: DemoSound) -> Signal:
    return sound.signal.mean(axis=1)


def dithered(y: Signal, bits: int) -> tuple[Signal, int]:
    steps = 2.0 ** (bits - 1)
    rng = np.random.default_rng(1)
    triangle = rng.uniform(-0.5, 0.5, len(y)) + rng.uniform(-0.5, 0.5, len(y))
    return np.round(y * steps + triangle) / steps, RATE


HARMLESS: dict[str, Callable[[Signal], tuple[Signal, int]]] = {
    "as it is": lambda y: (y, RATE),
    "30 dB quieter": lambda y: (y * 10 ** (-30 / 20), RATE),
    "6 dB louder": lambda y: (y * 2, RATE),
    "upside down": lambda y: (-y, RATE),
    "dithered to 16 bits": lambda y: dithered(y, 16),
    "dithered to 12 bits": lambda y: dithered(y, 12),
    "at 48 kHz": lambda y: (soxr.resample(y, RATE, 48_000), 48_000),
    "at 48 kHz and back": lambda y: (
        soxr.resample(soxr.resample(y, RATE, 48_000), 48_000, RATE),
        RATE,
    ),
    "at 22 kHz": lambda y: (soxr.resample(y, RATE, 22_050), 22_050),
}


def agrees(sound: DemoSound, found: Analysis) -> bool:
    near = found.bpm is not None and abs(found.bpm / (sound.bpm or 1) - 1) < 2e-3
    return found.kind is Kind.LOOP and near and found.key == sound.key


@pytest.mark.parametrize("how", HARMLESS)
def test_harmless_changes_keep_tempo_and_key(how: str) -> None:
    assert [
        sound.name for sound in LOOPS if not agrees(sound, analysed(*HARMLESS[how](mono(sound))))
    ] == []


@cache
def rendered() -> list[tuple[Signal, Analysis]]:
    """Return loops with human timing, in random styles, keys and tempi."""
    both = [*render_takes("drums", 10, 40_404), *render_takes("tonal", 8, 40_404)]
    return [(take.signal, analysed(take.signal)) for take in both]


@pytest.mark.parametrize("how", list(HARMLESS)[1:])
def test_harmless_changes_keep_tempo_and_key_of_loops_with_human_timing(how: str) -> None:
    """One borderline case in eighteen may change."""
    moved = 0
    for signal, plain in rendered():
        other = analysed(*HARMLESS[how](signal))
        same = (other.kind, other.key) == (plain.kind, plain.key)
        moved += not (same and other.bpm == pytest.approx(plain.bpm, rel=2e-3))
    assert moved <= 1


@pytest.mark.parametrize("extension", ["flac", "ogg", "mp3"])
def test_codecs_and_swapped_channels_keep_tempo_and_key_of_all_loops(
    write: Write, extension: str
) -> None:
    moved = []
    for sound in LOOPS:
        path = write(f"{len(moved)}.{extension}", sound.signal[:, ::-1])
        found = analyse_file(path, name_hint="").analysis
        moved += [] if agrees(sound, found) else [sound.name]
    assert moved == []


@by_name
def test_a_repeated_loop_keeps_its_kind_and_tempo(sound: DemoSound) -> None:
    found = analysed(np.tile(mono(sound), 2))
    assert found.kind is Kind.LOOP
    assert found.bpm is not None
    assert sound.bpm is not None
    assert found.bpm == pytest.approx(sound.bpm)


@pytest.mark.parametrize("sound", TONAL, ids=lambda sound: sound.name)
def test_a_repeated_loop_keeps_its_key(sound: DemoSound) -> None:
    assert analysed(np.tile(mono(sound), 2)).key == sound.key


SLOWEST = 70  # BPM: listeners usually double slower tempi


@pytest.mark.parametrize("semitones", range(-5, 7))
def test_resampling_changes_tempo_and_key_together(semitones: int) -> None:
    """Playback at 2 ** (n / 12) times the speed is n semitones higher, as on the pads."""
    speed = 2 ** (semitones / 12)
    for sound in TONAL:
        assert sound.key
        assert sound.bpm
        found = analysed(mono(sound), RATE * speed)
        wanted = sound.bpm * speed
        octave = 2 if wanted < SLOWEST and found.bpm and found.bpm > 1.5 * wanted else 1
        assert found.bpm == pytest.approx(octave * wanted, rel=6e-3)
        assert found.key == moved(sound.key, semitones)


def moved(key: str, semitones: int) -> str:
    place = KEYS.index(key)
    return KEYS[place // 12 * 12 + (place + semitones) % 12]


def progressions() -> Iterator[tuple[str, tuple[int, ...], Callable[[float, float], Signal]]]:
    yield "minor", (0, 5, 2, 6), electric_piano
    yield "minor", (0, 3, 4, 0), organ
    yield "major", (0, 4, 5, 3), pluck
    yield "major", (0, 3, 4, 0), electric_piano


@pytest.mark.parametrize("tonic", range(52, 64))
def test_every_progression_is_detected_in_all_twelve_keys(tonic: int) -> None:
    for mode, chords, voice in progressions():
        loop = Loop(90, 16)
        for bar, degree in enumerate(chords):
            chord = stack_triad(tonic, mode, degree - 7 * (degree > 3))
            for note in chord:
                for beat in (0, 1.5, 2.5):
                    loop.hit(voice(note, 1.2 * loop.beat), 4 * bar + beat, 0.4)
            loop.hit(bass(chord[0] - 24 + 12 * (chord[0] < 52), 2.0), 4 * bar, 0.6)
        name = KEYS[tonic % 12 + (12 if mode == "minor" else 0)]
        assert analysed(loop.frames.mean(axis=1)).key == name


@pytest.mark.parametrize("cents", [-40, -15, 0, 20, 45])
def test_detuning_is_measured_in_cents_and_keeps_the_key(cents: int) -> None:
    for sound in TONAL[2:5]:
        found = analysed(mono(sound), RATE * 2 ** (cents / 1200))
        assert found.tuning_cents == pytest.approx(cents, abs=5)
        assert found.key == sound.key


@by_name
def test_a_reversed_loop_keeps_tempo_and_descriptors(sound: DemoSound) -> None:
    plain, found = analysed(mono(sound)), analysed(mono(sound)[::-1])
    assert found.kind is Kind.LOOP
    assert found.bpm is not None
    assert sound.bpm is not None
    octaves = np.log2(found.bpm / sound.bpm)
    assert octaves == pytest.approx(round(octaves), abs=0.01)
    assert found.brightness == pytest.approx(plain.brightness, rel=0.02)
    assert found.noisiness == pytest.approx(plain.noisiness, rel=0.05)
    if plain.key and found.key:
        apart = (KEYS.index(found.key) - KEYS.index(plain.key)) % 12
        assert apart in (0, 2, 5, 7, 9, 10)  # the opening differs, the scale does not


@by_name
def test_one_inverted_channel_keeps_kind_tempo_and_key(write: Write, sound: DemoSound) -> None:
    side = mono(sound)
    found = analyse_file(write("a.wav", np.stack([side, -side], axis=1)), name_hint="").analysis
    assert agrees(sound, found)
