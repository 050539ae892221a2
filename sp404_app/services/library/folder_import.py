"""Take a whole folder tree into one person's library; what is there already is passed over."""

import os
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sqlmodel import Session, col, select

from sp404_app.db import transaction
from sp404_app.errors import AppError, Duplicate, NotFound, TooLarge
from sp404_app.models import Sample
from sp404_app.services.auth import users
from sp404_app.services.billing import quotas
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.infra.text import file_name
from sp404_app.services.library import archives, samples, tags
from sp404_app.services.library.file_kinds import hidden, named_as_sound
from sp404_app.settings import settings


class Outcome(StrEnum):
    """What became of a file."""

    ADDED = "added"
    HERE = "already_here"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Result:
    """One file of the tree, as a path below it, and what became of it."""

    file: str
    outcome: Outcome
    reason: str = ""
    sample_id: str = ""


@dataclass(slots=True)
class Report:
    """What became of the whole tree."""

    results: list[Result] = field(default_factory=list)
    interrupted: bool = False

    def count(self, outcome: Outcome) -> int:
        """Return how many files ended so."""
        return sum(result.outcome is outcome for result in self.results)


@dataclass(frozen=True, slots=True)
class Known:
    """A sound that came from a file of this name and size, and when."""

    sample_id: uuid.UUID
    at: float


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be a sound, in a folder or in an archive.

    `changed` is the time in s of its last change, `on_disk` gives decoders its path.
    """

    shown: str
    folder: str
    filename: str
    size: int
    changed: float
    on_disk: AbstractContextManager[Path]


Shelf = dict[tuple[str, str, int], Known]


def person(email: str) -> uuid.UUID:
    """Return whose library an address stands for.

    Raises:
        NotFound: If nobody has it.
    """
    with transaction() as session:
        found = users.user_with(session, email)
    if found is None:
        raise NotFound(f"Nobody has an account with the address {email}.")
    return found.id


def take(
    user_id: uuid.UUID, root: Path, *, tagged: bool, tell: Callable[[Result], object]
) -> Report:
    """Add every sound below `root`, each in a transaction of its own, telling what became of it.

    An interrupt (Ctrl-C) ends it between two files: run again, it goes on where it stopped.
    """
    report = Report()
    try:
        with transaction() as session:
            shelf = _shelf(session, user_id)
        for path in files(root):
            for result in _take_path(user_id, root, path, shelf, tagged):
                report.results.append(result)
                tell(result)
    except KeyboardInterrupt:
        report.interrupted = True
    return report


def files(root: Path) -> Iterator[Path]:
    """Yield every file below a folder in a steady order, following no link to a folder."""
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not hidden(name))
        yield from (Path(folder) / name for name in sorted(names) if not hidden(name))


def _take_path(
    user_id: uuid.UUID, root: Path, path: Path, shelf: Shelf, tagged: bool
) -> Iterator[Result]:
    """Take a file, or every sound in it if it is a ZIP archive."""
    shown = printable(path.relative_to(root))
    try:
        if outside(root, path):
            yield Result(shown, Outcome.IGNORED, "It is no file of this folder.")
            return
        for found in _found(root, path, shown):
            yield _take_one(user_id, found, shelf, tagged)
    except AppError as refusal:
        yield Result(shown, Outcome.REFUSED, str(refusal))
    except OSError as error:
        yield Result(shown, Outcome.REFUSED, f"Cannot read it: {error.strerror}.")


def _found(root: Path, path: Path, shown: str) -> Iterator[Found]:
    folder = printable(root.resolve().name / path.parent.relative_to(root))
    name, state = printable(Path(path.name)), path.stat()
    with path.open("rb") as file:
        if not archives.is_archive(file):
            yield Found(shown, folder, name, state.st_size, state.st_mtime, nullcontext(path))
            return
        with archives.opened(file, name) as archive:
            for member in archive.members:
                yield Found(
                    f"{shown}/{member.path}",
                    f"{folder}/{member.folder}",
                    member.filename,
                    member.size,
                    state.st_mtime,
                    archive.unpacked(member),
                )


def _take_one(user_id: uuid.UUID, found: Found, shelf: Shelf, tagged: bool) -> Result:
    try:
        known = _recognised(shelf, found)
        if known:
            return Result(found.shown, Outcome.HERE, sample_id=str(known.sample_id))
        return Result(found.shown, Outcome.ADDED, sample_id=_add(user_id, found, tagged))
    except Duplicate as twin:
        return Result(found.shown, Outcome.HERE, str(twin), twin.details["sample_id"])
    except AppError as refusal:
        sound = named_as_sound(found.filename) or refusal.code != "bad_audio"
        return Result(found.shown, Outcome.REFUSED if sound else Outcome.IGNORED, str(refusal))
    except OSError as error:
        return Result(found.shown, Outcome.REFUSED, f"Cannot read it: {error.strerror}.")


def _add(user_id: uuid.UUID, found: Found, tagged: bool) -> str:
    if found.size > settings().max_upload_bytes:
        raise TooLarge(f"This file is larger than {format_size(settings().max_upload_bytes)}.")
    with transaction() as session:  # before the work of decoding it
        quotas.ensure_room(session, user_id, found.size)
    with found.on_disk as path:
        incoming = samples.inspect(path, found.filename, found.folder)
        names = tags.of_folder(found.folder) if tagged else []
        with transaction() as session:
            return str(samples.add(session, user_id, incoming, tag_names=names))


def outside(root: Path, path: Path) -> bool:
    """Say whether a file is none, or a link that leads out of the folder."""
    if not path.resolve().is_relative_to(root.resolve()):
        return True
    return not stat.S_ISREG(path.stat().st_mode)


def _shelf(session: Session, user_id: uuid.UUID) -> Shelf:
    """List what is there already by what a file shows without being decoded."""
    columns = (Sample.folder, Sample.filename, Sample.size, Sample.id, Sample.created_at)
    rows = session.execute(
        select(*columns).where(Sample.user_id == user_id, col(Sample.deleted_at).is_(None))  # type: ignore[call-overload]
    )
    return {
        (folder, name, size): Known(sample_id, created.timestamp())
        for folder, name, size, sample_id, created in rows
    }


def _recognised(shelf: Shelf, found: Found) -> Known | None:
    """Return the sample a file became, unless the file was changed since."""
    key = samples.folder_name(found.folder), file_name(found.filename), found.size
    known = shelf.get(key)
    return known if known and found.changed < known.at else None


def printable(path: Path) -> str:
    """Write a path so that it can be kept and printed, whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "replace")
