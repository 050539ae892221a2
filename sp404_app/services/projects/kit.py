"""The content of a project as a value, and the pure functions that change it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sp404_app.devices.capabilities import BANKS, Device
from sp404_app.devices.pad_settings import MAX_PADS_PER_LINK
from sp404_app.errors import ValidationFailed


class PadPosition(NamedTuple):
    """A pad's place: bank 0 to 9 (A to J), pad 1 to 16 (MKII) or 12 (SX)."""

    bank: int
    pad: int

    @property
    def bank_letter(self) -> str:
        """Return the bank as the device names it."""
        return BANKS[self.bank]

    def __str__(self) -> str:
        """Return the name on the device: "A1"."""
        return f"{self.bank_letter}{self.pad}"


@dataclass(frozen=True, slots=True)
class PadContent:
    """What a pad holds. `sample_id` is None if the sample was permanently deleted.

    `settings` are all of `devices.pad_settings.SETTINGS`. `edit` is an `audio.render.edit.Edit` as
    JSON, or None. `chops` and `frames` are frames of the pad's audio at the device's rate;
    `frames` is None until the audio is rendered, if only rendering can tell. `source_id` names the
    `pad_sources` row that the pad was read from, if it came from a card.
    """

    sample_id: uuid.UUID | None
    name: str
    settings: Mapping[str, Any]
    edit: Mapping[str, Any] | None = None
    chops: tuple[int, ...] = ()
    frames: int | None = None
    source_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Kit:
    """Content of a project for one device; only pads that hold something are in `pads`."""

    device: Device
    name: str
    tempo: float
    tempo_source: str
    banks: tuple[Mapping[str, Any], ...]
    pads: Mapping[PadPosition, PadContent] = field(default_factory=dict)


Mutation = Callable[[Kit], Kit]
MOVES = ("swap", "copy", "overwrite")


def parse_position(bank: object, pad: object, device: Device) -> PadPosition:
    """Return a pad's position from a bank letter and a pad number.

    Raises:
        ValidationFailed: If the device has no such pad.
    """
    number = pad if isinstance(pad, int) and not isinstance(pad, bool) else 0
    at = PadPosition(parse_bank(bank), number)
    _ensure_exists(at, device)
    return at


def _ensure_exists(at: PadPosition, device: Device) -> None:
    if not 1 <= at.pad <= device.pads_per_bank:
        message = f"Choose a pad from 1 to {device.pads_per_bank}."
        raise ValidationFailed(message, {"pad": [message]})


def parse_move(how: object) -> str:
    """Return how a pad or bank moves: "swap", "copy" or "overwrite".

    Raises:
        ValidationFailed: If it is none of these.
    """
    if not isinstance(how, str) or how not in MOVES:
        message = f"Choose one of: {', '.join(MOVES)}."
        raise ValidationFailed(message, {"how": [message]})
    return how


def parse_bank(bank: object) -> int:
    """Return a bank's index from its letter.

    Raises:
        ValidationFailed: If it is none of A to J.
    """
    if not isinstance(bank, str) or len(bank) != 1 or bank not in BANKS:
        message = "Choose a bank from A to J."
        raise ValidationFailed(message, {"bank": [message]})
    return BANKS.index(bank)


def positions_from(start: PadPosition, device: Device) -> Iterator[PadPosition]:
    """Yield the positions from `start` to the last pad of bank J, in order."""
    per_bank = device.pads_per_bank
    first = start.bank * per_bank + start.pad - 1
    for index in range(first, device.pad_count):
        yield PadPosition(index // per_bank, index % per_bank + 1)


def free_positions(kit: Kit, start: PadPosition) -> Iterator[PadPosition]:
    """Yield the empty pads from `start` on."""
    return (at for at in positions_from(start, kit.device) if at not in kit.pads)


def put_pads(kit: Kit, pads: Mapping[PadPosition, PadContent | None]) -> Kit:
    """Return the kit with these pads set; None clears a pad.

    Raises:
        ValidationFailed: If the device lacks one of them.
    """
    for at in pads:
        _ensure_exists(at, kit.device)
    merged = {**kit.pads, **pads}
    return replace(kit, pads={at: pad for at, pad in merged.items() if pad is not None})


def fill_pads(
    kit: Kit, start: PadPosition, contents: Sequence[PadContent]
) -> tuple[Kit, list[PadPosition]]:
    """Put contents on the empty pads from `start` on; return the kit and the pads that were filled.

    Fewer positions than contents means that the last ones did not fit.
    """
    free = free_positions(kit, start)
    filled = dict(zip(free, contents, strict=False))
    return put_pads(kit, filled), list(filled)


def move_pad(kit: Kit, source: PadPosition, target: PadPosition, how: str) -> Kit:
    """Swap two pads, copy one to the other, or move one over the other ("overwrite").

    A copy leaves a pad link that is full.

    Raises:
        ValidationFailed: If the source is empty.
    """
    if source not in kit.pads:
        message = f"Pad {source} is empty."
        raise ValidationFailed(message, {"from": [message]})
    if source == target:
        return kit
    moved, replaced = kit.pads[source], kit.pads.get(target)
    left = {"swap": replaced, "copy": moved, "overwrite": None}[how]
    changed = put_pads(kit, {target: moved, source: left})
    return _leave_full_links(changed, [target]) if how == "copy" else changed


def move_bank(kit: Kit, source: int, target: int, how: str) -> Kit:
    """Swap two banks with their pads, copy one, or move one over the other ("overwrite").

    Copies leave a pad link that is full.
    """
    if source == target:
        return kit
    banks = list(kit.banks)
    ours, theirs = banks[source], banks[target]
    banks[target] = {**ours, "bank": BANKS[target]}
    if how == "swap":
        banks[source] = {**theirs, "bank": BANKS[source]}
    keep = {at: pad for at, pad in kit.pads.items() if at.bank not in (source, target)}
    from_source = _pads_moved_to(kit, source, target)
    from_target = _pads_moved_to(kit, target, source)
    stay = {at: pad for at, pad in kit.pads.items() if at.bank == source}
    left = {"swap": from_target, "copy": stay, "overwrite": {}}[how]
    changed = replace(kit, banks=tuple(banks), pads={**keep, **from_source, **left})
    return _leave_full_links(changed, list(from_source)) if how == "copy" else changed


def _leave_full_links(kit: Kit, copies: Sequence[PadPosition]) -> Kit:
    """Return the kit without the pad link of copies beyond those that a link holds."""
    pads = dict(kit.pads)
    members = Counter(link_of(pad) for pad in pads.values())
    for at in sorted(copies, reverse=True):
        link = link_of(pads[at])
        if link and members[link] > MAX_PADS_PER_LINK:
            members[link] -= 1
            pads[at] = replace(pads[at], settings={**pads[at].settings, "pad_link": 0})
    return replace(kit, pads=pads)


def link_of(pad: PadContent) -> int:
    """Return the pad link of a pad, 0 for none."""
    return pad.settings.get("pad_link", 0)


def _pads_moved_to(kit: Kit, source: int, target: int) -> dict[PadPosition, PadContent]:
    return {PadPosition(target, at.pad): pad for at, pad in kit.pads.items() if at.bank == source}


def clear_bank(kit: Kit, bank: int) -> Kit:
    """Return the kit without the pads of a bank."""
    return replace(kit, pads={at: pad for at, pad in kit.pads.items() if at.bank != bank})


def pads_of_bank(kit: Kit, bank: int) -> dict[PadPosition, PadContent]:
    """Return the pads of one bank, in order."""
    return {at: kit.pads[at] for at in sorted(kit.pads) if at.bank == bank}


def changed_pads(before: Kit, after: Kit) -> list[PadPosition]:
    """Return the positions whose content differs, in order."""
    every: Iterable[PadPosition] = {*before.pads, *after.pads}
    return sorted(at for at in every if before.pads.get(at) != after.pads.get(at))
