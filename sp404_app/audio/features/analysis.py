"""Musical analysis of one sound: kind, tempo, beats, key, class, descriptors and embedding."""

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
    descriptors,
    filename_hints,
    key_detection,
    metadata_fusion,
    silence_trim,
    sound_class,
)
from sp404_app.audio.features.descriptors import Descriptors
from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.features.filename_hints import StatedMetadata
from sp404_app.audio.features.key_detection import KeyEstimate
from sp404_app.audio.features.musical_keys import PITCHES, camelot
from sp404_app.audio.features.silence_trim import LoopDecision
from sp404_app.audio.features.sound_class import ClassInputs, SoundClass
from sp404_app.audio.features.survey import Survey, survey_file
from sp404_app.audio.features.tempo import TempoEstimate
from sp404_app.audio.similarity import embedding

Signal = npt.NDArray[np.float32]

# Increase it with every change that affects results; samples are then analysed again.
ENGINE_VERSION: Final = "8"
MIN_RATE_HZ: Final = 8000
# Low on purpose: a key is a suggestion that users can ignore.
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
# A tempo that is less likely than this, together with its half and double, is only a candidate.
MIN_TEMPO_PROBABILITY: Final = 0.5
# A one-shot that may be a loop keeps its tempo candidates, so that a person can choose one.
MIN_LOOP_FOR_CANDIDATES: Final = 0.05
SINGLE_NOTE_SHARE: Final = 0.55  # of the energy in one pitch class: above it, the sound is no chord


class Kind(StrEnum):
    """How a sound is used."""

    LOOP = "loop"
    ONE_SHOT = "one_shot"


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of analysing one sound.

    Times are in seconds from the start of the window, tempi in BPM, confidences are
    probabilities in 0..1. `bpm` is None for one-shots and where no tempo is likely enough;
    `bpm_candidates` are listed for loops, for one-shots that may be loops, and where the name or a
    tag states a tempo, which is always among them. `key` is None where there is no pitch.
    `bpm_source` is "file" if the name or a tag states a tempo that the length or signal confirms,
    `bpm_conflict` is set if it states a different one; `key_source` and `key_conflict` are the
    same for the key. `root_note` is a MIDI number, for tonal one-shots. `likeness` is the
    embedding, float32 (64,), see `audio/similarity/embedding.py`.
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
    """All measurements of one window, before they are combined.

    `loop_decision` is loop or one-shot, judged without the silence around the sound.
    """

    env: OnsetEnvelope
    length: float
    whole: bool
    loop_decision: LoopDecision
    chroma: Chroma | None
    key: KeyEstimate | None
    note: pitch.Pitch | None
    descriptors: Descriptors
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

    `whole` means that a shorter window omits nothing but silence. `name_hint` is the file name with
    its folders, `tags` the result of `file_tags.read_file_tags`: a tempo, key or class stated there
    is used unless the signal contradicts it.
    """
    window, sr = prepare_signal(window, sr)
    measured = measure_window(window, sr, duration, whole=whole)
    return conclude_analysis(
        measured,
        metadata_fusion.merge_stated(
            filename_hints.read_filename_hints(name_hint), tags or StatedMetadata(), duration
        ),
    )


def prepare_signal(window: Signal, sr: float) -> tuple[Signal, float]:
    """Return a signal that is not empty, is sampled at 8 kHz or more, and has no subsonic drift."""
    if not len(window):
        window = np.zeros(1, np.float32)
    times = int(np.ceil(MIN_RATE_HZ / sr))
    if times > 1:
        window, sr = np.repeat(window, times), sr * times
    return remove_drift(window, sr), sr


def remove_drift(window: Signal, sr: float) -> Signal:
    """Remove a DC offset or subsonic drift if it dominates the signal.

    The drift is the linear interpolation of 50 ms means. If less than 3 % of the amplitude remains,
    the signal counts as silence.
    """
    size = max(1, round(0.05 * sr))
    power = float(np.mean(window**2))
    count = max(1, len(window) // size)
    size = min(size, len(window))
    block_means = window[: count * size].reshape(count, size).mean(axis=1)
    if float(np.mean(block_means**2)) <= 0.3 * power:
        return window
    centres = (np.arange(count) + 0.5) * size
    residual = window - np.interp(np.arange(len(window)), centres, block_means).astype(np.float32)
    silent = float(np.mean(residual**2)) < 0.03**2 * power
    return np.zeros_like(window) if silent else residual


def measure_window(
    window: Signal, sr: float, duration: float, *, whole: bool = False
) -> Measurements:
    """Take all measurements of a window."""
    length = len(window) / sr
    if abs(length - duration) < 0.01:
        whole = True
        length = duration if duration > 0 else length
    env = onset.onset_strength(window, sr)
    loop_decision = silence_trim.decide_loop(env, length, whole=whole)
    chroma_found = chroma.compute_chroma(window, sr)
    is_pitched = (
        chroma_found is not None
        and key_detection.pitched_probability(chroma_found) >= MIN_PITCHED_PROBABILITY
    )
    return Measurements(
        env=env,
        length=length,
        whole=whole,
        loop_decision=loop_decision,
        chroma=chroma_found,
        key=key_detection.estimate_key(chroma_found) if chroma_found and is_pitched else None,
        note=pitch.estimate_pitch(window, sr) if loop_decision.loop < 0.5 else None,
        descriptors=descriptors.compute_descriptors(window, sr),
        mels=embedding.mel_patch(window, sr),
    )


def conclude_analysis(measured: Measurements, stated: StatedMetadata) -> Analysis:
    """Combine the measurements with the stated metadata."""
    decision = measured.loop_decision
    loop = metadata_fusion.fuse_loop_probability(decision.loop, stated, decision.length)
    is_loop = loop >= 0.5
    estimated = (
        metadata_fusion.fuse_tempo(decision.tempo, stated, decision.length)
        if loop >= MIN_LOOP_FOR_CANDIDATES
        else None
    )
    chosen = (
        estimated
        if is_loop and estimated and octave_family_probability(estimated) >= MIN_TEMPO_PROBABILITY
        else None
    )
    from_file = chosen is not None and chosen is not decision.tempo
    beat_times, downbeat = find_beat_grid(measured, chosen)
    # A loop of kicks is a break or a melodic loop.
    predicted_class, class_probability = metadata_fusion.fuse_class(
        class_chances(measured), () if is_loop else stated.classes
    )
    key = select_key(measured, is_loop=is_loop, drum=not is_loop and predicted_class in DRUMS)
    fused_key = metadata_fusion.fuse_key(key, stated, measured.chroma)
    root = metadata_fusion.fuse_root_note(measured.note, stated.root) if not is_loop else None
    return Analysis(
        kind=Kind.LOOP if is_loop else Kind.ONE_SHOT,
        kind_confidence=round(max(loop, 1 - loop), 4),
        bpm=round(chosen.bpm, 3) if chosen else None,
        bpm_confidence=round(chosen.confidence, 4) if chosen else 0.0,
        bpm_candidates=round_candidates(metadata_fusion.offer_stated_tempo(estimated, stated), 3),
        bpm_source="file" if from_file else "analysis",
        bpm_conflict=bool(is_loop and stated.bpm and stated.bpm_explicit and not from_file),
        stated_bpm=stated.bpm,
        beats=beat_times,
        downbeat=downbeat,
        key=fused_key.name,
        key_confidence=round(fused_key.confidence, 4),
        key_candidates=[(rival, round(chance, 4)) for rival, chance in key.candidates]
        if key
        else [],
        key_source="file" if fused_key.from_file else "analysis",
        key_conflict=fused_key.conflict,
        stated_key=fused_key.stated,
        camelot=camelot(fused_key.name) if fused_key.name else None,
        tuning_cents=round(100 * measured.chroma.tuning, 1) if key and measured.chroma else None,
        root_note=root,
        root_name=f"{PITCHES[root % 12]}{root // 12 - 1}" if root is not None else None,
        onsets=[round(float(time), 4) for time in measured.env.times],
        sound_class=predicted_class.value,
        class_confidence=round(class_probability, 4),
        brightness=round(measured.descriptors.brightness, 1),
        noisiness=round(measured.descriptors.noisiness, 4),
        attack=round(measured.descriptors.attack, 4),
        decay=None if measured.descriptors.decay is None else round(measured.descriptors.decay, 4),
        # The ends of an excerpt are not the file's own.
        seam_click=is_loop and measured.whole and measured.descriptors.seam_click,
        likeness=embedding.embed_sound(measured.mels, measured.env, measured.chroma),
    )


def round_candidates(
    candidates: list[tuple[float, float]], digits: int
) -> list[tuple[float, float]]:
    """Round candidates for storage."""
    return [(round(bpm, digits), round(chance, 4)) for bpm, chance in candidates]


def octave_family_probability(tempo: TempoEstimate) -> float:
    """Return the probability that a tempo, its half or its double is right."""
    octaves = (0.5, 1, 2)
    return sum(
        chance
        for bpm, chance in tempo.candidates
        if min(abs(bpm / tempo.bpm - octave) for octave in octaves) < 0.02
    )


def find_beat_grid(measured: Measurements, tempo: TempoEstimate | None) -> tuple[list[float], int]:
    """Return the beats in seconds and the index of the first downbeat, for a loop with a tempo."""
    if tempo is None:
        return [], 0
    return beats.track_beats(
        measured.env, tempo.bpm, measured.length, start=tempo.start, from_ends=tempo.from_ends
    )


def class_chances(measured: Measurements) -> npt.NDArray[np.float64]:
    """Return the probabilities of `sound_class.CLASSES` by the signal."""
    timbre = embedding.timbre_projection()(measured.mels.reshape(1, -1))[0]
    parts = (
        measured.mels,
        measured.env,
        measured.length,
        measured.descriptors,
        measured.loop_decision.loop,
        measured.chroma,
        measured.note,
    )
    return sound_class.class_chances(ClassInputs(timbre, *parts))


def select_key(measured: Measurements, *, is_loop: bool, drum: bool) -> KeyEstimate | None:
    """Return the key; None for drums and single notes, which have a root and fit many keys."""
    if measured.key is None or measured.chroma is None or drum:
        return None
    share = float(measured.chroma.pitches.max() / measured.chroma.pitches.sum())
    single = not is_loop and measured.note is not None and share >= SINGLE_NOTE_SHARE
    return None if single else measured.key


@dataclass(frozen=True, slots=True)
class FileAnalysis:
    """The survey and the analysis of a file."""

    survey: Survey
    analysis: Analysis


def analyse_file(path: Path, name_hint: str | None = None) -> FileAnalysis:
    """Survey a file and analyse its window; the file's own name is the hint unless one is given.

    Raises:
        BadAudio: If nothing can be decoded.
    """
    surveyed = survey_file(path)
    found = analyse(
        surveyed.window,
        surveyed.window_rate,
        duration=surveyed.duration,
        name_hint="/".join(path.parts[-2:]) if name_hint is None else name_hint,
        tags=read_file_tags(path),
        whole=surveyed.whole,
    )
    return FileAnalysis(surveyed, found)


def warm_up_engine() -> None:
    """Run the whole analysis once, so that the first real file finds caches and code loaded."""
    time = np.arange(4 * 44_100) / 44_100
    click = np.sin(2 * np.pi * 220 * time) * np.exp(-(time % 0.5) * 20)
    analyse(click.astype(np.float32), 44_100, duration=4.0)
