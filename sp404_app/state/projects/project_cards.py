"""View models of the list of projects: cards, and the report of a conversion."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sp404_app.devices.capabilities import BANKS, DEVICES, Device, DeviceKind
from sp404_app.models import Project
from sp404_app.services.projects.conversion import Difference
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.projects import TRASH_DAYS, ProjectSummary, device_of
from sp404_app.services.sample.pad_usage import bank_colour
from sp404_app.state import formatting
from sp404_app.state.rows import format_tempo

OTHER_KIND = {DeviceKind.MK2: DeviceKind.SX, DeviceKind.SX: DeviceKind.MK2}
MAX_RANGES = 4  # listed in a notice


@dataclass(frozen=True, slots=True)
class BankPicture:
    """A bank in the picture of a project: its letter, colour, and the pads that are filled."""

    letter: str
    colour: str
    pads: list[int]


@dataclass(frozen=True, slots=True)
class ProjectCard:
    """A project in the list."""

    id: str
    name: str
    device: str
    other_device: str  # that it can be converted to
    filled: str
    free: str
    is_full: bool
    tempo: str
    changed: str
    pads_per_bank: int
    banks: list[BankPicture]


@dataclass(frozen=True, slots=True)
class ReportLine:
    """Pads with the same difference."""

    pads: str
    what: str


@dataclass(frozen=True, slots=True)
class ReportGroup:
    """Differences of one kind."""

    title: str
    lines: list[ReportLine]


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """What of a project the other device cannot hold; `project_id` is that of the copy."""

    project_id: str = ""
    name: str = ""
    groups: list[ReportGroup] = field(default_factory=list)


def card_of(summary: ProjectSummary, at: dt.datetime) -> ProjectCard:
    """Return the card of a project at a time."""
    project, device = summary.project, device_of(summary.project)
    free = device.pad_count - summary.filled
    return ProjectCard(
        id=str(project.id),
        name=project.name,
        device=device.title,
        other_device=other_device(device).title,
        filled=f"{summary.filled} of {device.pad_count} pads",
        free="No free pads" if free <= 0 else f"{free} free {'pad' if free == 1 else 'pads'}",
        is_full=free <= 0,
        tempo=f"{format_tempo(project.tempo)} BPM",
        changed=_describe_change(project, at),
        pads_per_bank=device.pads_per_bank,
        banks=[
            BankPicture(letter, bank_colour(project, number), list(pads))
            for number, (letter, pads) in enumerate(zip(BANKS, summary.pads_by_bank, strict=True))
        ],
    )


def other_device(device: Device) -> Device:
    """Return the device that a project of this one can be converted to."""
    return DEVICES[OTHER_KIND[device.kind]]


def _describe_change(project: Project, at: dt.datetime) -> str:
    if project.deleted_at is None:
        return f"Changed {formatting.format_age(project.updated_at, at)}"
    left = (project.deleted_at + dt.timedelta(days=TRASH_DAYS) - at).days + 1
    if left <= 1:
        return "Permanently deleted within a day"
    return f"Permanently deleted in {left} days"


def report_of(copy: Project, differences: Sequence[Difference]) -> ConversionReport:
    """Return the report of a conversion, grouped by what happened to the pads."""
    title = device_of(copy).title
    pads = device_of(copy).pads_per_bank
    groups = (
        ReportGroup(
            f"Moved, because the {title} has {pads} pads in a bank",
            [
                ReportLine(f"{each.bank}{each.pad} → {each.to}", "")
                for each in differences
                if each.kind == "moved"
            ],
        ),
        ReportGroup(
            f"Left out, because the {title} has {pads} pads in a bank",
            _lines(differences, "left_out"),
        ),
        ReportGroup(f"Kept, but not stored by the {title}", _lines(differences, "not_stored")),
        ReportGroup("Changed", _lines(differences, "changed")),
        ReportGroup(f"Too long for the {title}", _lines(differences, "too_long")),
    )
    return ConversionReport(str(copy.id), copy.name, [group for group in groups if group.lines])


def _lines(differences: Iterable[Difference], kind: str) -> list[ReportLine]:
    """Return one line for all pads with the same difference."""
    pads: dict[str, list[str]] = {}
    for each in differences:
        if each.kind == kind:
            pads.setdefault(each.what, []).append(f"{each.bank}{each.pad}")
    return [ReportLine(", ".join(names), _detail(what, kind)) for what, names in pads.items()]


def _detail(what: str, kind: str) -> str:
    """Return what the title of the group does not say; `what` is "Heading: detail."."""
    if kind == "left_out":
        return ""
    return what if kind == "changed" else what.partition(": ")[2].rstrip(".")


def describe_positions(positions: Sequence[PadPosition]) -> str:
    """Return pads in words: "pad A1", "pads A1–A3, A5", "12 pads"."""
    if len(positions) == 1:
        return f"pad {positions[0]}"
    ranges: list[list[PadPosition]] = []
    for at in positions:
        if ranges and (at.bank, at.pad - 1) == ranges[-1][-1]:
            ranges[-1].append(at)
        else:
            ranges.append([at])
    if len(ranges) > MAX_RANGES:
        return f"{len(positions)} pads"
    words = [f"{each[0]}–{each[-1]}" if len(each) > 1 else str(each[0]) for each in ranges]
    return f"pads {', '.join(words)}"
