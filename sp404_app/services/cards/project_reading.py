"""What PADCONF.BIN or PAD_INFO.BIN says about a project, and the project that it becomes.

Settings, chops and names are kept as they are read, so that an export that changes nothing gives
the bytes back.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sp404_app.devices.capabilities import BANKS, DEVICES, DeviceKind
from sp404_app.devices.device_pad import DevicePad
from sp404_app.devices.mk2 import padconf, project_settings
from sp404_app.devices.mk2 import pads as mk2_pads
from sp404_app.devices.pad_settings import clamp_positions
from sp404_app.devices.sx import pad_info
from sp404_app.devices.sx import pads as sx_pads
from sp404_app.services.cards.card_tree import FoundProject
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition
from sp404_app.services.projects.project_details import clamp_tempo
from sp404_app.services.projects.projects import DEFAULT_TEMPO_BPM, default_banks

MAX_CONFIG_BYTES: Final = 128 * 1024
UNKNOWN_CHANNELS: Final = 2  # of a MKII pad without its sample file, which alone tells them
UNTITLED: Final = "SP-404 project"


@dataclass(frozen=True, slots=True)
class RawRecord:
    """The bytes of one pad; an SX pad has only a record."""

    record: bytes
    name: bytes = b""
    chops: bytes = b""


@dataclass(frozen=True, slots=True)
class ReadProject:
    """A project as its file of settings describes it. `records` are those of pads with a sample."""

    device: DeviceKind
    name: str
    folder: str
    config: bytes
    kit: Kit
    records: Mapping[int, RawRecord]

    def position(self, index: int) -> PadPosition:
        """Return the place of a pad from its index on the device."""
        bank, pad = divmod(index, DEVICES[self.device].pads_per_bank)
        return PadPosition(bank, pad + 1)


def read_project(found: FoundProject, config: bytes) -> ReadProject:
    """Read a project's file of settings. The kit has no pads yet.

    Raises:
        InvalidDeviceFile: If it is damaged.
    """
    read = _read_mk2 if found.device is DeviceKind.MK2 else _read_sx
    return read(found, config)


def _read_mk2(found: FoundProject, config: bytes) -> ReadProject:
    raw = padconf.decode_padconf(config)
    settings = project_settings.read_project(raw)
    banks = tuple(
        {**new, "tempo": bank.tempo, "volume": bank.volume, "protect": bank.protect}
        for new, bank in zip(default_banks(settings.tempo), settings.banks, strict=True)
    )
    name = settings.name if settings.name.strip() else folder_name(found.folder)
    kit = Kit(DEVICES[found.device], name, settings.tempo, settings.tempo_source, banks)
    records = {
        index: RawRecord(pad.record, pad.name, pad.chops)
        for index, pad in enumerate(raw.pads)
        if mk2_pads.read_raw_pad(pad, UNKNOWN_CHANNELS)
    }
    return ReadProject(found.device, name, found.folder, config, kit, records)


def _read_sx(found: FoundProject, config: bytes) -> ReadProject:
    raw = pad_info.decode_pad_info(config)
    name = _sx_name(found)
    pads = {index: sx_pads.read_record(record) for index, record in enumerate(raw.records)}
    tempo = _shared_tempo([pad for pad in pads.values() if pad])
    kit = Kit(DEVICES[found.device], name, tempo, "project", default_banks(tempo))
    records = {index: RawRecord(raw.records[index]) for index, pad in pads.items() if pad}
    return ReadProject(found.device, name, found.folder, config, kit, records)


def _shared_tempo(pads: Sequence[DevicePad]) -> float:
    """Return the tempo that most pads share, in BPM, as a SP-404SX stores none for a project.

    Pads of other lengths rarely share one by chance: the device derives it from the length.
    """
    tempos = Counter(pad.settings["bpm"] for pad in pads if pad.settings["bpm"] is not None)
    ((tempo, count),) = tempos.most_common(1) or [(DEFAULT_TEMPO_BPM, 1)]
    return clamp_tempo(tempo) if count > 1 else DEFAULT_TEMPO_BPM


def _sx_name(found: FoundProject) -> str:
    """Return a name for a card, which stores none: the folder that holds it, if it says more."""
    parts = [
        part for part in found.folder.split("/") if part.casefold() not in ("roland", "import")
    ]
    own = [part for part in parts if part.casefold() not in ("sp-404sx", "smpl")]
    return folder_name(own[-1]) if own else "SP-404SX card"


def folder_name(folder: str) -> str:
    """Return the name of a project that stores none, from its folder."""
    return folder.rpartition("/")[2].strip()[:200] or UNTITLED


def read_record(device: DeviceKind, raw: RawRecord, channels: int | None = None) -> DevicePad:
    """Return what the bytes of a pad with a sample mean; `channels` are those of its file.

    Raises:
        ValueError: If the pad is empty.
    """
    if device is DeviceKind.MK2:
        mk2 = padconf.RawPad(raw.record, raw.name, raw.chops)
        pad = mk2_pads.read_raw_pad(mk2, channels or UNKNOWN_CHANNELS)
    else:
        pad = sx_pads.read_record(raw.record, channels)
    if pad is None:
        raise ValueError("this pad is empty")
    return pad


def write_record(device: DeviceKind, pad: DevicePad, raw: RawRecord) -> RawRecord:
    """Return the bytes of a pad that was `raw`; those of an unchanged pad are the same."""
    if device is DeviceKind.SX:
        return replace(raw, record=sx_pads.write_pad(pad, raw.record))
    written = mk2_pads.write_pad(pad, padconf.RawPad(raw.record, raw.name, raw.chops))
    return RawRecord(written.record, written.name, written.chops)


def find_places(device: DeviceKind, config: bytes, raw: RawRecord) -> list[int]:
    """Return the indexes of pads that are these bytes in a file of settings.

    Raises:
        InvalidDeviceFile: If the file is damaged.
    """
    if device is DeviceKind.SX:
        records = pad_info.decode_pad_info(config).records
        return [index for index, record in enumerate(records) if record == raw.record]
    mk2 = padconf.RawPad(raw.record, raw.name, raw.chops)
    return [index for index, pad in enumerate(padconf.decode_padconf(config).pads) if pad == mk2]


def pad_content(
    project: ReadProject,
    index: int,
    *,
    channels: int | None = None,
    sample_id: uuid.UUID | None = None,
    frames: int | None = None,
    source_id: uuid.UUID | None = None,
) -> PadContent:
    """Return a pad of the project that a card becomes.

    `frames` is the length of its sample; without one, the length is that of the record. The SX
    stores no names, so its pads are named as their files, until their samples are known.
    """
    pad = read_record(project.device, project.records[index], channels)
    at = project.position(index)
    settings: dict[str, Any] = dict(pad.settings)
    chops = pad.chops
    is_sx = project.device is DeviceKind.SX
    if frames is not None and frames != pad.frames:  # the file is not the one that was recorded
        clamp_positions(settings, frames, DEVICES[project.device].min_frames)
        chops = tuple(chop for chop in chops if chop < frames)
    return PadContent(
        sample_id=sample_id,
        name=f"{at.bank_letter}{at.pad:07}" if is_sx else pad.name,
        settings=settings,
        chops=chops,
        frames=pad.frames if frames is None else frames,
        source_id=source_id,
    )


def sound_name(project: ReadProject, index: int, path: str) -> str:
    """Return the name of a pad's sample in the library: the pad's, or else that of the file."""
    name = pad_content(project, index).name.strip()
    stem = path.rpartition("/")[2].rpartition(".")[0]
    return name or stem or f"{BANKS[project.position(index).bank]}{project.position(index).pad}"
