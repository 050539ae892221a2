"""PADCONF.BIN and PAD_INFO.BIN of an export, and the same facts for the second reader.

What a project was read from is the base: a pad or setting that says what it said then keeps its
bytes, everything else is encoded.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sp404_app.devices.device_pad import DeviceBank, DevicePad, DeviceProject
from sp404_app.devices.mk2 import pads as mk2_pads
from sp404_app.devices.mk2 import project_settings
from sp404_app.devices.mk2.padconf import (
    EMPTY_PAD,
    Padconf,
    RawPad,
    create_padconf,
    decode_padconf,
    encode_padconf,
    replace_pads,
    upgrade,
    upgrade_pad,
)
from sp404_app.devices.pad_settings import DEFAULTS, clamp_positions
from sp404_app.devices.second_reader import WantedArchive, WantedPad
from sp404_app.devices.sx import aiff, pad_info, wave
from sp404_app.devices.sx import pads as sx_pads
from sp404_app.models import PadSource
from sp404_app.services.cards import exported_audio
from sp404_app.services.cards.export_plan import ExportPlan, PlannedPad, PlannedProject

SMALLEST_REGION_FRAMES: Final = {"mk2": 1_000, "sx": 1}
PADS_PER_BANK: Final = {"mk2": 16, "sx": 12, "import": 16}
CONFIG_BYTES: Final = {"mk2": 52_000, "sx": 3_840}
MK2_PAD_BPM: Final = (40.0, 200.0)
# The SX takes a user's tempo of 0.5 to 1.3 times the original.
USER_TEMPO_FACTORS: Final = (0.5, 1.3)

Sources = Mapping[str, PadSource]


@dataclass(frozen=True, slots=True)
class MadeAudio:
    """What was made for a pad; `wav_sha256` is the hash of its audio as a plain WAV file."""

    frames: int
    channels: int
    wav_sha256: str


def device_pad(plan: ExportPlan, pad: PlannedPad, audio: Mapping[int, MadeAudio]) -> DevicePad:
    """Return what the device stores for a pad, with positions inside its audio.

    A MKII stores a tempo for every pad: a pad without one has that of the project, which "BPM sync"
    then leaves as it is.
    """
    device, made = plan.project.device, audio[pad.index]
    settings: dict[str, Any] = DEFAULTS | pad.settings
    if device == "mk2" and settings["bpm"] is None:
        settings["bpm"] = min(max(plan.project.tempo, MK2_PAD_BPM[0]), MK2_PAD_BPM[1])
    clamp_positions(settings, made.frames, SMALLEST_REGION_FRAMES[device])
    chops = exported_audio.storable_chops(tuple(chop for chop in pad.chops if chop < made.frames))
    return DevicePad(pad.name, settings, chops, made.channels, made.frames)


def build_config(
    plan: ExportPlan, made: Mapping[int, MadeAudio], sources: Sources, config: bytes | None
) -> bytes:
    """Return the file of settings; `config` is that which the project was read from.

    Raises:
        InvalidDeviceFile: If a sample is too long for the format, or `config` is damaged.
    """
    build = _build_padconf if plan.project.device == "mk2" else _build_pad_info
    return build(plan, made, sources, config)


def config_size(plan: ExportPlan, config: bytes | None) -> int:
    """Return the size of the file of settings in bytes: what is behind its end is kept."""
    if config is None:
        return CONFIG_BYTES[plan.project.device]
    if plan.project.device == "mk2":
        return len(encode_padconf(upgrade(decode_padconf(config))))
    return len(config)


def _build_padconf(
    plan: ExportPlan, made: Mapping[int, MadeAudio], sources: Sources, config: bytes | None
) -> bytes:
    name = plan.project.name
    base = upgrade(decode_padconf(config), name) if config else create_padconf(name)
    pads = {
        index: EMPTY_PAD for index, raw in enumerate(base.pads) if mk2_pads.read_raw_pad(raw, 1)
    }
    pads |= {int(index): _raw_pad(sources[id_]) for index, id_ in plan.project.kept.items()}
    for pad in plan.pads:
        raw = _raw_pad(sources[pad.source_id]) if pad.source_id else EMPTY_PAD
        stored, is_read = device_pad(plan, pad, made), pad.read_frames is not None
        pads[pad.index] = mk2_pads.write_pad(stored, raw, has_same_file=is_read)
    return encode_padconf(_write_project(plan.project, replace_pads(base, pads)))


def _write_project(planned: PlannedProject, padconf: Padconf) -> Padconf:
    banks = tuple(DeviceBank(**bank) for bank in planned.banks)
    project = DeviceProject(planned.name, planned.tempo, planned.tempo_source, banks)
    return project_settings.write_project(project, padconf)


def _raw_pad(source: PadSource) -> RawPad:
    return upgrade_pad(RawPad(source.record, source.name, source.chops))


def _build_pad_info(
    plan: ExportPlan, made: Mapping[int, MadeAudio], sources: Sources, config: bytes | None
) -> bytes:
    base = pad_info.decode_pad_info(config) if config else pad_info.PadInfo()
    records = {
        index: pad_info.EMPTY_RECORD
        for index, record in enumerate(base.records)
        if sx_pads.read_record(record)
    }
    records |= {int(index): sources[id_].record for index, id_ in plan.project.kept.items()}
    for pad in plan.pads:
        raw = sources[pad.source_id].record if pad.source_id else pad_info.EMPTY_RECORD
        stored, is_read = device_pad(plan, pad, made), pad.read_frames is not None
        records[pad.index] = sx_pads.write_pad(stored, raw, has_same_file=is_read)
    return pad_info.encode_pad_info(pad_info.replace_records(base, records))


def wanted_archive(
    plan: ExportPlan, made: Mapping[int, MadeAudio], sources: Sources
) -> WantedArchive:
    """Return what the second reader must find."""
    project, per_bank = plan.project, PADS_PER_BANK[plan.project.device]
    return WantedArchive(
        device=project.device,
        pads=tuple(_wanted_pad(plan, pad, made, sources) for pad in plan.pads),
        config=project.config,
        project={
            "name": project.name,
            "tempo": project.tempo,
            "tempo_source": project.tempo_source,
            "banks": project.banks,
        },
        kept=frozenset((int(i) // per_bank, int(i) % per_bank + 1) for i in project.kept),
        copies=project.copies,
    )


def _wanted_pad(
    plan: ExportPlan, pad: PlannedPad, audio: Mapping[int, MadeAudio], sources: Sources
) -> WantedPad:
    device, made = plan.project.device, audio[pad.index]
    per_bank = PADS_PER_BANK[device]
    settings: dict[str, Any] = {}
    chops: tuple[int, ...] = ()
    if device != "import":
        stored = device_pad(plan, pad, audio)
        settings, chops = dict(stored.settings), stored.chops
        settings = {name: value for name, value in settings.items() if name in pad.settings}
    if not _is_user_tempo_possible(settings):
        settings.pop("user_bpm", None)
    return WantedPad(
        path=pad.path,
        bank=pad.index // per_bank,
        pad=pad.index % per_bank + 1,
        rate=pad.rate,
        frames=made.frames,
        channels=made.channels,
        wav_sha256=made.wav_sha256,
        name=pad.name,
        settings=settings,
        chops=chops,
        is_as_read=pad.read_frames is not None,
        file_sha256=_read_sha256(pad, sources),
    )


def _read_sha256(pad: PlannedPad, sources: Sources) -> str:
    """Return the hash of a file that is given back, "" if it is not known or its index changes."""
    source = sources.get(pad.source_id or "")
    if source is None or pad.read_frames is None or source.audio_tail is None:
        return ""
    header = source.audio_header
    index = {
        "sx_wav": wave.read_wave_index,
        "sx_aiff": aiff.read_aiff_index,
    }.get(pad.format, lambda _: None)(header)
    return source.audio_sha256 if index in (None, pad.index) else ""


def _is_user_tempo_possible(settings: Mapping[str, Any]) -> bool:
    """Return whether the SX stores the user's tempo as it is."""
    bpm, user_bpm = settings.get("bpm"), settings.get("user_bpm")
    if bpm is None or user_bpm is None:
        return False
    low, high = (factor * bpm for factor in USER_TEMPO_FACTORS)
    return low + 0.1 <= user_bpm <= high - 0.1


def source_ids(plan: ExportPlan) -> list[uuid.UUID]:
    """Return the ids of what the pads were read from, in order, each once."""
    ids = {pad.source_id for pad in plan.pads if pad.source_id} | set(plan.project.kept.values())
    return sorted(uuid.UUID(each) for each in ids)
