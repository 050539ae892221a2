"""Convert a project between the devices, and report what does not fit."""

from dataclasses import dataclass, replace
from typing import Any

from sp404_app.devices import pad_settings
from sp404_app.devices.capabilities import BANKS, Device
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition

POSITIONS = ("start", "end", "loop_top")


@dataclass(frozen=True, slots=True)
class Difference:
    """What is lost or kept unused on one pad of the other device, in words.

    `kind` is "moved", "left_out" or "not_stored"; `to` is the pad that a moved one goes to.
    """

    bank: str
    pad: int
    what: str
    kind: str
    to: str = ""


def convert_kit(kit: Kit, target: Device) -> tuple[Kit, list[Difference]]:
    """Return the kit for another device, and what does not fit.

    Pads that the target lacks go to its free pads of the same bank, or else are left out. Settings
    that the target cannot store stay with the pad. Positions are scaled to the target's rate.
    """
    source = kit.device
    report: list[Difference] = []
    placed: dict[PadPosition, PadContent] = {}
    homeless: list[PadPosition] = []
    for at in sorted(kit.pads):
        if at.pad > target.pads_per_bank:
            homeless.append(at)
            continue
        placed[at] = convert_pad(kit.pads[at], source, target)
        report += _unstored(at, kit.pads[at], target)
    for at in homeless:
        free = _free_in_bank(placed, at.bank, target)
        if free is None:
            what = f"Left out: the {target.title} has {target.pads_per_bank} pads in a bank."
            report.append(Difference(BANKS[at.bank], at.pad, what, "left_out"))
        else:
            placed[free] = convert_pad(kit.pads[at], source, target)
            what = f"Moved to {free}: the {target.title} has {target.pads_per_bank} pads in a bank."
            report.append(Difference(BANKS[at.bank], at.pad, what, "moved", str(free)))
    return replace(kit, device=target, pads=placed), report


def convert_pad(pad: PadContent, source: Device, target: Device) -> PadContent:
    """Return a pad's content with its positions scaled from one device's rate to the other's."""
    settings: dict[str, Any] = dict(pad.settings)
    for name in POSITIONS:
        if settings.get(name) is not None:
            settings[name] = _scale(settings[name], source, target)
    frames = None if pad.frames is None else _scale(pad.frames, source, target)
    pad_settings.clamp_positions(settings, frames, target.min_frames)
    return replace(
        pad,
        settings=settings,
        frames=frames,
        chops=tuple(_scale(chop, source, target) for chop in pad.chops),
    )


def _scale(frame: int, source: Device, target: Device) -> int:
    return (frame * target.rate * 2 + source.rate) // (source.rate * 2)


def _unstored(at: PadPosition, pad: PadContent, target: Device) -> list[Difference]:
    names = pad_settings.unstored_settings(pad.settings, target.kind)
    if pad.chops and target.kind == "sx":
        names.append("chops")
    if not names:
        return []
    words = ", ".join(name.replace("_", " ") for name in names)
    what = f"Kept, but not stored by the {target.title}: {words}."
    return [Difference(BANKS[at.bank], at.pad, what, "not_stored")]


def _free_in_bank(
    placed: dict[PadPosition, PadContent], bank: int, target: Device
) -> PadPosition | None:
    numbers = range(1, target.pads_per_bank + 1)
    return next((p for n in numbers if (p := PadPosition(bank, n)) not in placed), None)
