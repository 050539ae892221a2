"""The pad sheet: what a project's pads are, to be printed and pinned beside the device.

`load_sheet` reads it, `pad_sheet_layout` places it on pages, `pad_sheet_pdf` and `pad_sheet_png`
draw the pages.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.audio.features.musical_keys import camelot
from sp404_app.devices.capabilities import BANKS, Device, DeviceKind
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.models import Sample
from sp404_app.services.projects import history
from sp404_app.services.projects.device_names import device_name
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition
from sp404_app.services.projects.pad_sounds import (
    bank_tempo,
    pad_sound,
    samples_by_id,
)

MAX_NAME = 80
MISSING = "Sound missing"
TRASHED = "In the trash"


@dataclass(frozen=True, slots=True)
class SheetPad:
    """One pad. `wave` has one base64 character per bar, `options` are the texts of its badges.

    `problem` says why there is no sound; it is empty if there is one.
    """

    number: int
    name: str
    device_name: str
    bpm: str
    key: str
    length: str
    options: tuple[str, ...]
    wave: str
    problem: str


@dataclass(frozen=True, slots=True)
class SheetBank:
    """A bank: letter, name, colour as "#rrggbb", tempo in BPM, and its pads that hold something."""

    letter: str
    name: str
    colour: str
    tempo: str
    pads: tuple[SheetPad, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All ten banks of a project."""

    project: str
    device: Device
    banks: tuple[SheetBank, ...]

    def printed_banks(self, bank: str = "") -> tuple[SheetBank, ...]:
        """Return the bank with this letter, or all banks with pads; at least bank A."""
        if bank:
            return (self.banks[BANKS.index(bank)],)
        return tuple(each for each in self.banks if each.pads) or self.banks[:1]


def load_sheet(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> Sheet:
    """Read what the pad sheet of a project shows.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
    """
    kit = history.load_kit(session, history.get_project(session, user_id, project_id))
    ids = {pad.sample_id for pad in kit.pads.values()}
    return create_sheet(kit, samples_by_id(session, user_id, ids))


def create_sheet(kit: Kit, samples: Mapping[uuid.UUID | None, Sample]) -> Sheet:
    """Return the pad sheet of a kit; a pad whose sample is not given has no sound."""
    banks = tuple(_sheet_bank(kit, index, samples) for index in range(len(BANKS)))
    return Sheet(kit.name, kit.device, banks)


def _sheet_bank(kit: Kit, index: int, samples: Mapping[uuid.UUID | None, Sample]) -> SheetBank:
    bank = kit.banks[index]
    tempo = bank_tempo(kit, index)
    return SheetBank(
        letter=BANKS[index],
        name=str(bank["name"]),
        colour=str(bank["colour"]),
        tempo=_format_bpm(tempo),
        pads=tuple(
            _sheet_pad(at, kit.pads[at], samples.get(kit.pads[at].sample_id), tempo, kit.device)
            for at in sorted(kit.pads)
            if at.bank == index
        ),
    )


def _sheet_pad(
    at: PadPosition, pad: PadContent, sample: Sample | None, tempo: float, device: Device
) -> SheetPad:
    sound = pad_sound(pad, sample, tempo)
    problem = "" if sample else MISSING
    return SheetPad(
        number=at.pad,
        name=pad.name[:MAX_NAME],
        device_name=device_name(pad.name),
        bpm=_format_bpm(sound.bpm),
        key=_format_key(sound.key),
        length=_format_length(pad, device),
        options=pad_options(pad, device.kind),
        wave=sample.thumbnail if sample else "",
        problem=TRASHED if sample and sample.deleted_at else problem,
    )


def pad_options(pad: PadContent, device: DeviceKind) -> tuple[str, ...]:
    """Return the settings that a player must know, in the words of the device."""
    settings = DEFAULTS | dict(pad.settings)
    trigger = "ONE-SHOT" if settings["one_shot"] else "GATE" if settings["gate"] else ""
    mode = str(settings["play_mode"])
    found = [
        trigger,
        "LOOP" if settings["loop"] else "",
        "REVERSE" if mode.startswith("reverse") else "",
        "PING-PONG" if mode.endswith("ping_pong") else "",
        f"{len(pad.chops)} CHOPS" if pad.chops else "",
    ]
    if device is DeviceKind.MK2:
        found += [
            f"MUTE {settings['mute_group']}" if settings["mute_group"] else "",
            f"LINK {settings['pad_link']}" if settings["pad_link"] else "",
            _bus(str(settings["bus"])),
            "SYNC" if settings["bpm_sync"] else "",
        ]
    else:
        found.append("LO-FI" if settings["lofi"] else "")
    return tuple(option for option in found if option)


def _bus(bus: str) -> str:
    """Return the badge of another bus than that of a new pad."""
    if bus == DEFAULTS["bus"]:
        return ""
    return "DRY" if bus == "dry" else f"BUS {bus}"


def _format_bpm(bpm: float | None) -> str:
    return f"{round(bpm, 1):g}" if bpm else ""


def _format_key(key: str | None) -> str:
    if key is None:
        return ""
    return f"{key.replace(' major', '').replace(' minor', 'm')} {camelot(key)}"


def _format_length(pad: PadContent, device: Device) -> str:
    """Write the length from start to end, if the length of the audio is known."""
    if pad.frames is None:
        return ""
    settings = DEFAULTS | dict(pad.settings)
    end = pad.frames if settings["end"] is None else settings["end"]
    seconds = max(0, min(end, pad.frames) - settings["start"]) / device.rate
    if seconds >= 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}:{rest:02}"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
