"""Render single hits and notes, and sounds that are neither hits nor loops."""

import numpy as np

from bench.train_kit import VOICES, Take, choose, draw_percussion
from sp404_app.audio.synth import drums, tones
from sp404_app.audio.synth.drums import RATE, Signal
from sp404_app.audio.synth.sequencer import normalise_peak, stack_triad


def one_shot_take(rng: np.random.Generator) -> Take:
    """Render a single hit or note."""
    makers = {
        "kick": lambda: drums.kick(
            rng, rng.uniform(38, 80), rng.uniform(0.05, 0.6), rng.uniform(0.02, 1)
        ),
        "snare": lambda: drums.snare(
            rng, rng.uniform(140, 300), rng.uniform(0.04, 0.3), rng.uniform(0.2, 1.6)
        ),
        "clap": lambda: drums.clap(rng, rng.uniform(0.04, 0.3), rng.uniform(700, 1800)),
        "closed hat": lambda: drums.hat(
            rng, rng.uniform(0.012, 0.07), rng.uniform(1, 2.4), rng.uniform(0.1, 1.5)
        ),
        "open hat": lambda: drums.hat(
            rng, rng.uniform(0.12, 0.6), rng.uniform(1, 2.4), rng.uniform(0.1, 1.5)
        ),
        "tom": lambda: drums.tom(rng, rng.uniform(60, 260), rng.uniform(0.1, 0.5)),
        "percussion": lambda: draw_percussion(rng),
        "cymbal": lambda: drums.cymbal(rng, rng.uniform(0.5, 1.6), rng.uniform(0.9, 1.8)),
        "bass": lambda: (
            tones.bass(rng.integers(24, 46), rng.uniform(0.2, 2.5), rng.uniform(0.2, 0.9))
            if rng.random() < 0.5
            else tones.eight_oh_eight(
                rng.integers(24, 44), rng.uniform(0.2, 1.1), rng.uniform(1, 3)
            )
        ),
        "chord": lambda: play_notes(
            rng, stack_triad(int(rng.integers(44, 66)), "minor", int(rng.integers(7)))
        ),
        "lead": lambda: play_notes(rng, [int(rng.integers(50, 86))]),
        "fx": lambda: make_effect(rng),
    }
    label = choose(rng, tuple(makers))
    signal = makers[label]()
    if rng.random() < 0.4:
        signal = alter_hit(signal, rng)
    if rng.random() < 0.3:
        quiet = np.zeros(int(RATE * rng.uniform(0, 0.3)), np.float32)
        signal = np.concatenate([signal, quiet])
    return Take(normalise_peak(signal), "one_shot", f"hit/{label}", label)


def play_notes(rng: np.random.Generator, notes: list[int]) -> Signal:
    """Render notes together on a random instrument."""
    name = choose(rng, ("keys", "pluck", "lead", "organ", "pad", "bell"))
    seconds = rng.uniform(0.15, 4.0)
    if name == "bell":
        decay = rng.uniform(0.2, 1.6)
        voices = [tones.bell(note, decay, rng.uniform(1.2, 5)) for note in notes]
    else:
        voices = [VOICES[name][0](note, seconds) for note in notes]
    return np.sum(voices, axis=0)


def make_effect(rng: np.random.Generator) -> Signal:
    """Render a sweep, zap, burst, drone or vinyl crackle."""
    t = drums.time_axis(rng.uniform(0.2, 6))
    done = t / t[-1]
    start, end = np.exp(rng.uniform(np.log(80), np.log(6000), 2))
    phase = 2 * np.pi * np.cumsum(start * (end / start) ** done) / RATE
    shape = (np.exp(-3 * done), done**2, np.sin(np.pi * done))[rng.integers(3)]
    noise = rng.standard_normal(len(t))
    return drums.normalise_and_fade(
        [
            lambda: np.sin(phase) * shape,
            lambda: noise * shape,
            lambda: np.sign(np.sin(phase)) * shape * 0.5 + 0.3 * noise * shape,
            lambda: drums.band_pass(noise, start * 0.7, start * 1.6) * shape,
            lambda: drums.vinyl(rng, float(t[-1])),
            lambda: tones.pad(float(rng.uniform(30, 60)), float(t[-1]), 0.5, 0.5),
        ][rng.integers(6)]()
    )


def alter_hit(signal: Signal, rng: np.random.Generator) -> Signal:
    """Add reverb, filter, or shorten a hit."""
    choice = rng.integers(3)
    if choice == 0:
        long = np.pad(signal, (0, int(RATE * rng.uniform(0.2, 1.2))))
        return drums.normalise_and_fade(
            tones.add_reverb(long, rng, rng.uniform(0.2, 1.0), rng.uniform(0.1, 0.5))
        )
    if choice == 1:
        return drums.normalise_and_fade(
            drums.band_pass(signal, rng.uniform(20, 120), rng.uniform(1500, 9000))
        )
    return drums.normalise_and_fade(
        signal[: max(400, int(len(signal) * rng.uniform(0.3, 0.9)))].copy()
    )


def other_take(rng: np.random.Generator) -> Take:
    """Render neither hit nor loop: drones, noise, free playing, field recordings, speech."""
    makers = {
        "drone": lambda: make_drone(rng),
        "noise": lambda: rng.standard_normal(int(RATE * rng.uniform(0.5, 20))),
        "tone": lambda: np.sin(
            2 * np.pi * np.exp(rng.uniform(0, 9.8)) * drums.time_axis(rng.uniform(0.5, 15))
        ),
        "free": lambda: play_rubato(rng),
        "weather": lambda: make_weather(rng),
        "babble": lambda: make_babble(rng),
        "crackle": lambda: drums.vinyl(rng, rng.uniform(1, 12)),
    }
    label = choose(rng, tuple(makers))
    signal = normalise_peak(np.asarray(makers[label](), np.float32))
    return Take(signal, "one_shot", f"other/{label}", "fx")


def make_drone(rng: np.random.Generator) -> Signal:
    """Render a chord held for many seconds with slow amplitude modulation."""
    seconds = rng.uniform(4, 16)
    notes = stack_triad(int(rng.integers(36, 60)), "minor", 0)[: rng.integers(1, 4)]
    name = choose(rng, ("organ", "pad", "lead", "keys"))
    voice = np.sum([VOICES[name][0](note, seconds) for note in notes], axis=0)
    t = np.arange(len(voice)) / RATE
    swell = 1 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.05, 0.4) * t + rng.uniform(0, 6))
    return drums.normalise_and_fade(voice * swell * np.minimum(1, t / rng.uniform(0.01, 2)))


def play_rubato(rng: np.random.Generator) -> Signal:
    """Render notes without a steady pulse."""
    seconds = rng.uniform(4, 16)
    out = np.zeros(int(RATE * (seconds + 4)), np.float32)
    voice, low, high = VOICES[choose(rng, ("keys", "pluck", "lead", "organ"))]
    at = 0.0
    while at < seconds:
        held = float(np.exp(rng.normal(-0.7, 0.7)))
        note = voice(int(rng.integers(low, high)), min(held * 1.3, 3))
        start = int(at * RATE)
        out[start : start + len(note)] += note[: len(out) - start] * rng.uniform(0.2, 1)
        at += held
    return out[: int(seconds * RATE)]


def make_weather(rng: np.random.Generator) -> Signal:
    """Render a field recording: coloured noise with gusts and occasional knocks."""
    t = drums.time_axis(rng.uniform(3, 20))
    low = np.exp(rng.uniform(4, 8))
    wind = drums.band_pass(rng.standard_normal(len(t)), low, low * rng.uniform(1.5, 8))
    gusts = np.interp(t, np.linspace(0, t[-1], 24), np.exp(rng.normal(0, 0.6, 24)))
    out = wind / np.abs(wind).max() * gusts
    for start in rng.uniform(0, t[-1], int(rng.integers(0, 12))):
        knock = draw_percussion(rng)[: len(t) - int(start * RATE)]
        out[int(start * RATE) : int(start * RATE) + len(knock)] += knock * rng.uniform(0.2, 2)
    return out


def make_babble(rng: np.random.Generator) -> Signal:
    """Render a speech-like sound: syllables through moving formants, irregular in time."""
    pieces = []
    base = rng.uniform(85, 240)
    for _ in range(int(rng.integers(6, 40))):
        t = drums.time_axis(float(np.clip(rng.lognormal(-1.9, 0.4), 0.05, 0.5)))
        pitch = base * np.exp(rng.normal(0, 0.12)) * (1 - 0.15 * t / t[-1])
        buzz = 2 * (np.cumsum(pitch) / RATE % 1) - 1
        vowel = sum(
            drums.band_pass(buzz, formant * 0.85, formant * 1.15) * fall
            for formant, fall in zip(
                (rng.uniform(280, 800), rng.uniform(900, 2300), 2700), (1, 0.6, 0.2), strict=True
            )
        )
        hiss = drums.band_pass(rng.standard_normal(len(t)), 3500, 9000) * (rng.random() < 0.3) * 0.1
        pieces.append((vowel + hiss) * np.sqrt(np.maximum(0, np.sin(np.pi * t / t[-1]))))
        pieces.append(np.zeros(int(RATE * rng.exponential(0.07 if rng.random() < 0.85 else 0.5))))
    return np.concatenate(pieces)
