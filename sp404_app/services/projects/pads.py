"""Put samples on pads, change pads, fill, move and clear them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from sp404_app.audio.render.edit import NO_EDIT, Edit, InvalidEdit, edit_to_json, parse_edit
from sp404_app.audio.render.length import map_frame, rendered_frames
from sp404_app.devices import pad_settings
from sp404_app.devices.capabilities import BANKS, Device
from sp404_app.devices.pad_settings import DEFAULTS, InvalidSetting
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
    put_pads,
)

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
    """Return a pad with a sample, with the device's defaults; loops play as loops."""
    settings = dict(DEFAULTS)
    if sample.bpm and 40 <= sample.bpm <= 200:
        settings["bpm"] = round(sample.bpm, 2)
    return PadContent(
        sample_id=sample.id,
        name=sample.name,
        settings=settings,
        frames=frames_of(sample, NO_EDIT, device),
    )


def source_frames(sample: Sample) -> int | None:
    """Return the number of frames of a sample's file, if it was decoded."""
    if not sample.duration or not sample.sample_rate:
        return None
    return round(sample.duration * sample.sample_rate)


def frames_of(sample: Sample, edit: Edit, device: Device) -> int | None:
    """Return the length of a pad's audio in frames; None if only rendering can tell."""
    frames = source_frames(sample)
    if frames is None or not sample.sample_rate:
        return None
    return rendered_frames(edit, frames, sample.sample_rate, device.rate)


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
        return put_pads(kit, {at: change_content(content, change, sample, kit.device)})

    what = label or (f"Put sound on {at}" if placed else f"Change {at}")
    return history.change_project(session, target, what, mutate, at)


def _with_sample(content: PadContent | None, sample: Sample, device: Device) -> PadContent:
    """Return a pad with another sample; it keeps its other settings, and loses positions."""
    fresh = new_content(sample, device)
    if content is None:
        return fresh
    kept = dict(content.settings)
    kept |= {name: DEFAULTS[name] for name in ("start", "end", "loop_top", "play_mode")}
    return replace(fresh, settings=kept | {"bpm": fresh.settings["bpm"]})


def _sample_of(session: Session, user_id: uuid.UUID, content: PadContent) -> Sample | None:
    if content.sample_id is None:
        return None
    return samples.get_sample(session, user_id, content.sample_id)


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
            content = replace(content, name=clean_name(change.name, content.name))
        if change.edit is not None:
            content = _change_edit(content, parse_edit(change.edit), sample, device)
        if change.settings is not None:
            settings = pad_settings.change_settings(
                content.settings, change.settings, content.frames, device.min_frames
            )
            content = replace(content, settings=settings)
    except InvalidSetting as error:
        raise ValidationFailed(str(error), {f"settings.{error.field}": [str(error)]}) from None
    if change.chops is not None:
        content = replace(content, chops=clean_chops(change.chops, content.frames))
    return content


def edit_of(content: PadContent) -> Edit:
    """Return the edit of a pad."""
    return parse_edit(content.edit) if content.edit else NO_EDIT


def _change_edit(
    content: PadContent, edit: Edit, sample: Sample | None, device: Device
) -> PadContent:
    """Return the pad with another edit, and its positions where they are in the new audio."""
    old = edit_of(content)
    if edit == old:
        return content
    if edit.resample_trick and device.kind == "sx":
        raise InvalidEdit("resample_trick", "The SP-404SX cannot play a pad at another pitch.")
    length = frames_of(sample, edit, device) if sample else None
    settings, chops = _map_positions(content, old, edit, sample, device)
    if edit.resample_trick != old.resample_trick:
        slowed = {"vinyl": True, "pitch": -round(edit.resample_trick or 0), "fine": 0}
        settings = pad_settings.change_settings(settings, slowed, length, device.min_frames)
    pad_settings.clamp_positions(settings, length, device.min_frames)
    as_json = edit_to_json(edit) or None
    return replace(content, edit=as_json, frames=length, settings=settings, chops=chops)


def _map_positions(
    content: PadContent, old: Edit, new: Edit, sample: Sample | None, device: Device
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return the settings and chops of a pad with their positions in the audio of another edit."""
    settings = dict(content.settings)
    frames = source_frames(sample) if sample else None
    if not sample or not sample.sample_rate or not frames:
        return settings, content.chops
    source = (frames, sample.sample_rate)
    for name in ("start", "end", "loop_top"):
        if settings[name] is not None:
            settings[name] = map_frame(settings[name], old, new, *source, device.rate)
    if new.reverse != old.reverse:  # what was the start is the end now
        start, end = settings["start"], settings["end"]
        settings["start"], settings["end"] = end or 0, start
    mapped = {map_frame(chop, old, new, *source, device.rate) for chop in content.chops}
    return settings, tuple(sorted(mapped))


def clean_chops(chops: Sequence[int], frames: int | None) -> tuple[int, ...]:
    """Return chop markers in order, each once, inside the audio.

    Raises:
        ValidationFailed: If there are more than 16, or one is not a frame.
    """
    message = ""
    if len(chops) > MAX_CHOPS:
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
        session, target, f"Clear {at}", lambda k: put_pads(k, {at: None}), at
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
        ValidationFailed: If the source is empty.
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    verb = {"swap": "Move", "copy": "Copy", "overwrite": "Move"}[how]
    label = f"{verb} {source} to {goal}"
    return history.change_project(session, target, label, lambda k: move_pad(k, source, goal, how))


def move_whole_bank(session: Session, target: Target, source: int, goal: int, how: str) -> Project:
    """Swap two banks, copy one, or move one over the other ("overwrite").

    Raises:
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    verb = "Copy" if how == "copy" else "Move"
    label = f"{verb} bank {BANKS[source]} to {BANKS[goal]}"
    return history.change_project(session, target, label, lambda k: move_bank(k, source, goal, how))


def clear_whole_bank(session: Session, target: Target, bank: int) -> Project:
    """Empty all pads of a bank.

    Raises:
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    label = f"Clear bank {BANKS[bank]}"
    return history.change_project(session, target, label, lambda k: clear_bank(k, bank))
