"""Read the projects of an import: settings, sounds, patterns and pictures. Uses no database.

A file that cannot be read is named, and the rest is read.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sp404_app.devices.capabilities import DeviceKind
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.errors import AppError, NotFound, ValidationFailed
from sp404_app.services.cards import device_audio, project_reading
from sp404_app.services.cards.card_paths import fold_path
from sp404_app.services.cards.card_tree import FoundProject, read_tree
from sp404_app.services.cards.device_audio import CardSound
from sp404_app.services.cards.import_files import CardFiles
from sp404_app.services.cards.import_plan import MAX_PROJECTS, TOO_LARGE_CONFIG
from sp404_app.services.cards.known_sounds import KnownSound
from sp404_app.services.cards.project_reading import ReadProject

MAX_COPY_BYTES: Final = 1 << 20  # of a pattern, a chain or a picture
MAX_PROJECT_COPIES_BYTES: Final = 16 << 20  # of all of a project: 100 kB for each pattern
MAX_CARD_COPIES_BYTES: Final = 128 << 20  # of all projects, which are in memory until the end
MAX_WAVEFORM_BYTES: Final = 64 << 20  # of all sounds; the analysis draws the others
TOO_LARGE_COPY = "This file is too large; it was left out."
TOO_MANY_COPIES = "The patterns and pictures are too large together; this file was left out."
NO_PROJECT = "No project of this card can be read."


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be read, or that the device may refuse, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of a sample file: read from its bytes, or known by its hash.

    `sample_id` is set if the library has it; `sha256` is the hash of the file.
    """

    digest: str
    channels: int
    frames: int
    rate: int
    header: bytes
    tail: bytes | None
    sha256: str
    card: CardSound | None = None
    sample_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class CardProject:
    """A project that was read. `paths` are those of its pads' sounds, by the index of the pad.

    `copies` are patterns and pictures by their path in the project, `files` all files of it.
    """

    read: ReadProject
    paths: Mapping[int, str]
    copies: Mapping[str, bytes]
    files: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReadCard:
    """Everything that was read of a card. `sounds` are by path."""

    projects: list[CardProject]
    sounds: dict[str, Sound] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_projects(files: CardFiles, folders: Sequence[str] | None) -> ReadCard:
    """Read the projects of a card, without their sounds; `folders` chooses among them.

    Raises:
        ValidationFailed: If there is no project, or if none can be read.
    """
    sizes = files.sizes()
    tree = read_tree(sorted(sizes))
    chosen = set(map(fold_path, folders)) if folders is not None else None
    wanted = [each for each in tree.projects if chosen is None or fold_path(each.folder) in chosen][
        :MAX_PROJECTS
    ]
    card = ReadCard([])
    room = MAX_CARD_COPIES_BYTES
    for found in wanted:
        try:
            read = project_reading.read_project(found, _read_config(files, found, sizes))
        except (InvalidDeviceFile, AppError) as error:
            card.problems.append(Problem(found.config, str(error)))
            continue
        copies = _read_copies(files, found, sizes, card.problems, room)
        room -= sum(map(len, copies.values()))
        paths = _choose_sounds(found, read, sizes)
        names = [each.path for each in found.files]
        card.projects.append(CardProject(read, paths, copies, names))
    if not card.projects:
        reasons = [f"{each.path}: {each.why}" for each in card.problems[:1]]
        message = " ".join([tree.why or NO_PROJECT, *reasons])
        raise ValidationFailed(message, {"file": [message]})
    return card


def _read_config(files: CardFiles, found: FoundProject, sizes: Mapping[str, int]) -> bytes:
    if sizes[found.config] > project_reading.MAX_CONFIG_BYTES:
        raise InvalidDeviceFile(TOO_LARGE_CONFIG)
    return _read_bytes(files, found.config)


def _read_bytes(files: CardFiles, path: str) -> bytes:
    with files.local(path) as local:
        return local.read_bytes()


def _read_copies(
    files: CardFiles,
    found: FoundProject,
    sizes: Mapping[str, int],
    problems: list[Problem],
    room: int,
) -> dict[str, bytes]:
    """Return patterns, chains and pictures by their path in the project; name the broken ones.

    `room` is how many bytes of them the card may still have.
    """
    copies: dict[str, bytes] = {}
    room = min(room, MAX_PROJECT_COPIES_BYTES)
    for file in found.copies():
        if sizes[file.path] > MAX_COPY_BYTES:
            problems.append(Problem(file.path, TOO_LARGE_COPY))
            continue
        if sizes[file.path] > room:
            problems.append(Problem(file.path, TOO_MANY_COPIES))
            continue
        try:
            copies[file.inner_path] = data = _read_bytes(files, file.path)
        except AppError as error:
            problems.append(Problem(file.path, str(error)))
        else:
            room -= len(data)
    return copies


def _choose_sounds(
    found: FoundProject, read: ReadProject, sizes: Mapping[str, int]
) -> dict[int, str]:
    """Return the path of each used pad's sound. Of a WAV and an AIFF file, the record tells."""
    chosen: dict[int, str] = {}
    samples = found.samples()
    for index, raw in read.records.items():
        candidates = [path for path in samples.get(index, []) if sizes[path]]
        if len(candidates) > 1 and read.device is DeviceKind.SX:
            pad = project_reading.read_record(read.device, raw)
            ending = ".wav" if pad.settings["container"] == "wav" else ".aif"
            candidates.sort(key=lambda path: ending not in path.casefold())
        if candidates:
            chosen[index] = candidates[0]
    return chosen


def read_sounds(
    card: ReadCard,
    files: CardFiles,
    known: Mapping[str, KnownSound],
    progress: Callable[[float], None],
) -> None:
    """Read the sounds of all pads, each file once, into `card.sounds`; name those that are broken.

    `progress` receives 0 to 1 and may raise.
    """
    devices = {path: each.read.device for each in card.projects for path in each.paths.values()}
    sizes = files.sizes()
    total, done, drawn = sum(sizes[path] for path in devices) or 1, 0, 0
    for path, device in devices.items():
        try:
            sound = _read_sound(files, path, device, known)
        except AppError as error:
            card.problems.append(Problem(path, str(error)))
        else:
            card.sounds[path] = sound = _within_memory(sound, drawn)
            drawn += len(sound.card.waveform.peaks) if sound.card and sound.card.waveform else 0
            if sound.card and sound.card.refusal:
                card.problems.append(Problem(path, sound.card.refusal))
        done += sizes[path]
        progress(done / total)


def _within_memory(sound: Sound, drawn: int) -> Sound:
    """Return a sound without its waveform if others have used up the memory for these."""
    if sound.card is None or drawn < MAX_WAVEFORM_BYTES:
        return sound
    return replace(sound, card=replace(sound.card, waveform=None))


def _read_sound(
    files: CardFiles, path: str, device: DeviceKind, known: Mapping[str, KnownSound]
) -> Sound:
    try:
        with files.local(path) as local:
            return _inspect(local, device, files.sha256(path))
    except NotFound:
        found = known.get(files.sha256(path))
        if found is None:
            raise
        return Sound(
            found.digest,
            found.channels,
            found.frames,
            found.rate,
            found.header,
            found.tail,
            files.sha256(path),
            sample_id=found.sample_id,
        )


def _inspect(local: Path, device: DeviceKind, sha256: str) -> Sound:
    sound = device_audio.inspect_sound(local, device)
    audio = sound.audio
    return Sound(
        sound.digest,
        audio.channels,
        audio.frames,
        audio.sample_rate,
        sound.header,
        sound.tail,
        sha256,
        sound,
    )
