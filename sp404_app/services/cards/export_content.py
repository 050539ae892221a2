"""What an export is made of: a project's content for the target's device, and what is known of it.

Loading reads the database once; everything else about exports is a function of this value.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, cast

from sqlalchemy import ARRAY, String, Uuid, any_, case, literal
from sqlmodel import Session, col, func, select

from sp404_app.audio.render.edit import Edit
from sp404_app.audio.render.key import render_key
from sp404_app.devices.capabilities import BANKS, MK2, SX, Device, DeviceKind
from sp404_app.errors import ValidationFailed
from sp404_app.models import (
    JobStatus,
    PadRender,
    PadSource,
    ProcessingJob,
    Project,
    ProjectFile,
    ProjectSource,
    Sample,
)
from sp404_app.services.projects import history
from sp404_app.services.projects.conversion import Difference, convert_kit
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition
from sp404_app.services.projects.pad_edits import edit_of
from sp404_app.services.projects.pad_sounds import samples_by_id

ExportDevice = Literal["mk2", "sx", "import"]
Place = Literal["import", "export", ""]
EXPORT_DEVICES: Final = ("mk2", "sx", "import")
DEVICE_OF_EXPORT: Final[Mapping[str, Device]] = {"mk2": MK2, "sx": SX, "import": MK2}
SLOTS: Final = range(1, 17)


@dataclass(frozen=True, slots=True)
class ExportTarget:
    """What an export is for. Only a MKII project has a place on the card and a slot."""

    device: ExportDevice
    place: Place = ""
    slot: int = 0

    @property
    def hardware(self) -> Device:
        """Return the device that reads the export."""
        return DEVICE_OF_EXPORT[self.device]


@dataclass(frozen=True, slots=True)
class KnownRender:
    """What is known of a render: its measurements if it exists, else why it failed."""

    frames: int | None = None
    channels: int | None = None
    frames_held: int = 0
    sha256: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PadAudio:
    """What a pad's audio is made of, and the name of the render."""

    sample: Sample
    edit: Edit
    rate: int
    loop: bool
    key: str


@dataclass(frozen=True, slots=True)
class ExportContent:
    """The content of an export.

    `kit` is for the target's device; `origins` tells, for each of its pads, where it is in the
    project. `differences` are what the conversion changed. `samples` are all of the project's.
    """

    target: ExportTarget
    kit: Kit
    original: Kit
    samples: Mapping[uuid.UUID | None, Sample]
    origins: Mapping[PadPosition, PadPosition] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    renders: Mapping[str, KnownRender] = field(default_factory=dict)
    sources: Mapping[uuid.UUID | None, PadSource] = field(default_factory=dict)
    project_source: ProjectSource | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)

    def audio_of(self, at: PadPosition) -> PadAudio | None:
        """Return what the audio of a pad is made of; None without its sample."""
        pad = self.kit.pads[at]
        sample = self.samples.get(pad.sample_id) if pad.sample_id else None
        return pad_audio(pad, sample, self.kit.device) if sample else None

    def source_of(self, at: PadPosition) -> PadSource | None:
        """Return what a pad was read from, if it was a project for the same device."""
        source = self.sources.get(self.kit.pads[at].source_id)
        return source if source and source.device == self.kit.device.kind else None


def parse_target(device: str, place: str | None = None, slot: int | None = None) -> ExportTarget:
    """Return the target of an export.

    Raises:
        ValidationFailed: If there is no such device, place or slot; details name the field.
    """
    if device not in EXPORT_DEVICES:
        _refuse("device", "Choose mk2, sx or import.")
    if device != "mk2":
        if place or slot:
            _refuse("place" if place else "slot", "Only a project for the MKII has this.")
        return ExportTarget(cast("ExportDevice", device))
    if place not in ("import", "export", None):
        _refuse("place", "Choose import or export.")
    if slot is not None and slot not in SLOTS:
        _refuse("slot", "Choose a project from 1 to 16.")
    return ExportTarget("mk2", cast("Place", place or "import"), 1 if slot is None else slot)


def _refuse(name: str, message: str) -> None:
    raise ValidationFailed(message, {name: [message]})


def pad_audio(pad: PadContent, sample: Sample, device: Device) -> PadAudio:
    """Return what a pad's audio is made of on a device."""
    edit, loop = edit_of(pad), bool(pad.settings.get("loop"))
    key = render_key(sample.digest, edit, rate=device.rate, loop=loop)
    return PadAudio(sample, edit, device.rate, loop, key)


def load_content(session: Session, project: Project, target: ExportTarget) -> ExportContent:
    """Read what an export of a project is made of."""
    original = history.load_kit(session, project)
    ids = [pad.sample_id for pad in original.pads.values()]
    samples = samples_by_id(session, project.user_id, ids)
    content = convert_content(original, samples, target)
    keys = [audio.key for at in content.kit.pads if (audio := content.audio_of(at))]
    source = session.get(ProjectSource, project.id)
    same_device = source is not None and source.device == target.device
    return replace(
        content,
        renders=_load_renders(session, project.user_id, keys),
        sources=load_sources(session, project.user_id, content.kit),
        project_source=source if same_device else None,
        files=_load_files(session, project) if same_device else {},
    )


def convert_content(
    original: Kit, samples: Mapping[uuid.UUID | None, Sample], target: ExportTarget
) -> ExportContent:
    """Return the content for the target's device, converted if the project is for another one."""
    kit, differences = original, []
    if original.device != target.hardware:
        known = {each: sample for each, sample in samples.items() if each}
        kit, differences = convert_kit(original, target.hardware, known)
    moved = {each.to: (each.bank, each.pad) for each in differences if each.kind == "moved"}
    origins = {}
    for at in kit.pads:
        bank, pad = moved.get(str(at), (at.bank_letter, at.pad))
        origins[at] = PadPosition(BANKS.index(bank), pad)
    return ExportContent(target, kit, original, samples, origins, tuple(differences))


def _load_renders(session: Session, user_id: uuid.UUID, keys: list[str]) -> dict[str, KnownRender]:
    job_error = (col(ProcessingJob.status) == JobStatus.FAILED, col(ProcessingJob.error))
    error = func.coalesce(func.nullif(PadRender.error, ""), case(job_error, else_=""))
    query = (
        select(  # type: ignore[call-overload]
            PadRender.render_key,
            PadRender.frames,
            PadRender.channels,
            PadRender.frames_held,
            PadRender.sha256,
            PadRender.size_bytes,
            error,
        )
        .join(ProcessingJob, col(ProcessingJob.id) == col(PadRender.job_id), isouter=True)
        .where(
            PadRender.user_id == user_id,
            col(PadRender.render_key) == any_(literal(keys, ARRAY(String))),
        )
    )
    found: dict[str, KnownRender] = {}
    for key, frames, channels, held, sha256, size, reason in session.execute(query):
        if size is not None:
            found[key] = KnownRender(frames, channels, held, sha256)
        elif reason:
            found[key] = KnownRender(error=reason)
    return found


def load_sources(
    session: Session, user_id: uuid.UUID, kit: Kit
) -> dict[uuid.UUID | None, PadSource]:
    """Return what the pads of a project were read from, by id."""
    ids = sorted({pad.source_id for pad in kit.pads.values() if pad.source_id})
    query = select(PadSource).where(
        PadSource.user_id == user_id, col(PadSource.id) == any_(literal(ids, ARRAY(Uuid)))
    )
    return {source.id: source for source in session.exec(query)}


def _load_files(session: Session, project: Project) -> dict[str, bytes]:
    query = select(ProjectFile.path, ProjectFile.data).where(ProjectFile.project_id == project.id)
    return dict(session.exec(query.order_by(col(ProjectFile.path))).all())


def is_sx(content: ExportContent) -> bool:
    """Return whether the export is for a SP-404SX or A."""
    return content.target.hardware.kind is DeviceKind.SX
