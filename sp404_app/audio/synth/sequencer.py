"""A minimal sequencer that places voices on a circular buffer, so that every loop is seamless."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from sp404_app.audio.synth.drums import RATE, Signal
from sp404_app.audio.synth.tones import add_reverb

PEAK_LEVEL: Final = 10 ** (-1 / 20)  # -1 dBFS
VELOCITY: Final = {"X": 1.0, "x": 0.75, "o": 0.35, ".": 0.16}
MODES: Final = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class Loop:
    """A stereo buffer of exactly `beats` beats at `bpm`; tails wrap around to the start."""

    def __init__(self, bpm: float, beats: float, swing: float = 0.0) -> None:
        self.beat = 60 / bpm
        self.swing = swing  # delay of every second sixteenth, as a fraction of a sixteenth
        self.frames = np.zeros((round(beats * self.beat * RATE), 2), np.float32)

    def hit(self, voice: Signal, beat: float, gain: float = 1.0, pan: float = 0.0) -> None:
        """Add a voice at a time in beats; `pan` is -1 (left) to 1 (right)."""
        sixteenth = beat * 4
        late = self.swing / 4 if abs(sixteenth % 2 - 1) < 0.01 else 0.0
        at = round((beat + late) * self.beat * RATE) % len(self.frames)
        sides = gain * np.array([1 - max(0, pan), 1 + min(0, pan)], np.float32)
        voice = voice[: len(self.frames)]
        first = min(len(voice), len(self.frames) - at)
        self.frames[at : at + first] += voice[:first, None] * sides
        self.frames[: len(voice) - first] += voice[first:, None] * sides

    def row(
        self, pattern: str, voices: Sequence[Signal], gain: float = 1.0, pan: float = 0.0
    ) -> None:
        """Play a pattern of sixteenths: X accent, x hit, o soft, . ghost, - rest.

        A short pattern repeats to the end; several voices alternate (round robin).
        """
        steps = round(len(self.frames) / RATE / self.beat * 4)
        turn = 0
        for step in range(steps):
            level = VELOCITY.get(pattern[step % len(pattern)])
            if level is not None:
                self.hit(voices[turn % len(voices)], step / 4, gain * level, pan)
                turn += 1

    def mastered(self, rng: np.random.Generator, space: float = 0.0, drive: float = 1.0) -> Signal:
        """Return the loop with reverb and saturation, peaking at -1 dBFS."""
        frames = add_reverb(self.frames, rng, 0.7, space) if space else self.frames
        return normalise_peak(np.tanh(drive * frames / max(1e-9, float(np.abs(frames).max()))))


def normalise_peak(signal: Signal) -> Signal:
    """Scale the highest sample to -1 dBFS."""
    return (signal * (PEAK_LEVEL / max(1e-9, float(np.abs(signal).max())))).astype(np.float32)


def scale_notes(tonic: int, mode: str, degrees: Iterable[int]) -> list[int]:
    """Convert scale degrees (0 is the tonic, 7 its octave, negative is down) to MIDI notes."""
    steps = MODES[mode]
    return [tonic + 12 * (degree // 7) + steps[degree % 7] for degree in degrees]


def stack_triad(tonic: int, mode: str, degree: int, extra: Sequence[int] = ()) -> list[int]:
    """Return a triad on a scale degree; `extra` adds scale steps above it, 6 is the seventh."""
    return scale_notes(
        tonic, mode, [degree, degree + 2, degree + 4, *(degree + step for step in extra)]
    )


def key_name(tonic: int, mode: str) -> str:
    """Return the name of a key, with sharps."""
    return f"{NAMES[tonic % 12]} {mode}"
