"""The edit of a pad, and what it does to the pad's length, positions, pitch and tempo."""

import math
from dataclasses import replace
from typing import Any

from sp404_app.audio.render.edit import NO_EDIT, Edit, InvalidEdit, edit_to_json, parse_edit
from sp404_app.audio.render.length import (
    longest_render,
    map_frame,
    rendered_frames,
    stretch_ratio,
)
from sp404_app.devices import pad_settings
from sp404_app.devices.capabilities import Device, DeviceKind
from sp404_app.devices.pad_settings import DEFAULTS, VINYL_PITCH
from sp404_app.models import Sample
from sp404_app.services.projects.kit import PadContent

MIN_BPM, MAX_BPM = 40.0, 200.0


def edit_of(content: PadContent) -> Edit:
    """Return the edit of a pad."""
    return parse_edit(content.edit) if content.edit else NO_EDIT


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


def change_edit(
    content: PadContent, edit: Edit, sample: Sample | None, device: Device
) -> PadContent:
    """Return the pad with another edit, and its positions where they are in the new audio.

    A stretch changes the pad's tempo with the audio. The resample trick sets vinyl, pitch and
    speed, so that the pad sounds as before.

    Raises:
        InvalidEdit: If this sample or device does not allow a value.
    """
    old = edit_of(content)
    if edit == old:
        return content
    _ensure_possible(edit, sample, device)
    length = frames_of(sample, edit, device) if sample else None
    settings, chops = _map_positions(content, old, edit, sample, device)
    if edit.resample_trick != old.resample_trick:
        pitch, fine = pad_settings.vinyl_pitch(-(edit.resample_trick or 0.0))
        slowed = {"bpm_sync": False, "vinyl": True, "pitch": pitch, "fine": fine}
        settings = pad_settings.change_settings(settings, slowed, length, device.min_frames)
    settings["bpm"] = _stretched_bpm(settings["bpm"], stretch_ratio(old), stretch_ratio(edit))
    pad_settings.clamp_positions(settings, length, device.min_frames)
    as_json = edit_to_json(edit) or None
    return replace(content, edit=as_json, frames=length, settings=settings, chops=chops)


def _ensure_possible(edit: Edit, sample: Sample | None, device: Device) -> None:
    frames = source_frames(sample) if sample else None
    if edit.trim and frames is not None and edit.trim[0] >= frames:
        raise InvalidEdit("trim", "The trim starts after the end of the sound.")
    if not edit.resample_trick:
        return
    if device.kind is DeviceKind.SX:
        raise InvalidEdit("resample_trick", "The SP-404SX cannot play a pad at another pitch.")
    low, high = -VINYL_PITCH[1], -VINYL_PITCH[0]
    if not low <= edit.resample_trick <= high:
        message = f"A pad can undo a resample trick of {low} to {high} semitones."
        raise InvalidEdit("resample_trick", message)


def _map_positions(
    content: PadContent, old: Edit, new: Edit, sample: Sample | None, device: Device
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return the settings and chops of a pad with their positions in the audio of another edit."""
    settings = DEFAULTS | dict(content.settings)
    frames = source_frames(sample) if sample else None
    if not sample or not sample.sample_rate or not frames:
        return settings, content.chops
    source = (frames, sample.sample_rate, device.rate)
    length = longest_render(new, *source)
    for name in ("start", "end", "loop_top"):
        if settings[name] is not None:
            settings[name] = map_frame(settings[name], old, new, *source)
    chops = {map_frame(chop, old, new, *source) for chop in content.chops}
    if new.reverse != old.reverse:  # what was the start is the end now
        settings["start"], settings["end"] = settings["end"] or 0, settings["start"]
        settings["loop_top"] = pad_settings.default_loop_top(settings, length)
        chops = {0 if chop == length else chop for chop in chops}
    if settings["end"] == length:
        settings["end"] = None
    return settings, tuple(sorted(chop for chop in chops if chop < length))


def _stretched_bpm(bpm: float | None, old_ratio: float, new_ratio: float) -> float | None:
    """Return the tempo of a loop whose length changes; None if the device cannot store it."""
    if bpm is None or math.isclose(old_ratio, new_ratio):
        return bpm
    changed = round(bpm * old_ratio / new_ratio, 2)
    return changed if MIN_BPM <= changed <= MAX_BPM else None
