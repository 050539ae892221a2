"""How a pad sounds on the device: its sample's class, key, tempo and loudness, as the pad plays it.

Pure functions of a pad's content and its sample.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlmodel import Session, col, select

from sp404_app.audio.features.filename_class import stated_classes
from sp404_app.audio.features.musical_keys import KEYS, PITCHES
from sp404_app.audio.features.sound_class import CLASSES, SoundClass
from sp404_app.models import Kind, Sample
from sp404_app.services.projects.kit import Kit, PadContent
from sp404_app.services.projects.pad_edits import edit_of


@dataclass(frozen=True, slots=True)
class PadSound:
    """What is known of a pad's sound; None where it is not known.

    `key` is one of `musical_keys.KEYS`, `bpm` the tempo at which it plays, `lufs` the loudness of
    the sample.
    """

    sound_class: SoundClass | None
    is_loop: bool
    key: str | None
    bpm: float | None
    lufs: float | None


def samples_by_id(
    session: Session, user_id: uuid.UUID, ids: Iterable[uuid.UUID | None]
) -> dict[uuid.UUID | None, Sample]:
    """Return the user's samples with these ids, also those in the trash; missing are left out."""
    wanted = sorted({each for each in ids if each})
    query = select(Sample).where(
        Sample.user_id == user_id, col(Sample.id) == any_(literal(wanted, ARRAY(Uuid)))
    )
    return {sample.id: sample for sample in session.exec(query)}


def bank_tempo(kit: Kit, bank: int) -> float:
    """Return the tempo in BPM at which a bank plays: the project's, or its own."""
    return kit.tempo if kit.tempo_source == "project" else float(kit.banks[bank]["tempo"])


def pad_sound(content: PadContent, sample: Sample | None, synced_bpm: float) -> PadSound:
    """Return how a pad sounds. `synced_bpm` is the tempo of pads with BPM sync.

    Without its sample, only the name and the settings are known.
    """
    return PadSound(
        sound_class=class_of(sample.sound_class if sample else None, names_of(content, sample)),
        is_loop=_is_loop(content, sample),
        key=transposed_key(sample.key if sample else None, pitch_shift(content)),
        bpm=playing_bpm(content, sample, synced_bpm),
        lufs=sample.loudness_lufs if sample else None,
    )


def class_of(measured: str | None, names: Iterable[str]) -> SoundClass | None:
    """Return the measured class; without one, the class that a name or tag states."""
    if measured in set(CLASSES):
        return SoundClass(measured)
    return next((each for name in names for each in stated_classes(name)), None)


def names_of(content: PadContent, sample: Sample | None) -> list[str]:
    """Return the texts that describe a pad: its name, and the names and tags of its sample."""
    return [content.name, *([sample.name, *sample.tags] if sample else [])]


def pitch_shift(content: PadContent) -> float:
    """Return by how many semitones a pad plays its sample higher."""
    edit = edit_of(content)
    settings = content.settings
    return edit.pitch + (edit.resample_trick or 0.0) + settings["pitch"] + settings["fine"] / 100


def transposed_key(key: str | None, semitones: float) -> str | None:
    """Return a key some semitones higher, rounded to whole semitones."""
    if key not in KEYS:
        return None
    pitch, mode = key.split(" ")
    return f"{PITCHES[(PITCHES.index(pitch) + round(semitones)) % len(PITCHES)]} {mode}"


def playing_bpm(content: PadContent, sample: Sample | None, synced_bpm: float) -> float | None:
    """Return the tempo at which a pad plays: that of its setting or sample, at the pad's speed."""
    settings = content.settings
    stated = settings["bpm"] or (sample.bpm if sample else None)
    if stated is None:
        return None
    return synced_bpm if settings["bpm_sync"] else stated * settings["speed"] / 100


def _is_loop(content: PadContent, sample: Sample | None) -> bool:
    if sample and sample.kind:
        return sample.kind == Kind.LOOP
    return bool(content.settings["loop"])
