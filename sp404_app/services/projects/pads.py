"""Put samples on pads, change pads, fill, move and clear them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session, select

from sp404_app.audio.render.edit import NO_EDIT, parse_edit
from sp404_app.devices import pad_settings
from sp404_app.devices.capabilities import BANKS, Device
from sp404_app.devices.pad_settings import DEFAULTS, MAX_PADS_PER_LINK, InvalidSetting
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Project, Sample
from sp404_app.services.infra.text import clean_name
from sp404_app.services.library import samples
from sp404_app.services.projects import history
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import (
    Kit,
    PadContent,
    PadPosition,
    clear_bank,
    fill_pads,
    move_bank,
    move_pad,
    parse_move,
    put_pads,
)
from sp404_app.services.projects.pad_edits import (
    MAX_BPM,
    MIN_BPM,
    change_edit,
    edit_of,
    frames_of,
)
from sp404_app.services.projects.project_details import parse_text

MAX_CHOPS = 16
MAX_FILL = 2_000


@dataclass(frozen=True, slots=True)
class PadChange:
    """What changes on a pad; None leaves a part as it is. An empty `edit` removes the edit."""

    sample_id: uuid.UUID | None = None
    name: str | None = None
    settings: Mapping[str, object] | None = None
    edit: Mapping[str, object] | None = None
    chops: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class FillResult:
    """The pads that were filled, and the ids of the samples that did not fit."""

    project: Project
    filled: list[PadPosition]
    not_placed: list[uuid.UUID]


def load_placeable(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[Sample]:
    """Return samples that can be put on pads, in this order.

    Raises:
        NotFound: If one does not exist, is in the trash or belongs to another user.
    """
    found = samples.list_live_samples(session, user_id, ids)
    if len(found) != len(ids):
        raise NotFound("There is no such sample.")
    return found


def new_content(sample: Sample, device: Device) -> PadContent:
    """Return a pad with a sample, its tempo, and the device's defaults."""
    settings = dict(DEFAULTS)
    if sample.bpm and MIN_BPM <= sample.bpm <= MAX_BPM:
        settings["bpm"] = round(sample.bpm, 2)
    return PadContent(
        sample_id=sample.id,
        name=sample.name,
        settings=settings,
        frames=frames_of(sample, NO_EDIT, device),
    )


def set_pad(
    session: Session, target: Target, at: PadPosition, change: PadChange, label: str = ""
) -> Project:
    """Put a sample on a pad, or change the pad. `revision` is that of the pad, 0 if it is empty.

    Raises:
        ValidationFailed: If a value is invalid, or an empty pad gets no sample.
        NotFound: If the project or sample does not exist or belongs to another user.
        ChangedMeanwhile: If the revision is old.
    """
    placed = None
    if change.sample_id is not None:
        (placed,) = load_placeable(session, target.user_id, [change.sample_id])

    def mutate(kit: Kit) -> Kit:
        content = kit.pads.get(at)
        if placed is not None:
            content = _with_sample(content, placed, kit.device)
        if content is None:
            message = "Choose a sample for this pad first."
            raise ValidationFailed(message, {"sample_id": [message]})
        sample = placed or _sample_of(session, target.user_id, content)
        content = change_content(content, change, sample, kit.device)
        _ensure_link_has_room(kit, at, content)
        return put_pads(kit, {at: content})

    what = label or (f"Put sound on {at}" if placed else f"Change {at}")
    touched = None if _may_change_link(change) else [at]
    return history.change_project(session, target, what, mutate, at, touched)


def _may_change_link(change: PadChange) -> bool:
    """Return whether a change may put a pad into a pad link, whose pads are counted then."""
    settings = change.settings
    return settings is not None and (not isinstance(settings, Mapping) or "pad_link" in settings)


def _with_sample(content: PadContent | None, sample: Sample, device: Device) -> PadContent:
    """Return a pad with another sample; it keeps its settings, but not what depends on the audio.

    That are positions, tempo, edit and chops, and the pitch that goes with a resample trick.
    """
    fresh = new_content(sample, device)
    if content is None:
        return fresh
    if content.sample_id == sample.id:
        return content
    reset = ["start", "end", "loop_top", "play_mode"]
    if edit_of(content).resample_trick:
        reset += ["pitch", "fine", "speed"]
    kept = dict(content.settings) | {name: DEFAULTS[name] for name in reset}
    return replace(fresh, settings=kept | {"bpm": fresh.settings["bpm"]})


def _sample_of(session: Session, user_id: uuid.UUID, content: PadContent) -> Sample | None:
    """Return the sample of a pad, None if it was permanently deleted."""
    query = select(Sample).where(Sample.id == content.sample_id, Sample.user_id == user_id)
    return session.exec(query).first() if content.sample_id else None


def _ensure_link_has_room(kit: Kit, at: PadPosition, content: PadContent) -> None:
    """Raise if the pad would be the fifth one of its pad link."""
    link = content.settings["pad_link"]
    before = kit.pads.get(at)
    if not link or (before and before.settings["pad_link"] == link):
        return
    others = sum(pad.settings["pad_link"] == link for p, pad in kit.pads.items() if p != at)
    if others >= MAX_PADS_PER_LINK:
        message = f"A pad link holds up to {MAX_PADS_PER_LINK} pads."
        raise ValidationFailed(message, {"settings.pad_link": [message]})


def change_content(
    content: PadContent, change: PadChange, sample: Sample | None, device: Device
) -> PadContent:
    """Return a pad's content after a change.

    An edit that changes the length maps start, end, loop point and chops.

    Raises:
        ValidationFailed: If a value is invalid; details name the field.
    """
    try:
        if change.name is not None:
            name = clean_name(parse_text(change.name, "name"), content.name)
            content = replace(content, name=name)
        if change.edit is not None:
            content = change_edit(content, parse_edit(change.edit), sample, device)
        if change.settings is not None:
            settings = pad_settings.change_settings(
                content.settings, change.settings, content.frames, device.min_frames
            )
            content = replace(content, settings=settings)
    except InvalidSetting as error:
        field = f"settings.{error.field}" if error.field else "settings"
        raise ValidationFailed(str(error), {field: [str(error)]}) from None
    if change.chops is not None:
        content = replace(content, chops=clean_chops(change.chops, content.frames))
    return content


def clean_chops(chops: object, frames: int | None) -> tuple[int, ...]:
    """Return chop markers in order, each once; those after the end of the audio are left out.

    Raises:
        ValidationFailed: If they are not a list, more than 16, or one is not a frame.
    """
    message = ""
    if not isinstance(chops, list | tuple):
        chops, message = (), "Chops are a list of frames."
    elif len(chops) > MAX_CHOPS:
        message = f"A pad holds up to {MAX_CHOPS} chops."
    elif any(isinstance(c, bool) or not isinstance(c, int) or c < 0 for c in chops):
        message = "A chop is a frame of the pad's audio."
    if message:
        raise ValidationFailed(message, {"chops": [message]})
    limit = pad_settings.MAX_POSITION if frames is None else max(0, frames - 1)
    return tuple(sorted({chop for chop in chops if chop <= limit}))


def clear_pad(session: Session, target: Target, at: PadPosition) -> Project:
    """Empty a pad.

    Raises:
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    return history.change_project(
        session, target, f"Clear {at}", lambda k: put_pads(k, {at: None}), at, [at]
    )


def fill(
    session: Session, target: Target, start: PadPosition, ids: Sequence[uuid.UUID]
) -> FillResult:
    """Put samples on the empty pads from `start` on; pads that hold something stay.

    Raises:
        NotFound: If the project or a sample does not exist or belongs to another user.
        ChangedMeanwhile: If the revision is old.
    """
    placed = load_placeable(session, target.user_id, ids)
    filled: list[PadPosition] = []

    def mutate(kit: Kit) -> Kit:
        contents = [new_content(sample, kit.device) for sample in placed]
        kit, positions = fill_pads(kit, start, contents)
        filled.extend(positions)
        return kit

    label = f"Put {len(placed)} sounds on pads" if len(placed) > 1 else "Put sound on pad"
    project = history.change_project(session, target, label, mutate)
    return FillResult(project, filled, [sample.id for sample in placed[len(filled) :]])


def move(
    session: Session, target: Target, source: PadPosition, goal: PadPosition, how: str
) -> Project:
    """Swap two pads, copy one to the other, or move one over the other ("overwrite").

    Raises:
        ValidationFailed: If the source is empty, or `how` is unknown.
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    is_copy = parse_move(how) == "copy"
    label = f"{'Copy' if is_copy else 'Move'} {source} to {goal}"
    touched = None if is_copy else [source, goal]  # a copy counts the pads of its pad link
    return history.change_project(
        session,
        target,
        label,
        lambda kit: move_pad(kit, source, goal, how),
        touched=touched,
    )


def move_whole_bank(session: Session, target: Target, source: int, goal: int, how: str) -> Project:
    """Swap two banks, copy one, or move one over the other ("overwrite").

    Raises:
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    verb = "Copy" if parse_move(how) == "copy" else "Move"
    label = f"{verb} bank {BANKS[source]} to {BANKS[goal]}"
    return history.change_project(session, target, label, lambda k: move_bank(k, source, goal, how))


def clear_whole_bank(session: Session, target: Target, bank: int) -> Project:
    """Empty all pads of a bank.

    Raises:
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    label = f"Clear bank {BANKS[bank]}"
    return history.change_project(session, target, label, lambda k: clear_bank(k, bank))
