"""What the pad page shows: the project, its banks, the visible pads, and the chosen pad."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session

from sp404_app.audio.features.musical_keys import camelot
from sp404_app.devices.capabilities import BANKS, Device
from sp404_app.devices.pad_settings import DEFAULTS, STORED_BY
from sp404_app.models import Kind, Project, ProjectPad, Sample
from sp404_app.services.cards.patterns import count_patterns
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.projects import history, projects, renders
from sp404_app.services.projects.device_names import device_name
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pad_edits import source_frames
from sp404_app.services.projects.projects import ProjectSummary, device_of
from sp404_app.services.projects.schemas import sample_status
from sp404_app.services.sample import pad_usage
from sp404_app.state.rows import format_tempo

NO_PAD = ""


@dataclass(frozen=True, slots=True)
class ProjectHead:
    """The bar above the pads; `share` is the part of the device's memory in per cent.

    `position` is the number of the last step of undo history that is in force.
    """

    id: str = ""
    name: str = ""
    device: str = "mk2"
    title: str = ""
    rate: int = 48_000
    voices: int = 32
    pads_per_bank: int = 16
    tempo: str = "90"
    tempo_source: str = "project"
    revision: int = 0
    position: int = 0
    size: str = ""
    capacity: str = ""
    share: float = 0.0
    filled: int = 0
    total: int = 160
    undo: str = ""
    redo: str = ""
    is_trashed: bool = False
    patterns: int = 0


@dataclass(frozen=True, slots=True)
class BankTab:
    """One of the ten bank buttons; `fill` is per cent."""

    letter: str
    colour: str
    filled: int
    fill: int
    name: str


@dataclass(frozen=True, slots=True)
class PadCell:
    """One pad of the visible bank, and what the player needs to play it.

    `settings` holds only what differs from the defaults. `url` and `hash` name its audio; `ready`
    says whether it is rendered.
    """

    key: str
    number: int
    revision: int = 0
    name: str = ""
    device_name: str = ""
    status: str = ""  # "", "trashed", "missing"
    sample_id: str = ""
    wave: str = ""
    bpm: str = ""
    music_key: str = ""
    length: str = ""
    frames: int = 0
    channels: int = 2
    kind: str = ""
    edited: bool = False
    chops: int = 0
    error: str = ""
    url: str = ""
    hash: str = ""
    ready: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PadSheet:
    """The chosen pad: all settings, its edit, and its sample. Frames are at the device's rate."""

    key: str = NO_PAD
    revision: int = 0
    name: str = ""
    device_name: str = ""
    status: str = ""
    sample_id: str = ""
    sample_name: str = ""
    detail: str = ""
    also_on: str = ""  # other pads with the same sample
    bpm: str = ""
    frames: int = 0
    channels: int = 2
    source_frames: int = 0
    source_seconds: float = 0.0
    rate: int = 48_000
    start: int = 0
    end: int = 0
    loop_top: int = 0
    chops: list[int] = field(default_factory=list)
    chop_count: int = 0
    settings: dict[str, Any] = field(default_factory=lambda: dict(DEFAULTS))
    edited: bool = False
    url: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class EditView:
    """The chosen pad's edit as its controls show it; choices are texts such as "lufs -14"."""

    pitch: float = 0.0
    stretch: float = 1.0
    gain_db: float = 0.0
    fade_in: float = 0.0
    fade_out: float = 0.0
    resample_trick: float = 0.0
    normalise: str = ""
    trim_silence: str = ""
    channels: str = "keep"
    reverse: bool = False
    tempo_match: str = ""


@dataclass(frozen=True, slots=True)
class PadPage:
    """Everything that the page shows after a change."""

    head: ProjectHead
    banks: list[BankTab]
    cells: list[PadCell]
    sheet: PadSheet
    edit: EditView
    raw_edit: dict[str, Any]


def load_page(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, bank: int, chosen: str
) -> PadPage:
    """Read what the page shows, and request the audio of the visible pads.

    A pad of another bank is not chosen any more: its content is not read here.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
    """
    summary = projects.get_summary(session, user_id, project_id)
    project = summary.project
    rows, samples = history.load_bank(session, project.id, bank)
    device = device_of(project)
    ready = renders.ensure_renders(session, project, rows, samples)
    cells = [
        _cell(project, PadPosition(bank, number), rows, samples, ready, device)
        for number in range(1, device.pads_per_bank + 1)
    ]
    at = parse_key(chosen, device)
    if at and at.bank != bank:
        at, chosen = None, NO_PAD
    chosen_row = rows.get(at) if at else None
    raw_edit = (chosen_row.edit or {}) if chosen_row else {}
    return PadPage(
        head=_head(session, summary),
        banks=_bank_tabs(summary, device),
        cells=cells,
        sheet=_with_other_pads(
            session, project, _sheet(rows, samples, ready, cells, device, chosen)
        ),
        edit=edit_view(raw_edit),
        raw_edit=raw_edit,
    )


def parse_key(key: str, device: Device) -> PadPosition | None:
    """Return the position of a key such as "A1", or None if the device has no such pad."""
    letter, number = key[:1], key[1:]
    if letter not in BANKS or not letter or not number.isascii() or not number.isdigit():
        return None
    pad = int(number[:3])
    return PadPosition(BANKS.index(letter), pad) if 1 <= pad <= device.pads_per_bank else None


def format_seconds(frames: int | None, rate: int) -> str:
    """Write a length: "0.352 s", "12.4 s"."""
    if not frames:
        return ""
    seconds = frames / rate
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def _head(session: Session, summary: ProjectSummary) -> ProjectHead:
    project, size = summary.project, summary.bytes
    undo, redo = history.next_labels(session, project)
    device = device_of(project)
    return ProjectHead(
        id=str(project.id),
        name=project.name[:80],
        device=device.kind,
        title=device.title,
        rate=device.rate,
        voices=device.voices,
        pads_per_bank=device.pads_per_bank,
        tempo=format_tempo(project.tempo),
        tempo_source=project.tempo_source,
        revision=project.revision,
        position=project.history_position,
        size=format_size(size),
        capacity=f"{device.storage_bytes // 10**9} GB",
        share=round(100 * size / device.storage_bytes, 3),
        filled=summary.filled,
        total=device.pad_count,
        undo=undo,
        redo=redo,
        is_trashed=project.deleted_at is not None,
        patterns=count_patterns(session, project.id),
    )


def _bank_tabs(summary: ProjectSummary, device: Device) -> list[BankTab]:
    return [
        BankTab(
            letter,
            bank["colour"],
            count,
            round(100 * count / device.pads_per_bank),
            bank["name"],
        )
        for letter, bank, count in zip(
            BANKS, summary.project.banks, summary.filled_by_bank, strict=True
        )
    ]


def _cell(
    project: Project,
    at: PadPosition,
    rows: Mapping[PadPosition, ProjectPad],
    samples: Mapping[uuid.UUID, Sample],
    ready: Mapping[PadPosition, renders.RenderStatus],
    device: Device,
) -> PadCell:
    row = rows.get(at)
    if row is None:
        return PadCell(str(at), at.pad)
    sample = _sample(row, samples)
    status = sample_status(sample)
    render = ready.get(at)
    return PadCell(
        key=str(at),
        number=at.pad,
        revision=row.revision,
        name=row.name[:80],
        device_name=device_name(row.name),
        status="" if status == "ready" else status,
        sample_id=str(row.sample_id or ""),
        wave=sample.thumbnail if sample else "",
        # That of a one-shot is what the device derived from its length.
        bpm=""
        if sample and sample.kind == Kind.ONE_SHOT
        else format_tempo(row.settings.get("bpm")),
        music_key=_short_key(sample),
        length=format_seconds((render.frames if render else None) or row.frames, device.rate),
        frames=(render.frames if render else None) or row.frames or 0,
        channels=1 if sample and sample.channels == 1 else 2,
        kind=(sample.sound_class or sample.kind or "") if sample else "",
        edited=bool(row.edit),
        chops=len(row.chops),
        error=render.error if render else "",
        url=f"/api/projects/{project.id}/pads/{at.bank_letter}/{at.pad}/audio?v={render.key}"
        if render
        else "",
        hash=render.key if render else "",
        ready=bool(render and render.is_ready),
        settings=_changed_settings(row.settings),
    )


def _sheet(
    rows: Mapping[PadPosition, ProjectPad],
    samples: Mapping[uuid.UUID, Sample],
    ready: Mapping[PadPosition, renders.RenderStatus],
    cells: Sequence[PadCell],
    device: Device,
    chosen: str,
) -> PadSheet:
    at = parse_key(chosen, device)
    row = rows.get(at) if at else None
    if at is None or row is None:
        return PadSheet(key=str(at) if at else NO_PAD, rate=device.rate)
    sample = _sample(row, samples)
    settings = DEFAULTS | row.settings
    render = ready.get(at)
    frames = (render.frames if render else None) or row.frames or 0
    return PadSheet(
        key=str(at),
        revision=row.revision,
        name=row.name[:80],
        device_name=device_name(row.name),
        status=sample_status(sample),
        sample_id=str(row.sample_id or ""),
        sample_name=sample.name[:80] if sample else "",
        detail=_detail(sample, row, device),
        bpm=format_tempo(settings["bpm"]),
        frames=frames,
        channels=(render.channels if render else None) or 2,
        source_frames=(source_frames(sample) or 0) if sample else 0,
        source_seconds=round(sample.duration or 0, 4) if sample else 0.0,
        rate=device.rate,
        start=settings["start"],
        end=frames if settings["end"] is None else settings["end"],
        loop_top=settings["loop_top"],
        chops=list(row.chops),
        chop_count=len(row.chops),
        settings=settings,
        edited=bool(row.edit),
        url=next((cell.url for cell in cells if cell.key == chosen), ""),
        error=next((cell.error for cell in cells if cell.key == chosen), ""),
    )


def _with_other_pads(session: Session, project: Project, sheet: PadSheet) -> PadSheet:
    """Return the sheet with the other pads, of projects in use, that have the same sample."""
    if not sheet.sample_id:
        return sheet
    uses = pad_usage.pads_of_samples(session, project.user_id, [uuid.UUID(sheet.sample_id)])
    others = [
        use
        for use in uses
        if not use.is_trashed
        and (use.project_id, f"{use.bank}{use.pad}") != (project.id, sheet.key)
    ]
    return replace(sheet, also_on=pad_usage.describe_pads(others)) if others else sheet


def edit_view(edit: Mapping[str, Any]) -> EditView:
    """Return what the controls of an edit show."""
    level = edit.get("normalise")
    match = edit.get("stretch_to_bpm")
    ratio = match["from"] / match["to"] if match else edit.get("stretch") or 1.0
    silence = edit.get("trim_silence")
    return EditView(
        pitch=edit.get("pitch", 0.0),
        stretch=round(ratio, 3),
        gain_db=edit.get("gain_db", 0.0),
        fade_in=edit.get("fade_in", 0.0),
        fade_out=edit.get("fade_out", 0.0),
        resample_trick=edit.get("resample_trick") or 0.0,
        normalise=f"{level['to']} {level['value']:g}" if level else "",
        trim_silence="" if silence is None else f"{silence:g}",
        channels=edit.get("channels", "keep"),
        reverse=edit.get("reverse", False),
        tempo_match=f"{match['from']:g} → {match['to']:g}" if match else "",
    )


def _detail(sample: Sample | None, row: ProjectPad, device: Device) -> str:
    """Return tempo, key, class and length in one line."""
    if sample is None:
        return ""
    parts = [
        f"{format_tempo(sample.bpm)} BPM" if sample.bpm else "",
        f"{camelot(sample.key)} {_short_key(sample)}" if sample.key else "",
        sample.sound_class or "",
        format_seconds(row.frames, device.rate),
        "mono" if sample.channels == 1 else "stereo",
    ]
    return " · ".join(part for part in parts if part)


def _short_key(sample: Sample | None) -> str:
    key = (sample.key or "") if sample else ""
    return key.replace(" major", "").replace(" minor", "m")


def _sample(row: ProjectPad, samples: Mapping[uuid.UUID, Sample]) -> Sample | None:
    return samples.get(row.sample_id) if row.sample_id else None


def _changed_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value != DEFAULTS.get(name)}


def settings_of_device(device: Device) -> Sequence[str]:
    """Return the names of the settings that a device stores, sorted."""
    return sorted(STORED_BY[device.kind])
