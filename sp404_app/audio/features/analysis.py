"""Everything musical about one sound: tempo, key, kind, class, content and likeness."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp import chroma, onset, pitch
from sp404_app.audio.dsp.chroma import Chroma
from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.features import (
    beats,
    filename_hints,
    metadata_fusion,
    silence_trim,
    sound_class,
)
from sp404_app.audio.features import descriptors as contents
from sp404_app.audio.features import key_detection as tonalities
from sp404_app.audio.features.descriptors import Descriptors
from sp404_app.audio.features.file_tags import from_tags
from sp404_app.audio.features.filename_hints import StatedMetadata
from sp404_app.audio.features.key_detection import KeyEstimate
from sp404_app.audio.features.musical_keys import PITCHES, camelot
from sp404_app.audio.features.silence_trim import LoopDecision
from sp404_app.audio.features.sound_class import ClassInputs, SoundClass
from sp404_app.audio.features.survey import Survey, survey
from sp404_app.audio.features.tempo import TempoEstimate
from sp404_app.audio.similarity import embedding

Signal = npt.NDArray[np.float32]

# Raise it with every change that moves results: the library is then analysed again.
ENGINE_VERSION: Final = "5"
MIN_RATE_HZ: Final = 8000
# A key is a suggestion that can be ignored, so it is made on less than even odds of pitch.
MIN_PITCHED_PROBABILITY: Final = 0.15
DRUMS: Final = frozenset(
    {
        SoundClass.KICK,
        SoundClass.SNARE,
        SoundClass.CLAP,
        SoundClass.CLOSED_HAT,
        SoundClass.OPEN_HAT,
        SoundClass.TOM,
        SoundClass.PERCUSSION,
        SoundClass.CYMBAL,
    }
)  # fmt: skip
# A tempo that is less likely than this, even together with its half and double, is only offered.
MIN_TEMPO_PROBABILITY: Final = 0.5
SINGLE_NOTE_SHARE: Final = 0.55  # share of energy in one pitch class, above which it is no chord


class Kind(StrEnum):
    """How a sound is used."""

    LOOP = "loop"
    ONE_SHOT = "one_shot"


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the engine hears in one sound.

    Times are in seconds from the start of the window, tempi in BPM, confidences
    probabilities in 0..1. `bpm` is None for one-shots and where no steady beat can be heard;
    its candidates are listed all the same. `key` is None where there is no pitch. `bpm_source`
    is "file" where the name or a tag states a tempo that the length or the ears confirm;
    `bpm_conflict` says that it states another one; `key_source` and `key_conflict` are the same
    for the key. `root_note` is a MIDI number, for single tonal hits. `likeness` is float32
    (64,), see `audio/similarity/embedding.py`.
    """

    kind: Kind
    kind_confidence: float
    bpm: float | None
    bpm_confidence: float
    bpm_candidates: list[tuple[float, float]]
    bpm_source: str
    bpm_conflict: bool
    stated_bpm: float | None
    beats: list[float]
    downbeat: int
    key: str | None
    key_confidence: float
    key_candidates: list[tuple[str, float]]
    key_source: str
    key_conflict: bool
    stated_key: str | None
    camelot: str | None
    tuning_cents: float | None
    root_note: int | None
    root_name: str | None
    onsets: list[float]
    sound_class: str
    class_confidence: float
    brightness: float
    noisiness: float
    attack: float
    decay: float | None
    seam_click: bool
    likeness: Signal


@dataclass(frozen=True, slots=True)
class Measurements:
    """All measurements of one window, before they are weighed against each other.

    `judged` is what it is taken for, without the silence around it.
    """

    env: OnsetEnvelope
    length: float
    whole: bool
    judged: LoopDecision
    chroma: Chroma | None
    key: KeyEstimate | None
    note: pitch.Pitch | None
    content: Descriptors
    mels: Signal


def analyse(
    window: Signal,
    sr: float,
    *,
    duration: float,
    name_hint: str = "",
    tags: StatedMetadata | None = None,
    whole: bool = False,
) -> Analysis:
    """Analyse a mono window of at most 30 s at `sr` Hz, of a sound lasting `duration` s.

    `whole` says that there is only silence around the window, where it is shorter.
    `name_hint` is the file's name with its folders, `tags` what `tags.from_tags` found: a
    tempo or key written there counts where the sound does not contradict it.
    """
    window, sr = prepare_signal(window, sr)
    heard = measure_window(window, sr, duration, whole=whole)
    return conclude_analysis(
        heard,
        metadata_fusion.merge_stated(
            filename_hints.read_filename_hints(name_hint), tags or StatedMetadata(), duration
        ),
    )


def prepare_signal(window: Signal, sr: float) -> tuple[Signal, float]:
    """Return a usable signal: never empty, no rate below `MIN_RATE`, nothing below hearing."""
    if not len(window):
        window = np.zeros(1, np.float32)
    times = int(np.ceil(MIN_RATE_HZ / sr))
    if times > 1:
        window, sr = np.repeat(window, times), sr * times
    return remove_drift(window, sr), sr


def remove_drift(window: Signal, sr: float) -> Signal:
    """Take off an offset or a swing below hearing where that is most of the signal.

    The means of every 50 ms, joined by lines, are the drift; if less than 3 % of the amplitude
    is left, there was no sound.
    """
    size = max(1, round(0.05 * sr))
    power = float(np.mean(window**2))
    count = max(1, len(window) // size)
    size = min(size, len(window))
    means = window[: count * size].reshape(count, size).mean(axis=1)
    if float(np.mean(means**2)) <= 0.3 * power:
        return window
    centres = (np.arange(count) + 0.5) * size
    left = window - np.interp(np.arange(len(window)), centres, means).astype(np.float32)
    silent = float(np.mean(left**2)) < 0.03**2 * power
    return np.zeros_like(window) if silent else left


def measure_window(
    window: Signal, sr: float, duration: float, *, whole: bool = False
) -> Measurements:
    """Take all measurements."""
    length = len(window) / sr
    if abs(length - duration) < 0.01:
        whole = True
        length = duration if duration > 0 else length
    env = onset.envelope(window, sr)
    judged = silence_trim.decide_loop(env, length, whole=whole)
    found = chroma.compute_chroma(window, sr)
    sings = found is not None and tonalities.pitched_probability(found) >= MIN_PITCHED_PROBABILITY
    return Measurements(
        env=env,
        length=length,
        whole=whole,
        judged=judged,
        chroma=found,
        key=tonalities.estimate_key(found) if found and sings else None,
        note=pitch.estimate_pitch(window, sr) if judged.loop < 0.5 else None,
        content=contents.compute_descriptors(window, sr),
        mels=embedding.mel_patch(window, sr),
    )


def conclude_analysis(heard: Measurements, stated: StatedMetadata) -> Analysis:
    """Weigh the measurements and what is written on the file."""
    part = heard.judged
    loop = metadata_fusion.fuse_loop_probability(part.loop, stated, part.length)
    is_loop = loop >= 0.5
    offered = metadata_fusion.fuse_tempo(part.tempo, stated, part.length) if is_loop else None
    told = (
        offered if offered and octave_family_probability(offered) >= MIN_TEMPO_PROBABILITY else None
    )
    from_file = told is not None and told is not part.tempo
    grid, down = find_beat_grid(heard, told)
    sort, sure = classify_sound(heard)
    key = select_key(heard, is_loop=is_loop, drum=not is_loop and sort in DRUMS)
    settled = metadata_fusion.fuse_key(key, stated, heard.chroma)
    root = metadata_fusion.fuse_root_note(heard.note, stated.root) if not is_loop else None
    return Analysis(
        kind=Kind.LOOP if is_loop else Kind.ONE_SHOT,
        kind_confidence=round(max(loop, 1 - loop), 4),
        bpm=round(told.bpm, 3) if told else None,
        bpm_confidence=round(told.confidence, 4) if told else 0.0,
        bpm_candidates=round_candidates(offered.candidates, 3) if offered else [],
        bpm_source="file" if from_file else "analysis",
        bpm_conflict=bool(is_loop and stated.bpm and stated.sure and not from_file),
        stated_bpm=stated.bpm,
        beats=grid,
        downbeat=down,
        key=settled.name,
        key_confidence=round(settled.confidence, 4),
        key_candidates=[(rival, round(chance, 4)) for rival, chance in key.candidates]
        if key
        else [],
        key_source="file" if settled.from_file else "analysis",
        key_conflict=settled.conflict,
        stated_key=settled.written,
        camelot=camelot(settled.name) if settled.name else None,
        tuning_cents=round(100 * heard.chroma.tuning, 1) if key and heard.chroma else None,
        root_note=root,
        root_name=f"{PITCHES[root % 12]}{root // 12 - 1}" if root is not None else None,
        onsets=[round(float(time), 4) for time in heard.env.times],
        sound_class=sort.value,
        class_confidence=round(sure, 4),
        brightness=round(heard.content.brightness, 1),
        noisiness=round(heard.content.noisiness, 4),
        attack=round(heard.content.attack, 4),
        decay=None if heard.content.decay is None else round(heard.content.decay, 4),
        # The ends of an excerpt are our cut, not the file's.
        seam_click=is_loop and heard.whole and heard.content.seam_click,
        likeness=embedding.embed_sound(heard.mels, heard.env, heard.chroma),
    )


def round_candidates(
    candidates: list[tuple[float, float]], digits: int
) -> list[tuple[float, float]]:
    """Round candidates for storage."""
    return [(round(bpm, digits), round(chance, 4)) for bpm, chance in candidates]


def octave_family_probability(told: TempoEstimate) -> float:
    """Return the probability that a tempo, its half or its double is right."""
    octaves = (0.5, 1, 2)
    return sum(
        chance
        for bpm, chance in told.candidates
        if min(abs(bpm / told.bpm - octave) for octave in octaves) < 0.02
    )


def find_beat_grid(heard: Measurements, told: TempoEstimate | None) -> tuple[list[float], int]:
    """Return the beats and the first downbeat of a loop with a tempo."""
    if told is None:
        return [], 0
    return beats.track_beats(
        heard.env, told.bpm, heard.length, start=told.start, from_ends=told.from_ends
    )


def classify_sound(heard: Measurements) -> tuple[SoundClass, float]:
    """Return the class and its probability."""
    timbre = embedding.timbre_projection()(heard.mels.reshape(1, -1))[0]
    parts = (heard.env, heard.length, heard.content, heard.judged.loop, heard.chroma, heard.note)
    return sound_class.classify(ClassInputs(timbre, *parts))


def select_key(heard: Measurements, *, is_loop: bool, drum: bool) -> KeyEstimate | None:
    """Return the key, but none for a hit or a single note: that has a root, and fits many keys."""
    if heard.key is None or heard.chroma is None or drum:
        return None
    share = float(heard.chroma.pitches.max() / heard.chroma.pitches.sum())
    single = not is_loop and heard.note is not None and share >= SINGLE_NOTE_SHARE
    return None if single else heard.key


@dataclass(frozen=True, slots=True)
class FileAnalysis:
    """Both halves of what is known about a file."""

    survey: Survey
    analysis: Analysis


def analyse_file(path: Path, name_hint: str | None = None) -> FileAnalysis:
    """Survey a file, then analyse its window; its own name is the hint unless one is given.

    Raises:
        BadAudio: If nothing can be decoded.
    """
    measured = survey(path)
    heard = analyse(
        measured.window,
        measured.window_rate,
        duration=measured.duration,
        name_hint="/".join(path.parts[-2:]) if name_hint is None else name_hint,
        tags=from_tags(path),
        whole=measured.whole,
    )
    return FileAnalysis(measured, heard)


def warm_up() -> None:
    """Run everything once, so that the first real file finds tables and code in place."""
    time = np.arange(4 * 44_100) / 44_100
    click = np.sin(2 * np.pi * 220 * time) * np.exp(-(time % 0.5) * 20)
    analyse(click.astype(np.float32), 44_100, duration=4.0)
