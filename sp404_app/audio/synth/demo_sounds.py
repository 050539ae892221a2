"""The demo library: two dozen synthesised sounds, free of copyright.

New users see them first, and tests use them as ground truth: the tempo and key of each loop are
exact by construction.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sp404_app.audio.synth import drums, tones
from sp404_app.audio.synth.drums import RATE, Signal
from sp404_app.audio.synth.sequencer import Loop, key_name, normalise_peak, scale_notes, stack_triad

SEED: Final = 404


@dataclass(frozen=True, slots=True)
class DemoSound:
    """One sound: `kind` is "loop" or "one_shot", `signal` is float32 (n,) or (n, 2)."""

    name: str
    tags: tuple[str, ...]
    kind: str
    bpm: float | None
    key: str | None
    signal: Signal
    sample_rate: int = RATE


def demo_sounds() -> Iterator[DemoSound]:
    """Yield the demo sounds one at a time, rendered identically on every call."""
    makers = (*drum_loops(), *tonal_loops())
    for number, maker in enumerate(makers):
        yield maker(np.random.default_rng(SEED + number))
    yield from one_shots(np.random.default_rng(SEED - 1))


Maker = Callable[[np.random.Generator], DemoSound]


@dataclass(frozen=True, slots=True)
class Groove:
    """A drum loop as patterns of sixteenths, one bar or more each."""

    name: str
    tags: tuple[str, ...]
    bpm: float
    bars: int
    swing: float
    kick: str
    snare: str
    hat: str
    open_hat: str = "-"
    extra: str = "-"
    pitch: float = 52.0
    space: float = 0.06
    drive: float = 1.4
    clap: bool = False


GROOVES: Final = (
    Groove(
        "Dusty Corner", ("drums", "boom bap"), 86, 2, 0.24,
        kick="X-----x---x-----X-x----x--x-----", snare="----X--.-.--X---",
        hat="x-x-x-x-x-x-x-xo", open_hat="-" * 30 + "o-", space=0.09, drive=1.8,
    ),
    Groove(
        "Rainy Window", ("drums", "lo-fi"), 82, 2, 0.3,
        kick="X------xX---------x-----X-o-----", snare="----x-------x---",
        hat="x-o-x-o-x-o-x-oo", extra="--.---.---.---.-", pitch=48, space=0.12, drive=2.0,
    ),
    Groove(
        "Back Alley", ("drums", "hip-hop"), 94, 2, 0.16,
        kick="X--x----x-X-----X--x---x--X-----", snare="----X-------X--.----X--.----X-.o",
        hat="xoxoxoxoxoxoxoxo", space=0.07,
    ),
    Groove(
        "Four Doors Down", ("drums", "house"), 124, 2, 0.08,
        kick="X---X---X---X---", snare="----x-------x---", hat=".-.-.-.-.-.-.-.o",
        open_hat="--x---x---x---x-", extra="-o--o--o-o--o-o-", clap=True,
    ),
    Groove(
        "Night Bus", ("drums", "garage"), 132, 2, 0.34,
        kick="X---------x-----X-----x---x-----", snare="----X-------X---",
        hat="x-xox-x-x-xox-xo", open_hat="--o---o---o---o-", extra="---o--.----o--.-", clap=True,
    ),
    Groove(
        "Escape Velocity", ("drums", "drum and bass"), 174, 4, 0.0,
        kick="X---------x-----X---------x--o--", snare="----X--.-.--X--.",
        hat="x-x-x-x-x-x-x-x-", extra="o.o.o.o.o.o.o.o.", pitch=58, drive=1.8,
    ),
    Groove(
        "Slow Chrome", ("drums", "trap"), 140, 4, 0.0,
        kick="X-----x-----------x-X-----------", snare="--------X-------",
        hat="x-x-x-x-x-xxx-x-x-x-x-x-x-x-xxxx", open_hat="-" * 14 + "o-", pitch=44, clap=True,
    ),
)  # fmt: skip


def drum_loops() -> list[Maker]:
    """Return one renderer per groove."""
    return [lambda rng, groove=groove: drum_loop(groove, rng) for groove in GROOVES]


def drum_loop(groove: Groove, rng: np.random.Generator) -> DemoSound:
    """Render a groove with a drum kit."""
    loop = Loop(groove.bpm, 4 * groove.bars, groove.swing)
    snares = [drums.snare(rng, 190, 0.12) for _ in range(3)]
    claps = [drums.clap(rng) for _ in range(2)]
    hats = [drums.hat(rng, 0.035 + 0.006 * turn) for turn in range(4)]
    loop.row(groove.kick, [drums.kick(rng, groove.pitch, 0.2)], 1.0)
    loop.row(groove.snare, claps if groove.clap else snares, 0.72)
    loop.row(groove.hat, hats, 0.3, 0.2)
    loop.row(groove.open_hat, [drums.hat(rng, 0.16)], 0.3, 0.25)
    loop.row(groove.extra, [drums.shaker(rng), drums.rim(rng)], 0.22, -0.35)
    signal = loop.mastered(rng, groove.space, groove.drive)
    return DemoSound(groove.name, groove.tags, "loop", groove.bpm, None, signal)


def tonal_loops() -> list[Maker]:
    """Return the renderers of bass lines, chords and melodies."""
    return [
        sub_walk, warehouse_bass, sunday_keys, glass_ceiling, organ_steps,
        kalimba_morning, lantern_arp, last_train,
    ]  # fmt: skip


def tonal(name: str, tag: str, loop: Loop, key: str, rng: np.random.Generator) -> DemoSound:
    """Master a tonal loop and wrap it as a `DemoSound`."""
    signal = loop.mastered(rng, 0.15, 1.1)
    return DemoSound(name, (tag,), "loop", round(60 / loop.beat, 6), key, signal)


def sub_walk(rng: np.random.Generator) -> DemoSound:
    """Render a laid-back bass line in E minor."""
    loop = Loop(86, 8, 0.2)
    line = (
        (0, 0, 0.9), (1.5, 0, 0.4), (2, 2, 0.4), (2.75, 3, 0.2), (3, 4, 0.8), (4, 0, 0.9),
        (5.5, 7, 0.4), (6, 5, 0.4), (6.75, 4, 0.2), (7, 2, 0.4), (7.5, 1, 0.4),
    )  # fmt: skip
    for beat, degree, length in line:
        note = scale_notes(28, "minor", [degree])[0]
        loop.hit(tones.bass(note, length * loop.beat, 0.45), beat, 0.9)
    return tonal("Sub Walk", "bass", loop, "E minor", rng)


def warehouse_bass(rng: np.random.Generator) -> DemoSound:
    """Render an off-beat house bass in A minor."""
    loop = Loop(124, 16)
    roots = (0, 0, 5, 4)
    for beat in range(16):
        root = roots[beat // 4]
        for late, degree, length in ((0.5, root, 0.3), (0.75, root + 7, 0.16)):
            note = scale_notes(33, "minor", [degree - 7 * (root > 3)])[0]
            loop.hit(tones.bass(note, length * loop.beat, 0.7), beat + late, 0.9)
        if beat % 4 == 3:
            loop.hit(tones.bass(scale_notes(33, "minor", [2])[0], 0.2 * loop.beat, 0.7), beat, 0.7)
    return tonal("Warehouse Floor", "bass", loop, "A minor", rng)


def sunday_keys(rng: np.random.Generator) -> DemoSound:
    """Render electric piano chords in C major."""
    loop = Loop(82, 16, 0.2)
    for bar, degree in enumerate((0, 5, 3, 4)):
        chord = stack_triad(
            48, "major", degree - 7 * (degree > 3), (6,) if degree in (0, 3) else ()
        )
        for note in (*chord[1:], chord[0] + 12):
            for beat, length, gain in ((0, 1.4, 0.5), (1.75, 0.2, 0.3), (2.5, 1.2, 0.42)):
                voice = tones.electric_piano(note + 12, length * loop.beat, 0.9)
                loop.hit(
                    voice, 4 * bar + beat, gain * rng.uniform(0.9, 1.0), rng.uniform(-0.3, 0.3)
                )
        root = tones.electric_piano(chord[0], 3 * loop.beat, 0.5)
        loop.hit(root, 4 * bar, 0.55)
    return tonal("Sunday Keys", "chords", loop, "C major", rng)


def glass_ceiling(rng: np.random.Generator) -> DemoSound:
    """Render wide string chords in F sharp minor."""
    loop = Loop(92, 16)
    for bar, degree in enumerate((0, -2, 2, -1)):
        for turn, note in enumerate(stack_triad(54, "minor", degree, (7,))):
            voice = tones.pad(note, 3.9 * loop.beat, 0.55, 0.03)
            loop.hit(voice, 4 * bar, 0.4, (-0.5, 0.5, -0.2, 0.2)[turn])
        loop.hit(
            tones.bass(scale_notes(30, "minor", [degree])[0], 3.6 * loop.beat, 0.3), 4 * bar, 0.5
        )
    return tonal("Glass Ceiling", "chords", loop, "F# minor", rng)


def organ_steps(rng: np.random.Generator) -> DemoSound:
    """Render house organ stabs in D minor."""
    loop = Loop(120, 16, 0.06)
    for bar, degree in enumerate((0, 3, -1, 0)):
        for beat, length in ((0, 0.3), (0.75, 0.2), (1.5, 0.3), (2.5, 0.3), (3.25, 0.2)):
            for note in stack_triad(62, "minor", degree):
                loop.hit(tones.organ(note, length * loop.beat), 4 * bar + beat, 0.4)
            root = scale_notes(38, "minor", [degree])[0]
            loop.hit(tones.organ(root, length * loop.beat), 4 * bar + beat, 0.4)
    return tonal("Organ Steps", "chords", loop, "D minor", rng)


def kalimba_morning(rng: np.random.Generator) -> DemoSound:
    """Render a bright plucked figure in G major."""
    loop = Loop(90, 8, 0.12)
    figure = (0, 4, 7, 9, 8, 7, 4, 2, 0, 4, 5, 7, 6, 4, 1, -3)
    for step, degree in enumerate(figure):
        note = scale_notes(67, "major", [degree])[0]
        loop.hit(
            tones.pluck(note, 0.5, 0.5), step / 2, rng.uniform(0.6, 0.75), rng.uniform(-0.4, 0.4)
        )
    for beat, degree in ((0, 0), (4, -2), (6, -3)):
        loop.hit(tones.pluck(scale_notes(43, "major", [degree])[0], 1.4, 0.4), beat, 0.7)
    return tonal("Kalimba Morning", "melody", loop, "G major", rng)


def lantern_arp(rng: np.random.Generator) -> DemoSound:
    """Render bell arpeggios over a chord sequence in D minor."""
    loop = Loop(96, 16)
    for bar, degree in enumerate((0, 5, 2, 6)):
        chord = stack_triad(62, "minor", degree - 7 * (degree > 4), (7,))
        for step, turn in enumerate((0, 1, 2, 3, 2, 1, 2, 1)):
            voice = tones.bell(chord[turn] + 12, 0.35, 2.0)
            loop.hit(voice, 4 * bar + step / 2, 0.55 if step % 4 else 0.75, rng.uniform(-0.5, 0.5))
        loop.hit(tones.pad(chord[0] - 12, 3.8 * loop.beat, 0.3, 0.05), 4 * bar, 0.4)
    return tonal("Lantern Arp", "melody", loop, "D minor", rng)


def last_train(rng: np.random.Generator) -> DemoSound:
    """Render a lead melody in B minor."""
    loop = Loop(100, 16, 0.1)
    line = ((0, 4, 1), (1, 2, 0.5), (1.5, 0, 1.4), (3, 1, 0.5), (3.5, 2, 0.4), (4, 4, 1.4),
            (5.5, 3, 0.4), (6, 2, 0.9), (7, 0, 0.9), (8, 4, 1), (9, 7, 0.5), (9.5, 6, 1.4),
            (11, 4, 0.5), (11.5, 3, 0.4), (12, 2, 1.4), (13.5, 1, 0.4), (14, 0, 1.8))  # fmt: skip
    for beat, degree, length in line:
        voice = tones.lead(scale_notes(71, "minor", [degree])[0], length * loop.beat, 0.5)
        loop.hit(voice, beat, 0.6)
    for beat in range(0, 16, 2):
        root = scale_notes(47, "minor", [(0, -2, 2, -1)[beat // 4]])[0]
        loop.hit(tones.pluck(root, 0.9, 0.5), beat, 0.5)
    return tonal("Last Train", "melody", loop, "B minor", rng)


def one_shots(rng: np.random.Generator) -> Iterator[DemoSound]:
    """Yield single hits; a key is given for chords."""
    hits: tuple[tuple[str, str, str | None, Signal], ...] = (
        ("Velvet Kick", "kick", None, drums.kick(rng, 50, 0.24)),
        ("Paper Snare", "snare", None, drums.snare(rng, 195, 0.14)),
        ("Studio Clap", "clap", None, drums.clap(rng)),
        ("Tight Hat", "hat", None, drums.hat(rng, 0.045)),
        ("Open Hat", "hat", None, drums.hat(rng, 0.32)),
        ("Low Tom", "tom", None, drums.tom(rng, 96, 0.3)),
        ("Crash", "cymbal", None, drums.cymbal(rng, 0.8)),
        ("Side Stick", "percussion", None, drums.rim(rng)),
        ("Deep 808", "bass", None, tones.eight_oh_eight(31, 0.55)),
        ("Minor Stab", "chord", key_name(57, "minor"), tones.stab((45, 57, 60, 64))),
        ("Tower Bell", "bell", None, tones.bell(76, 1.0)),
        ("Needle Drop", "fx", None, drums.needle(rng)),
    )
    for name, tag, key, signal in hits:
        yield DemoSound(name, (tag, "one-shot"), "one_shot", None, key, normalise_peak(signal))
