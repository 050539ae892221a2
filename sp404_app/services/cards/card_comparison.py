"""Compare a card with what an export would write: as it was, as it is, as it would be.

Files that are not ours are never touched: the comparison lists only files that the export has, and
files that were ours before and that the export no longer has.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from sp404_app.devices.capabilities import BANKS
from sp404_app.devices.mk2 import paths as mk2_paths
from sp404_app.devices.sx import paths as sx_paths
from sp404_app.services.cards.card_paths import fold_path
from sp404_app.services.cards.imports import ListedFile

What = Literal["add", "replace", "delete", "conflict"]
File = TypeVar("File", bound=ListedFile)

NEW: Final = "Not on the card yet."
GONE: Final = "It was deleted on the card; it is written again."
CHANGED_HERE: Final = "Changed in the project."
CHANGED_ON_CARD: Final = "It was changed on the card since it was read."
UNREAD: Final = "It was not read before."
FOREIGN: Final = "This file is not from this project."
UNUSED: Final = "The project no longer uses this file."
CHOSEN: Final = "You chose to delete it."
CHOSEN_BUT_CHANGED: Final = "You chose to delete it, but it was changed on the card."
CHOSEN_UNREAD: Final = "You chose to delete it, and it was not read before."
UNUSED_BUT_CHANGED: Final = "The project no longer uses this file, but it was changed on the card."
UNUSED_UNREAD: Final = "The project no longer uses this file, and it was not read before."


@dataclass(frozen=True, slots=True)
class RecordedFile(ListedFile):
    """A file as this project last read or wrote it.

    `unused`: no pad used it when the card was read. `remove`: the user wants it to be deleted.
    """

    unused: bool = False
    remove: bool = False


@dataclass(frozen=True, slots=True)
class CardChange:
    """What happens to a file on the card. `pad` and `bank` are set for the sound of a pad.

    `needs_hash`: the file on the card was listed without its hash, and its size does not decide.
    """

    path: str
    what: What
    why: str
    bank: str | None = None
    pad: int | None = None
    needs_hash: bool = False


def compare_card(
    before: Iterable[RecordedFile],
    now: Iterable[ListedFile],
    wanted: Iterable[ListedFile],
    folder: str | None,
    kept: Container[tuple[str, int] | None] = (),
) -> list[CardChange]:
    """Return the changes that writing `wanted` makes, in the order of their paths.

    `before` are the files as this project last read or wrote them, `now` as they are, `wanted` as
    the export has them. Paths begin at the card's root and are compared without case. Only files in
    `folder` are deleted: those that the user chose, and sounds of pads which the project used. The
    sounds that pads in `kept` used stay, also chosen ones: the export describes these pads as
    before, but has no sound of theirs that could be written again.
    """
    old, present, new = _by_path(before), _by_path(now), _by_path(wanted)
    changes: list[CardChange] = []
    for key in sorted(new):
        verdict = _verdict(old.get(key), present.get(key), new[key])
        if verdict:
            spelled = present[key].path if key in present else new[key].path
            changes.append(_change(spelled, *verdict))
    for key in sorted(set(old) & set(present) - set(new)) if folder else ():
        if key.startswith(f"{fold_path(folder or '')}/"):
            verdict = _verdict_on_unwanted(old[key], present[key], kept)
            changes += [_change(present[key].path, *verdict)] if verdict else []
    return sorted(changes, key=lambda each: each.path)


def _by_path(files: Iterable[File]) -> dict[str, File]:
    return {fold_path(each.path): each for each in files}


def _verdict_on_unwanted(
    before: RecordedFile, present: ListedFile, kept: Container[tuple[str, int] | None]
) -> tuple[What, str] | None:
    """Return whether a file that the export does not have is deleted, and why; None if it stays."""
    is_same, place = _is_same(before, present), position_of(before.path)
    is_unread = _is_unread(before, present)
    if place in kept and not before.unused:
        return None
    if before.remove:
        why = CHOSEN_UNREAD if is_unread else CHOSEN_BUT_CHANGED
        return ("delete", CHOSEN) if is_same else ("conflict", why)
    if place is None or before.unused:
        return None
    why = UNUSED_UNREAD if is_unread else UNUSED_BUT_CHANGED
    return ("delete", UNUSED) if is_same else ("conflict", why)


def _verdict(
    before: ListedFile | None, present: ListedFile | None, wanted: ListedFile
) -> tuple[What, str] | None:
    """Return what writing a file does, and why; None if the card has it already."""
    if present is None:
        return "add", GONE if before else NEW
    if _is_same(present, wanted):
        return None
    if before is None:
        return "conflict", FOREIGN
    if _is_same(before, present):
        return "replace", CHANGED_HERE
    return "conflict", UNREAD if _is_unread(before, present) else CHANGED_ON_CARD


def _is_same(one: ListedFile, other: ListedFile) -> bool:
    """Return whether two files are known to have the same bytes."""
    return bool(one.sha256) and (one.sha256, one.bytes) == (other.sha256, other.bytes)


def _is_unread(before: ListedFile, present: ListedFile) -> bool:
    """Return whether only the size of a file is known from before, and is the same."""
    return not before.sha256 and before.bytes == present.bytes


def _change(path: str, what: What, why: str) -> CardChange:
    bank, pad = position_of(path) or (None, None)
    return CardChange(path, what, why, bank, pad)


def position_of(path: str) -> tuple[str, int] | None:
    """Return bank and pad of a sound on a card by its path, or None."""
    mk2 = mk2_paths.parse_path(path)
    if mk2 and mk2.kind is mk2_paths.FileKind.SAMPLE:
        bank, pad = divmod(mk2.index, mk2_paths.PADS_PER_BANK)
        return BANKS[bank], pad + 1
    sx = sx_paths.parse_path(path)
    if sx and sx.kind is sx_paths.FileKind.SAMPLE:
        bank, pad = divmod(sx.index, sx_paths.PADS_PER_BANK)
        return BANKS[bank], pad + 1
    return None


def listed_files(files: Iterable[Mapping[str, Any]]) -> list[RecordedFile]:
    """Return files from JSON values, as `ProjectCard` and `ProjectExport` have them."""
    return [
        RecordedFile(
            each["path"],
            each["bytes"],
            each["sha256"],
            unused=bool(each.get("unused")),
            remove=bool(each.get("remove")),
        )
        for each in files
    ]
