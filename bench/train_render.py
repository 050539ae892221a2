"""Render loops of known tempo and key for training and evaluation.

Nothing is recorded. A take is reproducible from its seed; sets with different seeds share voices
but no pattern, kit, tempo or key.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from bench.train_hits import one_shot_take, other_take
from bench.train_kit import VOICES, Take, Voice, choose, draw_kit
from bench.train_styles import HATS, MELODIC, PROGRESSIONS, RHYTHMS, STYLES, Style
from sp404_app.audio.synth import drums, tones
from sp404_app.audio.synth.drums import RATE, Signal
from sp404_app.audio.synth.sequencer import Loop, key_name, normalise_peak, scale_notes, stack_triad


class HumanLoop(Loop):
    """A loop with human timing and level variation."""

    def __init__(self, rng: np.random.Generator, bpm: float, beats: float, swing: float) -> None:
        super().__init__(bpm, beats, swing)
        self.rng = rng
        self.played: set[int] = set()
        self.loose = float(rng.choice([0.0, 0.002, 0.006, 0.012], p=[0.4, 0.2, 0.25, 0.15]))
        self.uneven = float(rng.choice([0.0, 0.1, 0.3]))

    def hit(self, voice: Signal, beat: float, gain: float = 1.0, pan: float = 0.0) -> None:
        """Add a voice with random timing and level deviation."""
        late = float(np.clip(self.rng.normal(0, self.loose), -0.03, 0.03)) / self.beat
        swung = self.swing / 4 if abs(beat * 4 % 2 - 1) < 0.01 else 0.0
        gain *= 1 - self.uneven * self.rng.random()
        super().hit(voice, max(0.0, beat + swung + late), gain, pan)

    def note(self, voice: Voice, note: int, held: float, beat: float, gain: float) -> None:
        """Play a note for `held` beats and record its pitch class."""
        self.played.add(note % 12)
        self.hit(voice(note, held * self.beat), beat, gain)


def draw_tempo(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a tempo: whole in nine of ten cases, else fractional."""
    drawn = rng.uniform(low, high)
    return float(round(drawn)) if rng.random() < 0.92 else round(float(drawn), 2)


def draw_length(rng: np.random.Generator, bpm: float) -> tuple[float, str]:
    """Draw a number of beats as in sample packs: 1 to 8 bars, rarely odd."""
    if rng.random() < 0.07:
        return float(rng.choice([3, 5, 6, 7, 10, 12, 14, 20, 24])), "odd"
    beats = float(rng.choice([2, 4, 8, 16, 32], p=[0.03, 0.24, 0.31, 0.32, 0.1]))
    while beats * 60 / bpm > 24:
        beats /= 2
    return beats, "even"


def drum_take(rng: np.random.Generator, style_name: str = "") -> Take:
    """Render a drum loop: a full kit, or only some parts of it."""
    names = list(STYLES)
    weights = np.array([style.weight for style in STYLES.values()])
    name = style_name or names[rng.choice(len(names), p=weights / weights.sum())]
    style = STYLES[name]
    bpm = draw_tempo(rng, style.low, style.high)
    beats, metre = draw_length(rng, bpm)
    loop = HumanLoop(rng, bpm, beats, style.swing * rng.uniform(0, 1.3))
    pieces = draw_kit(rng)
    only = rng.random()
    parts = ("kick", "snare", "hat", "open", "extra")
    if only < 0.22:
        parts = (
            ("hat",),
            ("kick",),
            ("kick", "snare"),
            ("hat", "extra"),
            ("snare",),
            ("extra", "open"),
        )[rng.integers(6)]
    play_style(loop, rng, style, pieces, parts)
    if rng.random() < 0.12:  # with a bass line
        play_bass_line(
            loop, rng, int(rng.integers(26, 40)), "minor", draw_progression(rng, "minor")
        )
    if rng.random() < 0.15 and beats >= 4:
        shuffle_slices(loop, rng)
    return Take(master_take(loop, rng), "loop", f"drums/{name}/{metre}", "break", bpm, None, beats)


def play_style(
    loop: Loop,
    rng: np.random.Generator,
    style: Style,
    pieces: dict[str, list[Signal]],
    parts: tuple[str, ...],
) -> None:
    """Play some parts of a style, with random levels and an occasional fill."""
    rows = {
        "kick": (choose(rng, style.kicks), rng.uniform(0.7, 1.0)),
        "snare": (choose(rng, style.snares), rng.uniform(0.5, 0.9)),
        "hat": (choose(rng, (*style.hats, choose(rng, HATS))), rng.uniform(0.12, 0.5)),
        "open": (choose(rng, ("-", "-", "-" * 14 + "x-", "--x-" * 4)), rng.uniform(0.15, 0.35)),
        "extra": (random_pattern(rng), rng.uniform(0.08, 0.4)),
    }
    changing = {part for part in ("kick", "snare", "hat") if rng.random() < 0.4}
    rate = rng.choice([0.04, 0.15, 0.3])
    for part in parts:
        pattern, gain = rows[part]
        if part in ("extra", "open") and len(parts) > 2 and rng.random() < 0.5:
            continue
        if part in changing:
            options = {"kick": style.kicks, "snare": style.snares, "hat": style.hats}[part]
            bars = [pattern, *(choose(rng, options) for _ in range(3))]
            pattern = "".join(vary_pattern(rng, bar, rate) for bar in bars)
        loop.row(vary_pattern(rng, pattern), pieces[part], gain, rng.uniform(-0.3, 0.3))
    if len(parts) > 2 and rng.random() < 0.25:
        end = round(len(loop.frames) / RATE / loop.beat)
        for step in range(int(rng.integers(2, 8))):
            loop.hit(pieces["snare"][0], max(0, end - 0.25 * (step + 1)), rng.uniform(0.2, 0.6))


def shuffle_slices(loop: Loop, rng: np.random.Generator) -> None:
    """Reorder eighths or quarters of the loop, as users of samplers do with breaks."""
    count = round(len(loop.frames) / RATE / loop.beat * rng.choice([1, 2]))
    edges = np.linspace(0, len(loop.frames), count + 1).astype(int)
    slices = [loop.frames[a:b].copy() for a, b in pairwise(edges)]
    for at in np.flatnonzero(rng.random(count) < rng.uniform(0.1, 0.5)):
        chosen = slices[rng.integers(count)]
        fits = min(len(chosen), len(slices[at]))
        loop.frames[edges[at] : edges[at] + fits] = chosen[:fits]


def vary_pattern(rng: np.random.Generator, pattern: str, rate: float = 0.04) -> str:
    """Drop, soften or add a few hits."""
    marks = ""
    for mark in pattern:
        chance = rng.random()
        if mark == "-":
            marks += "o" if chance < 0.4 * rate else "-"
        else:
            marks += "-" if chance < rate else mark.lower() if chance < 3 * rate else mark
    return marks if marks.strip("-") else pattern


def random_pattern(rng: np.random.Generator) -> str:
    """Draw a percussion pattern."""
    chance = rng.uniform(0.15, 0.5)
    row = "".join("xo."[rng.integers(3)] if rng.random() < chance else "-" for _ in range(16))
    return row if row.strip("-") else "x" + row[1:]


def master_take(loop: Loop, rng: np.random.Generator) -> Signal:
    """Master a loop: reverb, saturation, sometimes a low-pass filter or noise."""
    signal = loop.mastered(rng, rng.choice([0, 0, 0.05, 0.15, 0.3]), rng.uniform(0.8, 2.5))
    if rng.random() < 0.2:
        lid = rng.uniform(2500, 9000)
        signal = np.stack([drums.band_pass(side, 30, lid) for side in signal.T], axis=1)
    if rng.random() < 0.12:
        signal = signal + rng.standard_normal(signal.shape) * 10 ** rng.uniform(-4, -2.2)
    return normalise_peak(np.asarray(signal.mean(axis=1), np.float32))


def tonal_take(rng: np.random.Generator) -> Take:
    """Render a bass line, chords, an arpeggio or a melody in a known key."""
    weights = np.array([weight for *_, weight in MELODIC])
    low, high, _ = MELODIC[rng.choice(len(MELODIC), p=weights / weights.sum())]
    bpm = draw_tempo(rng, low, high)
    beats, metre = draw_length(rng, bpm)
    beats = max(beats, 4.0)
    loop = HumanLoop(rng, bpm, beats, rng.choice([0, 0, 0, 0.15, 0.3]))
    mode = "minor" if rng.random() < 0.65 else "major"
    pitch = int(rng.integers(12))
    what = choose(rng, ("bass", "chords", "chords", "arp", "melody", "full"))
    progression = draw_progression(rng, mode)
    if what in ("chords", "full"):
        play_chords(loop, rng, 48 + pitch, mode, progression)
    if what in ("bass", "full"):
        play_bass_line(loop, rng, 24 + pitch + 12 * (pitch < 6), mode, progression)
    if what == "arp":
        play_arpeggio(loop, rng, 60 + pitch, mode, progression)
    if what == "melody":
        play_melody(loop, rng, 60 + pitch, mode)
    if what == "full":
        style = STYLES[choose(rng, tuple(STYLES))]
        play_style(loop, rng, style, draw_kit(rng), ("kick", "snare", "hat"))
    label = {"bass": "bass", "chords": "chord"}.get(what, "melodic loop")
    # The key is ambiguous with fewer pitch classes, which fit several scales, and for a minor
    # progression that starts on its third, which is a major one.
    starts_home = what == "melody" or progression[0] == 0
    known = starts_home and len(loop.played) >= MIN_PITCH_CLASSES_FOR_KEY and what != "bass"
    key = key_name(pitch, mode) if known else None
    return Take(master_take(loop, rng), "loop", f"tonal/{what}/{metre}", label, bpm, key, beats)


MIN_PITCH_CLASSES_FOR_KEY = 6


def draw_progression(rng: np.random.Generator, mode: str) -> tuple[int, ...]:
    """Draw a progression of scale degrees; one in five does not start on the tonic."""
    chosen = PROGRESSIONS[mode][rng.integers(len(PROGRESSIONS[mode]))]
    turn = int(rng.integers(len(chosen))) if rng.random() < 0.2 else 0
    return chosen[turn:] + chosen[:turn]


def play_chords(
    loop: HumanLoop, rng: np.random.Generator, tonic: int, mode: str, progression: tuple[int, ...]
) -> None:
    """Play a progression with one rhythm per bar."""
    voice = VOICES[choose(rng, ("keys", "pad", "organ", "pluck"))][0]
    rhythm = RHYTHMS[rng.integers(len(RHYTHMS))]
    beats = len(loop.frames) / RATE / loop.beat
    extra = choose(rng, ("", "", "7"))
    bars = max(1, round(beats / 4))
    for bar in range(int(np.ceil(beats / 4))):
        degree = progression[bar * max(1, len(progression) // bars) % len(progression)]
        notes = stack_triad(tonic, mode, degree - 7 * (degree > 3), (6,) if extra else ())
        for beat, held in rhythm:
            if 4 * bar + beat < beats - 0.1:
                for note in (*notes, notes[0] - 12):
                    loop.note(voice, note, held, 4 * bar + beat, 0.4 * rng.uniform(0.8, 1))


def play_bass_line(
    loop: HumanLoop, rng: np.random.Generator, tonic: int, mode: str, progression: tuple[int, ...]
) -> None:
    """Play a bass line: one bar of rhythm, repeated over a progression."""
    beats = len(loop.frames) / RATE / loop.beat
    grid = rng.choice([0.25, 0.5, 0.5, 1.0])
    steps = np.arange(0, 4, grid)
    chosen = [0.0, *[step for step in steps[1:] if rng.random() < (0.75 if grid == 1 else 0.42)]]
    shifts = [0, *[int(rng.choice([0, 0, 0, 7, 4, 2])) for _ in chosen[1:]]]
    for bar in range(int(np.ceil(beats / 4))):
        degree = progression[bar % len(progression)]
        for index, (beat, shift) in enumerate(zip(chosen, shifts, strict=True)):
            end = chosen[index + 1] if index + 1 < len(chosen) else 4.0
            if 4 * bar + beat < beats - 0.1:
                note = scale_notes(tonic, mode, [degree - 7 * (degree > 3) + shift])[0]
                held = max(0.12, (end - beat) * rng.uniform(0.5, 0.95))
                loop.note(tones.bass, note, held, 4 * bar + beat, rng.uniform(0.7, 1.0))


def play_arpeggio(
    loop: HumanLoop, rng: np.random.Generator, tonic: int, mode: str, progression: tuple[int, ...]
) -> None:
    """Play arpeggios in eighths or sixteenths."""
    voice = VOICES[choose(rng, ("keys", "pluck", "lead", "organ"))][0]
    beats = len(loop.frames) / RATE / loop.beat
    step = float(rng.choice([0.25, 0.5, 0.5, 1 / 3]))
    order = rng.permutation(4)
    for number in range(int(beats / step + 0.01)):
        degree = progression[int(number * step // 4) % len(progression)]
        note = stack_triad(tonic, mode, degree - 7 * (degree > 3), (7,))[order[number % 4]]
        loop.note(voice, note, step * 0.9, number * step, rng.uniform(0.5, 0.8))


def play_melody(loop: HumanLoop, rng: np.random.Generator, tonic: int, mode: str) -> None:
    """Play a random walk over the scale with a repeating rhythm, ending on the tonic."""
    voice = VOICES[choose(rng, ("keys", "pluck", "lead"))][0]
    beats = len(loop.frames) / RATE / loop.beat
    values = [0.25, 0.5, 0.5, 1.0, 1.0, 1.5, 2.0]
    phrase: list[float] = []
    while sum(phrase) < 4:
        phrase.append(min(float(rng.choice(values)), 4 - sum(phrase)))
    at, degree, index = 0.0, 0, 0
    while at < beats - 0.05:
        held = phrase[index % len(phrase)]
        home = at % 8 == 0 or at + held >= beats
        degree = (
            0 if home else int(np.clip(degree + rng.choice([-2, -1, -1, 1, 1, 2, 3, -3]), -5, 9))
        )
        if home or rng.random() < 0.9:
            note = scale_notes(tonic, mode, [degree])[0]
            loop.note(voice, note, held * 0.9, at, rng.uniform(0.5, 0.9))
        at, index = at + held, index + 1
    if rng.random() < 0.5:
        for bar in range(int(np.ceil(beats / 4))):
            root = scale_notes(tonic - 24, mode, [(0, -2, 2, -3)[bar % 4]])[0]
            loop.note(tones.pluck, root, 2.0, 4 * bar, 0.5)


MAKERS = {"drums": drum_take, "tonal": tonal_take, "hits": one_shot_take, "other": other_take}


def render_takes(what: str, count: int, seed: int) -> Iterator[Take]:
    """Render `count` sounds of one sort, each with its own seed."""
    for number in range(count):
        yield MAKERS[what](np.random.default_rng([seed, number, list(MAKERS).index(what)]))
