"""Import tags, ratings and other values of samples from a CSV file, in one transaction.

A cell that is empty or faulty changes nothing; tags replace those of the sample.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ARRAY, String, any_, literal
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from sp404_app.errors import ValidationFailed
from sp404_app.models import Sample, Source
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library import changed_folders, samples, tags
from sp404_app.services.library.changed_folders import Folder
from sp404_app.services.library.csv_table import CsvRow, CsvTable, FaultyCell

BATCH_ROWS: Final = 1000
MAX_LISTED: Final = 100  # of each kind, in a report
MAX_NEW_TAG_NAMES: Final = 5000
BPM_TOLERANCE: Final = 0.005  # spreadsheets round
SOURCED: Final = ("bpm", "key")


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that changes nothing, what it names, and why it does not."""

    line: int
    wanted: str
    error: str


@dataclass(frozen=True, slots=True)
class ChangedSample:
    """A sample that a row changes: its old and new value by field."""

    line: int
    id: uuid.UUID
    name: str
    fields: dict[str, tuple[Any, Any]]


@dataclass(slots=True)
class ImportReport:
    """What an import changes, or has changed. Lists have at most `MAX_LISTED` entries."""

    rows: int = 0
    changed: int = 0
    unchanged: int = 0
    not_found: int = 0
    ambiguous: int = 0
    faulty: int = 0
    is_applied: bool = False
    changes: list[ChangedSample] = field(default_factory=list)
    rows_not_found: list[SkippedRow] = field(default_factory=list)
    ambiguous_rows: list[SkippedRow] = field(default_factory=list)
    faulty_cells: list[FaultyCell] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)


def import_table(
    session: Session, user_id: uuid.UUID, table: CsvTable, *, preview: bool
) -> ImportReport:
    """Change the samples that the rows name, or with `preview` only say what would change.

    Samples in the trash are not found. Rows are locked in the order of their ids.

    Raises:
        ValidationFailed: If the file has too many different tags.
    """
    report = ImportReport(
        rows=len(table.rows),
        faulty=len(table.faulty),
        faulty_cells=table.faulty[:MAX_LISTED],
        ignored_columns=table.ignored_columns,
        is_applied=not preview,
    )
    targets = _find_targets(session, user_id, table.rows, report)
    spelling = _TagSpelling(session, user_id)
    if not preview:
        _lock_samples(session, user_id, sorted(targets))  # before the tags, as everywhere
        spelling.load(name for row in targets.values() for name in row.values.get("tags", ()))
    for sample in _load_samples(session, user_id, sorted(targets)):
        row = targets.pop(sample.id)
        changes = dict(_find_changes(sample, row))
        if not changes:
            report.unchanged += 1
            continue
        report.changed += 1
        if len(report.changes) < MAX_LISTED:
            report.changes.append(ChangedSample(row.line, sample.id, sample.name, changes))
        if not preview:
            _apply(session, sample, {name: new for name, (_, new) in changes.items()}, spelling)
    for row in targets.values():  # deleted meanwhile
        _skip_not_found(report, row)
    if report.changed and not preview:
        samples.publish_sample(session, user_id)
    report.changes.sort(key=lambda change: change.line)
    return report


def _find_targets(
    session: Session, user_id: uuid.UUID, rows: Sequence[CsvRow], report: ImportReport
) -> dict[uuid.UUID, CsvRow]:
    """Return the row of each sample; report rows that name none, several, or one named before."""
    found = {
        "id": _find_by(session, user_id, rows, "id", col(Sample.id)),
        "filename": _find_by(session, user_id, rows, "filename", col(Sample.filename)),
        "name": _find_by(session, user_id, rows, "name", col(Sample.name)),
    }
    targets: dict[uuid.UUID, CsvRow] = {}
    for row in rows:
        ids = found[row.found_by].get(row.wanted, [])
        if not ids:
            _skip_not_found(report, row)
        elif len(ids) > 1:
            _skip_ambiguous(report, row, f"{len(ids):,} sounds have this {row.found_by}.")
        elif ids[0] in targets:
            first = targets[ids[0]].line
            _skip_ambiguous(report, row, f"Line {first} is for the same sound.")
        else:
            targets[ids[0]] = row
    return targets


def _find_by(
    session: Session, user_id: uuid.UUID, rows: Sequence[CsvRow], name: str, column: Any
) -> dict[Any, list[uuid.UUID]]:
    """Return the ids of the user's samples by the value of a column that rows name."""
    wanted = list(dict.fromkeys(row.wanted for row in rows if row.found_by == name))
    found: dict[Any, list[uuid.UUID]] = defaultdict(list)
    for start in range(0, len(wanted), BATCH_ROWS):
        part = wanted[start : start + BATCH_ROWS]
        is_named = (
            samples.has_id_in(part)
            if name == "id"
            else column == any_(literal(part, ARRAY(String)))
        )
        mine = select(Sample.id, column).where(
            Sample.user_id == user_id, col(Sample.deleted_at).is_(None), is_named
        )
        for sample_id, value in session.execute(mine):
            found[value].append(sample_id)
    return found


def _skip_not_found(report: ImportReport, row: CsvRow) -> None:
    report.not_found += 1
    if len(report.rows_not_found) < MAX_LISTED:
        skipped = SkippedRow(row.line, str(row.wanted), f"No sound has this {row.found_by}.")
        report.rows_not_found.append(skipped)


def _skip_ambiguous(report: ImportReport, row: CsvRow, reason: str) -> None:
    report.ambiguous += 1
    if len(report.ambiguous_rows) < MAX_LISTED:
        report.ambiguous_rows.append(SkippedRow(row.line, str(row.wanted), reason))


def _lock_samples(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
    """Lock samples in the order of their ids, which prevents deadlocks."""
    mine = select(Sample.id).where(Sample.user_id == user_id, samples.has_id_in(ids))
    session.exec(mine.order_by(col(Sample.id)).with_for_update()).all()


def _load_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> Iterator[Sample]:
    """Yield samples in the order of their ids; only one batch is in memory."""
    for start in range(0, len(ids), BATCH_ROWS):
        part = ids[start : start + BATCH_ROWS]
        mine = (
            select(Sample)
            .where(
                Sample.user_id == user_id,
                samples.has_id_in(part),
                col(Sample.deleted_at).is_(None),
            )
            .order_by(col(Sample.id))
            .options(defer(Sample.search), defer(Sample.thumbnail))  # type: ignore[arg-type]
        )
        yield from session.exec(mine).all()
        session.flush()
        session.expunge_all()


def _find_changes(sample: Sample, row: CsvRow) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield each field whose value differs, with the old and the new value."""
    for name, new in row.values.items():
        old = getattr(sample, name)
        if name == "tags":
            is_same = {tag.casefold() for tag in old} == {tag.casefold() for tag in new}
        elif name == "bpm":
            is_same = old is not None and abs(old - new) <= BPM_TOLERANCE
        elif name == "note":
            is_same = old.split() == new.split()  # line breaks may have been converted
        else:
            is_same = old == new
        if not is_same:
            yield name, (old, new)


def _apply(
    session: Session, sample: Sample, values: dict[str, Any], spelling: "_TagSpelling"
) -> None:
    """Set new values; tempo and key are marked so that no analysis overwrites them."""
    for name, value in values.items():
        setattr(sample, name, spelling.stored(value) if name == "tags" else value)
        if name in SOURCED:
            setattr(sample, f"{name}_source", Source.USER)
            changed_folders.mark_changed(session, [Folder(sample.user_id, sample.folder)])
    samples.update_search_fields(sample)
    session.add(sample)


class _TagSpelling:
    """The stored spelling of tags; those that are new are created."""

    def __init__(self, session: Session, user_id: uuid.UUID) -> None:
        self.session, self.user_id = session, user_id
        self.known: dict[str, str] = {}

    def load(self, names: Iterable[str]) -> None:
        """Create or find many tags at once.

        Raises:
            ValidationFailed: If they are too many.
        """
        wanted = {name.casefold(): name for name in names}
        if len(wanted) > MAX_NEW_TAG_NAMES:
            raise ValidationFailed(
                f"This file has {len(wanted):,} different tags. The limit is {MAX_NEW_TAG_NAMES:,}."
            )
        # In one order, so that two imports with the same tags cannot deadlock.
        ordered = [wanted[key] for key in sorted(wanted)]
        for start in range(0, len(ordered), tags.MAX_TAGS):
            part = ordered[start : start + tags.MAX_TAGS]
            for stored in tags.get_or_create_tags(self.session, self.user_id, part):
                self.known[stored.casefold()] = stored

    def stored(self, names: Sequence[str]) -> list[str]:
        """Return tags in their stored spelling."""
        if all(name.casefold() in self.known for name in names):
            found = {self.known[name.casefold()] for name in names}
            return sorted(found, key=sort_key)
        return tags.get_or_create_tags(self.session, self.user_id, names)
