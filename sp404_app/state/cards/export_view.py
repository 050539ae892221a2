"""View models of the export dialog: what the check before an export found, and its result."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sp404_app.services.cards.preflight import PadCheck, Preflight
from sp404_app.state.formatting import format_size

DETAILS = {"import": "IMPORT", "export": "EXPORT/PROJECT"}


@dataclass(frozen=True, slots=True)
class PadLink:
    """A pad that leads to its place on the pad page."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """Pads of which the check says the same."""

    text: str
    pads: list[PadLink]


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """What an export holds, and what is said of its pads: refused, warned of, changed."""

    pads: str = ""
    size: str = ""
    duration: str = ""
    is_empty: bool = True
    problems: list[str] = field(default_factory=list)
    refused: list[CheckGroup] = field(default_factory=list)
    warnings: list[CheckGroup] = field(default_factory=list)
    changes: list[CheckGroup] = field(default_factory=list)
    refused_title: str = ""
    warnings_title: str = ""
    changes_title: str = ""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A finished export."""

    id: str = ""
    size: str = ""
    files: str = ""
    sha256: str = ""


def check_of(found: Preflight) -> ExportCheck:
    """Return what the dialog shows of a check."""
    exported = [pad for pad in found.pads if pad.refused is None]
    refused = [pad for pad in found.pads if pad.refused is not None]
    warned = [pad for pad in exported if pad.warnings]
    changed = [pad for pad in exported if pad.changes]
    return ExportCheck(
        pads=count_pads(len(exported)),
        size=format_size(found.bytes),
        duration=format_length(found.seconds),
        is_empty=not exported,
        problems=list(found.problems),
        refused=_group((pad, pad.refused or "") for pad in refused),
        warnings=_group(_sentences(warned, "warnings")),
        changes=_group(_sentences(changed, "changes")),
        refused_title=f"{count_pads(len(refused))} left out" if refused else "",
        warnings_title=f"{count_pads(len(warned))} to look at" if warned else "",
        changes_title=f"{count_pads(len(changed))} converted or renamed" if changed else "",
    )


def result_of(result: dict[str, Any]) -> ExportResult:
    """Return what the dialog shows of a finished job."""
    files = int(result["files"])
    return ExportResult(
        id=str(result["export_id"]),
        size=format_size(int(result["bytes"])),
        files=f"{files:,} {'file' if files == 1 else 'files'}",
        sha256=str(result["sha256"]),
    )


def count_pads(count: int) -> str:
    """Return "1 pad" or "12 pads"."""
    return f"{count} {'pad' if count == 1 else 'pads'}"


def format_length(seconds: float) -> str:
    """Return a length as minutes and seconds: "7:05 min", below a minute "12.3 s"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} min"


def _sentences(pads: Iterable[PadCheck], name: str) -> Iterator[tuple[PadCheck, str]]:
    for pad in pads:
        for sentence in getattr(pad, name):
            yield pad, sentence


def _group(said: Iterable[tuple[PadCheck, str]]) -> list[CheckGroup]:
    """Return one group for each sentence, the one of most pads first."""
    pads: dict[str, list[PadLink]] = {}
    for pad, sentence in said:
        pads.setdefault(sentence, []).append(PadLink(f"{pad.bank}{pad.pad}", pad.name))
    groups = [CheckGroup(text, links) for text, links in pads.items()]
    return sorted(groups, key=lambda group: -len(group.pads))
