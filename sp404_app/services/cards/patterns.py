"""Patterns of a project that was read from a card: which pads play when. They are only read.

Their bytes are rows of `project_files`. A pattern that cannot be read is listed with the reason.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from sp404_app.devices.capabilities import BANKS, DEVICES, Device, DeviceKind
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.midi_file import build_midi_file
from sp404_app.devices.mk2 import paths as mk2_paths
from sp404_app.devices.mk2.paths import pattern_path
from sp404_app.devices.mk2.pattern import decode_pattern as decode_mk2_pattern
from sp404_app.devices.pattern import Pattern
from sp404_app.devices.sx import paths as sx_paths
from sp404_app.devices.sx.pattern import decode_pattern as decode_sx_pattern
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import ProjectFile, ProjectSource
from sp404_app.services.projects import history
from sp404_app.services.projects.kit import Kit, PadPosition
from sp404_app.services.projects.pad_sounds import bank_tempo

PATTERN_FOLDER = "ptn/ptn"
MAX_NAME = 80
ROWS_AT_ONCE = 8
MAX_BYTES = 512 * 2**10  # of a pattern; one with 10,000 notes takes 80 kB
MAX_LISTED_BYTES = 4 * 2**20  # of all patterns that a list reads; they take about a second
TOO_LARGE = "This pattern is too large to be shown."
NOT_READ = "This pattern was not read, because those before it are too large."


@dataclass(frozen=True, slots=True)
class PatternPad:
    """A pad that a pattern plays; `name` is empty if nothing is on it.

    `has_sound` is False as well if the sample of the pad was permanently deleted.
    """

    bank: str
    pad: int
    name: str
    has_sound: bool


@dataclass(frozen=True, slots=True)
class PatternNote:
    """A note: `tick` and `length` in ticks, velocity 0 to 127, semitones above the pad's pitch."""

    tick: int
    bank: str
    pad: int
    velocity: int
    length: int
    semitones: int


@dataclass(frozen=True, slots=True)
class PatternView:
    """A pattern in the list. `number` is that of its file; bank and pad are its place.

    A quarter note has `ppq` ticks, `length` is in ticks, `tempo` in BPM. If `problem` is not
    empty, it says why the pattern cannot be read, and the numbers are 0.
    """

    number: int
    bank: str
    pad: int
    name: str
    tempo: float
    bars: int
    beats_per_bar: int
    ppq: int
    length: int
    note_count: int
    pads: list[PatternPad]
    problem: str


@dataclass(frozen=True, slots=True)
class PatternDetails(PatternView):
    """A pattern with its notes, in order."""

    notes: list[PatternNote]


@dataclass(frozen=True, slots=True)
class PatternMidi:
    """A pattern as Standard MIDI File."""

    name: str
    data: bytes


def count_patterns(session: Session, project_id: uuid.UUID) -> int:
    """Return the number of patterns of a project."""
    query = select(func.count()).select_from(ProjectFile)
    return session.exec(query.where(*_is_pattern_of(project_id))).one()


def list_patterns(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> list[PatternView]:
    """Return the patterns of a project by their numbers.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
    """
    owner = _find_owner(session, user_id, project_id)
    columns = select(ProjectFile.path, ProjectFile.data).where(*_is_pattern_of(project_id))
    in_order = columns.order_by(func.lower(ProjectFile.path), ProjectFile.path)
    views: dict[int, PatternView] = {}
    read = 0
    for path, data in session.exec(in_order.execution_options(yield_per=ROWS_AT_ONCE)):
        index = _pattern_index(path, owner.device)
        if index is None or index in views:
            continue
        read += len(data)
        is_read = read <= MAX_LISTED_BYTES
        views[index] = owner.read(index, data)[0] if is_read else owner.describe(index, NOT_READ)
    return list(views.values())


def get_pattern(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, number: int
) -> PatternDetails:
    """Return a pattern with its notes; one that cannot be read has none.

    Raises:
        NotFound: If there is no such project or pattern, or it belongs to another user.
    """
    owner = _find_owner(session, user_id, project_id)
    data = _load_pattern(session, project_id, owner, number - 1)
    view, pattern = owner.read(number - 1, data)
    notes = [
        PatternNote(
            event.tick, BANKS[event.bank], event.pad, event.velocity, event.length, event.semitones
        )
        for event in (pattern.events if pattern else ())
    ]
    fields = {name: getattr(view, name) for name in PatternView.__dataclass_fields__}
    return PatternDetails(**fields, notes=notes)


def export_midi(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, number: int
) -> PatternMidi:
    """Return a pattern as Standard MIDI File with a track for each bank that it plays.

    Raises:
        NotFound: If there is no such project or pattern, or it belongs to another user.
        ValidationFailed: If the pattern cannot be read.
    """
    owner = _find_owner(session, user_id, project_id)
    data = _load_pattern(session, project_id, owner, number - 1)
    view, pattern = owner.read(number - 1, data)
    if pattern is None:
        raise ValidationFailed(view.problem)
    title = f"{owner.kit.name} {view.name}"
    midi = build_midi_file(pattern, owner.device.kind, view.tempo, title)
    return PatternMidi(f"{owner.kit.name} pattern {view.name}.mid", midi)


@dataclass(frozen=True, slots=True)
class _Owner:
    """The project of patterns; `device` is the one that wrote them."""

    kit: Kit
    device: Device

    def read(self, index: int, data: bytes) -> tuple[PatternView, Pattern | None]:
        """Return a pattern; None instead of its content if it cannot be read."""
        if len(data) > MAX_BYTES:
            return self.describe(index, TOO_LARGE), None
        decode = decode_mk2_pattern if self.device.kind is DeviceKind.MK2 else decode_sx_pattern
        try:
            pattern = decode(data)
        except InvalidDeviceFile as error:
            return self.describe(index, str(error)), None
        return self.describe(index, "", pattern), pattern

    def describe(self, index: int, problem: str, pattern: Pattern | None = None) -> PatternView:
        """Return the view of a pattern."""
        bank, pad = divmod(index, self.device.pads_per_bank)
        used = pattern.pads_used if pattern else ()
        return PatternView(
            number=index + 1,
            bank=BANKS[bank],
            pad=pad + 1,
            name=f"{BANKS[bank]}{pad + 1}",
            tempo=bank_tempo(self.kit, bank),
            bars=pattern.bars if pattern else 0,
            beats_per_bar=pattern.beats_per_bar if pattern else 0,
            ppq=pattern.ppq if pattern else 0,
            length=pattern.length if pattern else 0,
            note_count=len(pattern.events) if pattern else 0,
            pads=[self._describe_pad(PadPosition(*at)) for at in used],
            problem=problem,
        )

    def _describe_pad(self, at: PadPosition) -> PatternPad:
        content = self.kit.pads.get(at)
        name = content.name[:MAX_NAME] if content else ""
        has_sound = content is not None and content.sample_id is not None
        return PatternPad(at.bank_letter, at.pad, name, has_sound)


def _find_owner(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> _Owner:
    project = history.get_project(session, user_id, project_id)
    source = session.get(ProjectSource, project_id)
    kit = history.load_kit(session, project)
    kind = DeviceKind(source.device) if source else kit.device.kind
    return _Owner(kit, DEVICES[kind])


def _load_pattern(session: Session, project_id: uuid.UUID, owner: _Owner, index: int) -> bytes:
    """Return the bytes of a pattern.

    Raises:
        NotFound: If the project has no such pattern.
    """
    path = pattern_path(index).lower() if 0 <= index < owner.device.pad_count else ""
    query = select(ProjectFile.data).where(
        ProjectFile.project_id == project_id, func.lower(ProjectFile.path) == path
    )
    data = session.exec(query.order_by(ProjectFile.path)).first()
    if data is None:
        raise NotFound("There is no such pattern.")
    return data


def _is_pattern_of(project_id: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    path = func.lower(ProjectFile.path)
    return (
        col(ProjectFile.project_id) == project_id,
        path.startswith(PATTERN_FOLDER),
        path.endswith(".bin"),
    )


def _pattern_index(path: str, device: Device) -> int | None:
    """Return which pattern a file is, from 0 on, or None for other files."""
    if device.kind is DeviceKind.MK2:
        found = mk2_paths.parse_path(path)
        return found.index if found and found.kind is mk2_paths.FileKind.PATTERN else None
    card_file = sx_paths.parse_path(path)
    is_pattern = card_file is not None and card_file.kind is sx_paths.FileKind.PATTERN
    return card_file.index if card_file and is_pattern else None
