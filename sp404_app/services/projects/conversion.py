"""Convert a project between the devices, and report what does not fit."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sp404_app.devices import pad_settings
from sp404_app.devices.capabilities import BANKS, Device, DeviceKind
from sp404_app.models import Sample
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition
from sp404_app.services.projects.pad_edits import change_edit, edit_of, frames_of

POSITIONS = ("start", "end", "loop_top")


@dataclass(frozen=True, slots=True)
class Difference:
    """What is lost or kept unused on one pad of the other device, in words.

    `kind` is "moved", "left_out", "not_stored", "changed" or "too_long"; `to` is the pad that a
    moved one goes to.
    """

    bank: str
    pad: int
    what: str
    kind: str
    to: str = ""


def convert_kit(
    kit: Kit, target: Device, samples: Mapping[uuid.UUID, Sample]
) -> tuple[Kit, list[Difference]]:
    """Return the kit for another device, and what does not fit, in the order of the pads.

    Pads that the target lacks go to its free pads of the same bank, or else are left out. Settings
    that the target cannot store stay with the pad. Positions are scaled to the target's rate.
    `samples` are those of the pads, by id; a sample that is missing was permanently deleted.
    """
    report: list[Difference] = []
    placed: dict[PadPosition, PadContent] = {}
    # Pads that the target has come first, so that they keep their places.
    for at in sorted(kit.pads, key=lambda at: (at.pad > target.pads_per_bank, at)):
        pad = kit.pads[at]
        goal = at if at.pad <= target.pads_per_bank else _free_in_bank(placed, at.bank, target)
        if goal != at:
            place = f"Moved to {goal}" if goal else "Left out"
            what = f"{place}: the {target.title} has {target.pads_per_bank} pads in a bank."
            kind, to = ("moved", str(goal)) if goal else ("left_out", "")
            report.append(Difference(BANKS[at.bank], at.pad, what, kind, to))
        if goal is not None:
            sample = samples.get(pad.sample_id) if pad.sample_id else None
            placed[goal] = convert_pad(pad, sample, kit.device, target)
            report += _lost(at, pad, placed[goal], target)
    report.sort(key=lambda each: (each.bank, each.pad))
    return replace(kit, device=target, pads=placed), report


def convert_pad(
    pad: PadContent, sample: Sample | None, source: Device, target: Device
) -> PadContent:
    """Return a pad's content with its positions scaled from one device's rate to the other's.

    The SX plays every pad at its own pitch, so the resample trick is removed for it.
    """
    edit = edit_of(pad)
    if edit.resample_trick and target.kind is DeviceKind.SX:
        pad = change_edit(pad, replace(edit, resample_trick=None), sample, source)
    settings: dict[str, Any] = dict(pad.settings)
    for name in POSITIONS:
        if settings[name] is not None:
            settings[name] = _scale(settings[name], source, target)
    frames = frames_of(sample, edit_of(pad), target) if sample else None
    pad_settings.clamp_positions(settings, frames, target.min_frames)
    chops = {_scale(chop, source, target) for chop in pad.chops}
    inside = sorted(chop for chop in chops if frames is None or chop < frames)
    return replace(pad, settings=settings, frames=frames, chops=tuple(inside))


def _scale(frame: int, source: Device, target: Device) -> int:
    return (frame * target.rate * 2 + source.rate) // (source.rate * 2)


def _lost(
    at: PadPosition, pad: PadContent, converted: PadContent, target: Device
) -> list[Difference]:
    """Return what of a pad the target does not store or cannot play."""
    names = pad_settings.unstored_settings(pad.settings, target.kind)
    if pad.chops and target.kind is DeviceKind.SX:
        names.append("chops")
    texts: dict[str, str] = {}  # by kind
    if edit_of(pad).resample_trick and target.kind is DeviceKind.SX:
        texts["changed"] = f"Resample trick removed: the {target.title} cannot slow a pad down."
        names = [name for name in names if name not in ("pitch", "fine", "speed")]
    if names:
        words = ", ".join(name.replace("_", " ") for name in names)
        texts["not_stored"] = f"Kept, but not stored by the {target.title}: {words}."
    if (converted.frames or 0) > target.max_frames:
        minutes = target.max_frames // target.rate // 60
        texts["too_long"] = (
            f"Too long: the {target.title} holds samples of up to {minutes} minutes."
        )
    return [Difference(BANKS[at.bank], at.pad, text, kind) for kind, text in texts.items()]


def _free_in_bank(
    placed: dict[PadPosition, PadContent], bank: int, target: Device
) -> PadPosition | None:
    numbers = range(1, target.pads_per_bank + 1)
    return next((p for n in numbers if (p := PadPosition(bank, n)) not in placed), None)
