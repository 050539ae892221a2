"""What visitors of a link see: names, numbers and waveforms, and nothing else of the account."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlmodel import Session, col, select

from sp404_app.audio.features.musical_keys import camelot
from sp404_app.devices.capabilities import BANKS
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.errors import NotFound
from sp404_app.models import Project, ProjectPad, Sample, Share, User
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.infra.text import one_line
from sp404_app.services.library import collection_filter, samples
from sp404_app.services.projects import history, renders
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.projects import device_of
from sp404_app.services.projects.schemas import samples_of_pads
from sp404_app.services.sample import waveforms
from sp404_app.services.sharing.share_visits import GONE

MAX_SOUNDS: Final = 500  # the page, the archive and a copy have the first ones
MAX_PADS: Final = 16  # of a bank
WAVE_POINTS: Final = 240
NOBODY = "a Crate 404 user"
VERSION_LENGTH: Final = 16  # characters of a digest that name a sound's audio
VERSION_RE: Final = re.compile(f"[0-9a-f]{{{VERSION_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class SharedSound:
    """One sound; `number` begins with 1, `version` names its audio, `bars` are its waveform.

    `bars` has one URL-safe base64 character for each bar, as `Sample.thumbnail`.
    """

    number: int
    version: str
    name: str
    seconds: float
    bpm: float | None
    key: str
    camelot: str
    kind: str
    bars: str


@dataclass(frozen=True, slots=True)
class SharedPad:
    """A pad that can be played; `key` is "A1". `settings` holds what differs from a new pad."""

    key: str
    name: str
    version: str
    bars: str
    frames: int
    channels: int
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SharedBank:
    """A bank with pads: letter, name, and colour as "#rrggbb"."""

    letter: str
    name: str
    colour: str
    pads: tuple[SharedPad, ...]


@dataclass(frozen=True, slots=True)
class SharedProject:
    """The pads of a project. `rate` is in Hz."""

    device: str
    rate: int
    voices: int
    pads_per_bank: int
    tempo: float
    banks: tuple[SharedBank, ...]


@dataclass(frozen=True, slots=True)
class SharedContent:
    """What the page of a link shows. `wave` is the peaks of a single sound, -1..1 in pairs."""

    kind: str
    title: str
    owner: str
    note: str
    sounds: tuple[SharedSound, ...] = ()
    total: int = 0
    wave: tuple[tuple[float, float], ...] = ()
    project: SharedProject | None = None


def load_content(session: Session, share: Share) -> SharedContent:
    """Read what a link shows.

    Raises:
        NotFound: If its target is gone.
    """
    owner = owner_name(session, share.user_id)
    if share.project_id:
        return _project_content(session, share, share.project_id, owner)
    if share.collection_id:
        return _collection_content(session, share, share.collection_id, owner)
    sample = find_sound(session, share, 1, "")
    sounds = (_sound(1, sample),)
    wave = _wave(session, sample)
    return SharedContent("sample", _name(sample.name), owner, "", sounds, 1, wave)


def owner_name(session: Session, user_id: uuid.UUID) -> str:
    """Return the name of a user as visitors see it; never the email."""
    user = session.get(User, user_id)
    name = one_line(f"{user.first_name} {user.last_name}") if user else ""
    return name or NOBODY


def find_sound(session: Session, share: Share, number: int, version: str) -> Sample:
    """Return a sound of a shared sample or collection.

    With a `version`, it is the one whose audio the visitor's page shows: the owner may have put the
    sounds into another order meanwhile. Without one, it is the sound of this number.

    Raises:
        NotFound: If there is no such sound, or it is another one now.
    """
    sample = _find_version(session, share, version) if version else None
    if not version:
        ids = sound_ids(session, share)
        if not 1 <= number <= len(ids):
            raise NotFound("This sound isn't shared any more.")
        sample = samples.get_sample(session, share.user_id, ids[number - 1])
    taken = taken_down_samples(session, share.user_id)
    if sample is None or sample.deleted_at or sample.id in taken:
        raise NotFound("This sound has changed. Reload the page.")
    return sample


def _find_version(session: Session, share: Share, version: str) -> Sample | None:
    """Return the sound of a link with this audio. It is looked up alone: rules take a search."""
    if not VERSION_RE.fullmatch(version):
        return None
    # An index finds the range, but no prefix: it is in the order of a language.
    query = select(Sample).where(
        Sample.user_id == share.user_id,
        col(Sample.digest).between(version, f"{version}g"),
        col(Sample.deleted_at).is_(None),
    )
    if share.sample_id:
        query = query.where(Sample.id == share.sample_id)
    elif share.collection_id:
        scope = collection_filter.load_scope(session, share.user_id, share.collection_id)
        query = scope.limit_samples(query)
    else:
        return None
    return session.exec(query).first()


def pad_sample_ids(session: Session, share: Share) -> list[uuid.UUID]:
    """Return the ids of the live sounds on the pads of a shared project, each once, in order."""
    if share.project_id is None:
        return []
    rows = history.load_pads(session, share.project_id)
    live = _live_samples(session, share.user_id, rows)
    return list(dict.fromkeys(row.sample_id for row in rows.values() if row.sample_id in live))  # type: ignore[misc]


def taken_down_samples(session: Session, user_id: uuid.UUID) -> set[uuid.UUID]:
    """Return the sounds of a user that an operator took down; no other link has them either."""
    taken = select(Share.sample_id).where(
        Share.user_id == user_id,
        col(Share.sample_id).is_not(None),
        col(Share.taken_down_at).is_not(None),
    )
    return {sample_id for sample_id in session.exec(taken) if sample_id}


def is_complete(session: Session, project: Project) -> bool:
    """Return whether no pad of a project has a sound that was taken down."""
    taken = taken_down_samples(session, project.user_id)
    return not any(
        row.sample_id in taken for row in history.load_pads(session, project.id).values()
    )


def sound_ids(session: Session, share: Share) -> list[uuid.UUID]:
    """Return the ids of the sounds of a sample or collection, in order; none of a project."""
    if share.sample_id:
        return [share.sample_id]
    if share.collection_id is None:
        return []
    return collection_samples.list_sample_ids(
        session, share.user_id, share.collection_id, MAX_SOUNDS
    )


def find_pad_render(session: Session, share: Share, bank: str, pad: int) -> renders.RenderStatus:
    """Return the status of the audio of a shared pad; queue its render if it does not exist.

    Raises:
        NotFound: If the link is no project's, or the pad has no sound.
    """
    if share.project_id is None or len(bank) != 1 or bank not in BANKS or pad > MAX_PADS:
        raise NotFound(GONE)
    project = history.get_project(session, share.user_id, share.project_id)
    at = PadPosition(BANKS.index(bank), pad)
    row = session.get(ProjectPad, (project.id, at.bank, at.pad))
    live = _live_samples(session, share.user_id, {at: row}) if row else {}
    status = renders.ensure_renders(session, project, {at: row}, live).get(at) if row else None
    if status is None:
        raise NotFound("This pad has no sound.")
    return status


def version_of(sample: Sample) -> str:
    """Return what names the audio of a sample to visitors; it tells nothing but equality."""
    return sample.digest[:VERSION_LENGTH]


def _project_content(
    session: Session, share: Share, project_id: uuid.UUID, owner: str
) -> SharedContent:
    project = history.get_project(session, share.user_id, project_id)
    rows = history.load_pads(session, project.id)
    live = _live_samples(session, project.user_id, rows)
    device = device_of(project)
    banks = tuple(
        bank for index in range(len(BANKS)) if (bank := _bank(project, index, rows, live)).pads
    )
    shown = SharedProject(
        device.title, device.rate, device.voices, device.pads_per_bank, project.tempo, banks
    )
    total = sum(len(bank.pads) for bank in banks)
    return SharedContent("project", _name(project.name), owner, "", (), total, (), shown)


def _collection_content(
    session: Session, share: Share, collection_id: uuid.UUID, owner: str
) -> SharedContent:
    collection = collections.get_collection(session, share.user_id, collection_id)
    ids = sound_ids(session, share)
    taken = taken_down_samples(session, share.user_id)
    found = samples.list_live_samples(session, share.user_id, ids)
    listed = [sample for sample in found if sample.id not in taken]
    numbers = {sample_id: number for number, sample_id in enumerate(ids, 1)}
    sounds = tuple(_sound(numbers[sample.id], sample) for sample in listed)
    total = len(sounds)
    if len(ids) == MAX_SOUNDS:
        total += len(collection_samples.list_sample_ids(session, share.user_id, collection_id))
        total -= MAX_SOUNDS
    note = collection.note.strip()
    return SharedContent("collection", _name(collection.name), owner, note, sounds, total)


def _live_samples(
    session: Session, user_id: uuid.UUID, rows: Mapping[PadPosition, ProjectPad]
) -> dict[uuid.UUID, Sample]:
    taken = taken_down_samples(session, user_id)
    found = samples_of_pads(session, rows)
    return {
        id_: sample
        for id_, sample in found.items()
        if sample.deleted_at is None and id_ not in taken
    }


def _bank(
    project: Project,
    index: int,
    rows: Mapping[PadPosition, ProjectPad],
    live: Mapping[uuid.UUID, Sample],
) -> SharedBank:
    bank = project.banks[index]
    pads = tuple(
        _pad(at, project, row, sample)
        for at, row in rows.items()
        if at.bank == index and row.sample_id and (sample := live.get(row.sample_id))
    )
    return SharedBank(BANKS[index], one_line(str(bank["name"])), str(bank["colour"]), pads)


def _pad(at: PadPosition, project: Project, row: ProjectPad, sample: Sample) -> SharedPad:
    return SharedPad(
        key=str(at),
        name=_name(row.name),
        version=renders.request_of(project, row, sample).key[:VERSION_LENGTH],
        bars=sample.thumbnail,
        frames=row.frames or 0,
        channels=1 if sample.channels == 1 else 2,
        settings={name: it for name, it in row.settings.items() if it != DEFAULTS.get(name)},
    )


def _sound(number: int, sample: Sample) -> SharedSound:
    return SharedSound(
        number=number,
        version=version_of(sample),
        name=_name(sample.name),
        seconds=round(sample.duration or 0.0, 3),
        bpm=sample.bpm,
        key=sample.key or "",
        camelot=camelot(sample.key) if sample.key else "",
        kind=sample.kind or "",
        bars=sample.thumbnail,
    )


def _wave(session: Session, sample: Sample) -> tuple[tuple[float, float], ...]:
    """Return the peaks of a sound, scaled to its loudest; none while it has no waveform."""
    try:
        found = waveforms.waveform_of_stretch(
            session, sample.user_id, sample.id, 0.0, None, WAVE_POINTS
        )
    except NotFound:
        return ()
    peak = max(1e-6, float(np.abs(found.points).max(initial=0.0)))
    return tuple((float(low) / peak, float(high) / peak) for low, high in found.points)


def _name(name: str) -> str:
    """Return a name on one line, without characters that change the direction of other text."""
    return one_line(name) or "untitled"
