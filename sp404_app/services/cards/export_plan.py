"""The plan of an export: every file that it has, in order, and how each is made.

A plan is a value of JSON, kept with the export until it is made. It holds everything that
determines the archive's bytes, so its hash names the export's content, and the archive is that of
the project's revision when the export was requested, whatever happens to the project meanwhile.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from sp404_app.audio.render.edit import edit_to_json
from sp404_app.devices.capabilities import DeviceKind
from sp404_app.devices.device_pad import DeviceBank, DeviceProject
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2 import paths as mk2_paths
from sp404_app.devices.mk2 import pictures
from sp404_app.devices.mk2.padconf import decode_padconf
from sp404_app.devices.mk2.project_settings import read_project
from sp404_app.devices.names import decode_name
from sp404_app.devices.pad_settings import STORED_BY, is_reverse
from sp404_app.devices.sx import paths as sx_paths
from sp404_app.errors import Conflict
from sp404_app.models import PadSource
from sp404_app.services.cards import exported_audio
from sp404_app.services.cards.export_content import ExportContent, ExportTarget, is_sx
from sp404_app.services.cards.export_names import import_paths
from sp404_app.services.cards.preflight import EMPTY, NOTHING_LEFT
from sp404_app.services.cards.project_reading import folder_name
from sp404_app.services.projects.device_names import device_name
from sp404_app.services.projects.kit import PadContent, PadPosition

EXPORT_VERSION: Final = 2  # increase it when a change of this package changes any bytes
AudioFormat = Literal["wav", "smp", "sx_wav", "sx_aiff"]
# What came with a project and is given back as it came.
KEPT_MK2 = frozenset(mk2_paths.FileKind) - {
    mk2_paths.FileKind.PADCONF,
    mk2_paths.FileKind.SAMPLE,
}


@dataclass(frozen=True, slots=True)
class PlannedPad:
    """The audio file of a pad, and what the device stores for the pad.

    `index` counts the pads of the target from 0; `label` names the pad in the project. Of the
    render, the frames from `start` to `end` (None: all) are taken, backwards with `backwards`.
    `read_frames` is the length of the file that the pad was read from, if that file is given back.
    """

    path: str
    format: AudioFormat
    index: int
    label: str
    name: str
    settings: dict[str, Any]
    chops: list[int]
    sample_id: str
    digest: str
    edit: dict[str, Any]
    rate: int
    loop: bool
    key: str
    source_id: str | None = None
    start: int = 0
    end: int | None = None
    backwards: bool = False
    read_frames: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedProject:
    """The settings of the project, and its file if the target has one.

    `source_sha256` is the hash of the file of settings that the project was read from. `kept` are
    the indexes of pads whose audio is missing, with the sources that they keep. `copies` are the
    paths of patterns and pictures, with their SHA-256.
    """

    device: str
    config: str = ""
    name: str = ""
    tempo: float = 0.0
    tempo_source: str = ""
    banks: list[dict[str, Any]] = field(default_factory=list)
    source_sha256: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """All files of an export."""

    project: PlannedProject
    pads: tuple[PlannedPad, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the plan as JSON values, for `ProjectExport.files`."""
        return [asdict(self.project), *map(asdict, self.pads)]

    @staticmethod
    def from_json(values: Sequence[dict[str, Any]]) -> "ExportPlan":
        """Return the plan of JSON values."""
        project, *pads = values
        return ExportPlan(PlannedProject(**project), tuple(PlannedPad(**pad) for pad in pads))

    def content_key(self, project_id: uuid.UUID) -> str:
        """Return the hash of everything that determines the archive's bytes."""
        content = {"version": EXPORT_VERSION, "project": str(project_id), "plan": self.to_json()}
        packed = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(packed.encode()).hexdigest()


def plan_export(content: ExportContent) -> ExportPlan:
    """Return the files of an export; pads that the pre-flight refuses are left out.

    Raises:
        Conflict: If no pad can be exported.
    """
    places = sorted(content.kit.pads)
    refused = set(exported_audio.refused_pads(content))
    if len(refused) == len(places):
        raise Conflict(NOTHING_LEFT if content.original.pads else EMPTY)
    paths = import_paths(content.kit) if content.target.device == "import" else {}
    pads = [plan_pad(content, at, paths.get(at, "")) for at in places if at not in refused]
    return ExportPlan(
        _plan_project(content, refused), tuple(sorted(pads, key=lambda pad: pad.path))
    )


def plan_pad(content: ExportContent, at: PadPosition, path: str) -> PlannedPad:
    """Return the audio file of a pad; `path` is that in an import pack, else ""."""
    pad, audio, device = content.kit.pads[at], content.audio_of(at), content.kit.device
    assert audio  # a pad without sample is refused
    source = content.source_of(at)
    index = at.bank * device.pads_per_bank + at.pad - 1
    read = exported_audio.source_file(content, at)
    file_format = _audio_format(content, pad, is_read=read is not None)
    settings = _stored_settings(pad, file_format)
    region: dict[str, Any] = {}
    if content.target.device == "import":
        region = {name: pad.settings[name] for name in ("start", "end")}
        region["backwards"] = is_reverse(pad.settings)
    return PlannedPad(
        path=path or f"{_folder(content.target)}/{_sample_path(content, index, settings)}",
        format=file_format,
        index=index,
        label=f"{content.origins[at]} “{pad.name}”",
        name="" if is_sx(content) else stored_name(pad, source),
        settings=settings,
        chops=[] if is_sx(content) else list(pad.chops),
        sample_id=str(audio.sample.id),
        digest=audio.sample.digest,
        edit=edit_to_json(audio.edit),
        rate=audio.rate,
        loop=audio.loop,
        key=audio.key,
        source_id=str(source.id) if source and content.target.device != "import" else None,
        read_frames=read.frames if read else None,
        **region,
    )


def _stored_settings(pad: PadContent, file_format: AudioFormat) -> dict[str, Any]:
    """Return the settings that the device stores for a pad, as it stores them."""
    if file_format == "wav":
        return {}
    kind = DeviceKind.MK2 if file_format == "smp" else DeviceKind.SX
    settings = {name: value for name, value in pad.settings.items() if name in STORED_BY[kind]}
    if settings.get("one_shot"):
        settings |= {"gate": False, "loop": False}
    if kind is DeviceKind.SX:
        settings["play_mode"] = "reverse" if is_reverse(pad.settings) else "forward"
        settings["container"] = "aiff" if file_format == "sx_aiff" else "wav"
    return settings


def _audio_format(content: ExportContent, pad: PadContent, *, is_read: bool) -> AudioFormat:
    """Return the format of a pad's file.

    An AIFF file is given back only as it came: nobody knows how the device reads another one.
    """
    if content.target.device == "import":
        return "wav"
    if not is_sx(content):
        return "smp"
    return "sx_aiff" if is_read and pad.settings["container"] == "aiff" else "sx_wav"


def _folder(target: ExportTarget) -> str:
    if target.device == "sx":
        return sx_paths.FOLDER
    return mk2_paths.project_folder(target.place, target.slot)


def _sample_path(content: ExportContent, index: int, settings: dict[str, Any]) -> str:
    if is_sx(content):
        return sx_paths.sample_path(index, settings["container"])
    return mk2_paths.sample_path(index)


def stored_name(pad: PadContent, source: PadSource | None) -> str:
    """Return the name to store for a pad: as it was read, unless the pad was renamed since."""
    if source and decode_name(source.name[:23]) == pad.name:
        return pad.name
    return device_name(pad.name)


def _plan_project(content: ExportContent, refused: set[PadPosition]) -> PlannedProject:
    """Return the settings of the project as the target stores them."""
    target, source = content.target, content.project_source
    if target.device == "import":
        return PlannedProject("import")
    folder, per_bank = _folder(target), content.kit.device.pads_per_bank
    kept = {
        str(at.bank * per_bank + at.pad - 1): str(pad_source.id)
        for at in sorted(refused)
        if (pad_source := content.source_of(at))
    }
    return PlannedProject(
        device=target.device,
        config=f"{folder}/{config_name(target.device)}",
        source_sha256=hashlib.sha256(source.config).hexdigest() if source else "",
        kept=kept,
        copies=_copies(content, folder),
        **({} if is_sx(content) else _mk2_settings(content)),
    )


def config_name(device: str) -> str:
    """Return the path of the file of settings in the project's folder, "" if there is none."""
    return {"mk2": mk2_paths.PADCONF, "sx": sx_paths.PAD_INFO}.get(device, "")


def _mk2_settings(content: ExportContent) -> dict[str, Any]:
    """Return name, tempos and banks of a MKII project."""
    kit, names = content.kit, ("tempo", "volume", "protect")
    return {
        "name": _project_name(content),
        "tempo": kit.tempo,
        "tempo_source": kit.tempo_source,
        "banks": [{name: bank[name] for name in names} for bank in kit.banks],
    }


def _project_name(content: ExportContent) -> str:
    """Return the name to store for a project: as it was read, unless it was renamed since."""
    name, source = content.kit.name, content.project_source
    if source:
        with suppress(InvalidDeviceFile):  # the job says so
            read = read_project(decode_padconf(source.config)).name
            # A project without a name got that of its folder.
            if name == (read if read.strip() else folder_name(source.folder)):
                return read
    return device_name(name, content.kit.device.max_project_name)


def _copies(content: ExportContent, folder: str) -> dict[str, str]:
    """Return the paths of patterns and pictures, each name once, with their SHA-256.

    They are those that came with the project; a new project has the pictures that we draw.
    """
    copies: dict[str, str] = {}
    taken: set[str] = set()
    has_pictures = content.target.device == "mk2" and content.project_source is None
    files = {**(drawn_pictures() if has_pictures else {}), **content.files}
    for path, data in sorted(files.items()):
        if is_kept_path(path, content.kit.device.kind) and path.casefold() not in taken:
            taken.add(path.casefold())
            copies[f"{folder}/{path}"] = hashlib.sha256(data).hexdigest()
    return copies


@lru_cache
def drawn_pictures() -> Mapping[str, bytes]:
    """Return the pictures of a new MKII project, by their paths in its folder."""
    starts = enumerate(pictures.draw_start_images(), 1)
    savers = enumerate(pictures.draw_screen_savers(), 1)
    return {
        **{mk2_paths.start_image_path(number): data for number, data in starts},
        **{mk2_paths.screen_saver_path(number): data for number, data in savers},
    }


def is_kept_path(path: str, device: DeviceKind) -> bool:
    """Return whether a file that came with a project is given back: patterns, chains, pictures."""
    if device is DeviceKind.SX:
        found = sx_paths.parse_path(path)
        return bool(found and not found.folder and found.kind is sx_paths.FileKind.PATTERN)
    parsed = mk2_paths.parse_path(path)
    return bool(parsed and not parsed.folder and parsed.kind in KEPT_MK2)


def device_project(planned: PlannedProject) -> DeviceProject:
    """Return the settings of a MKII project."""
    banks = tuple(DeviceBank(**bank) for bank in planned.banks)
    return DeviceProject(planned.name, planned.tempo, planned.tempo_source, banks)
