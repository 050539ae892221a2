"""The pre-flight of an export: what becomes of each pad, and what is refused, in sentences.

`check_export` is pure: it needs the loaded content only, so it answers before anything is rendered.
"""

import uuid
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.devices.capabilities import BANKS
from sp404_app.services.cards import export_content, export_sentences, exported_audio
from sp404_app.services.cards.export_content import ExportContent, ExportTarget
from sp404_app.services.cards.export_names import import_paths
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.projects import history
from sp404_app.services.projects.conversion import Difference
from sp404_app.services.projects.kit import PadPosition

EMPTY = "This project is empty. Put a sound on a pad first."
NOTHING_LEFT = "No pad of this project can be exported."


@dataclass(frozen=True, slots=True)
class PadCheck:
    """What becomes of a pad; bank and pad are those of the project, also if the export moves it.

    `device_name` is the name that the device shows; of an import pack and of a SP-404SX, that of
    the file. `frames` and `bytes` are None while only rendering can tell.
    """

    bank: str
    pad: int
    name: str
    device_name: str
    changes: list[str]
    warnings: list[str]
    refused: str | None
    frames: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Preflight:
    """The check of a whole export. `ok`: every pad is exported. `problems` concern all pads."""

    ok: bool
    bytes: int
    seconds: float
    problems: list[str]
    pads: list[PadCheck]


def get_preflight(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, target: ExportTarget
) -> Preflight:
    """Check an export of a project.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
    """
    project = history.get_project(session, user_id, project_id)
    return check_export(export_content.load_content(session, project, target))


def check_export(content: ExportContent) -> Preflight:
    """Return what becomes of each pad of the project, in its order."""
    names = import_paths(content.kit) if content.target.device == "import" else {}
    checks = [_check_pad(content, at, names.get(at, "")) for at in content.kit.pads]
    checks += [
        _check_left_out(content, each) for each in content.differences if each.kind == "left_out"
    ]
    checks.sort(key=lambda each: (each.bank, each.pad))
    exported = [each for each in checks if each.refused is None]
    seconds = sum(each.frames or 0 for each in exported) / content.kit.device.rate
    total = sum(each.bytes or 0 for each in exported)
    return Preflight(
        ok=bool(exported) and len(exported) == len(checks),
        bytes=total,
        seconds=round(seconds, 3),
        problems=_problems(content, checks, total),
        pads=checks,
    )


def _problems(content: ExportContent, checks: list[PadCheck], total: int) -> list[str]:
    device = content.kit.device
    if not checks:
        return [EMPTY]
    problems: list[str] = []
    if all(each.refused for each in checks):
        problems.append(NOTHING_LEFT)
    if total > device.storage_bytes:
        sizes = f"{format_size(total)}, but the {device.title} holds"
        problems.append(f"This is {sizes} {format_size(device.storage_bytes)}.")
    return problems


def _check_pad(content: ExportContent, at: PadPosition, path: str) -> PadCheck:
    """Return what becomes of the pad that the target has at this place."""
    origin = content.origins[at]
    return PadCheck(
        bank=origin.bank_letter,
        pad=origin.pad,
        name=content.kit.pads[at].name,
        device_name=exported_audio.name_on_device(content, at, path),
        changes=export_sentences.changes_of(content, at, path),
        warnings=export_sentences.warnings_of(content, at),
        refused=exported_audio.refusal(content, at),
        frames=exported_audio.exported_frames(content, at),
        bytes=exported_audio.exported_bytes(content, at),
    )


def _check_left_out(content: ExportContent, lost: Difference) -> PadCheck:
    """Return the check of a pad for which the target has no place."""
    name = content.original.pads[PadPosition(BANKS.index(lost.bank), lost.pad)].name
    return PadCheck(lost.bank, lost.pad, name, "", [], [], lost.what, None, None)
