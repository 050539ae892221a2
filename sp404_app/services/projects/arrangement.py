"""Arrange the pads of a bank by kind, key, tempo or name."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlmodel import Session

from sp404_app.audio.features.musical_keys import camelot
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.devices.capabilities import BANKS, PAD_COLUMNS
from sp404_app.models import Project
from sp404_app.services.infra.text import sort_key
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.kit import (
    Kit,
    PadContent,
    PadPosition,
    clear_bank,
    pads_of_bank,
    put_pads,
)
from sp404_app.services.projects.pad_sounds import PadSound, bank_tempo, pad_sound, samples_by_id

ArrangeBy = Literal["kind", "key", "tempo", "name"]

# Rows from the bottom up, as on the device, where the last pads are nearest to the player. The
# SP-404SX has three rows: percussion shares the row of the hats.
CLASS_ROWS: Final = (
    (SoundClass.KICK, SoundClass.SNARE, SoundClass.CLAP),
    (SoundClass.CLOSED_HAT, SoundClass.OPEN_HAT, SoundClass.CYMBAL),
    (SoundClass.TOM, SoundClass.PERCUSSION),
    (
        SoundClass.BASS,
        SoundClass.CHORD,
        SoundClass.LEAD,
        SoundClass.VOCAL,
        SoundClass.FX,
        SoundClass.BREAK,
        SoundClass.MELODIC_LOOP,
        None,  # not known
    ),
)
WHEEL_STEPS: Final = 12  # of the Camelot wheel


@dataclass(frozen=True, slots=True)
class Arranged:
    """The changed project, and the ids of samples that did not fit in the bank."""

    project: Project
    not_placed: list[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Item:
    """A pad to arrange."""

    content: PadContent
    sound: PadSound


def arrange(
    session: Session,
    target: history.Target,
    bank: int,
    by: ArrangeBy,
    ids: Sequence[uuid.UUID] = (),
) -> Arranged:
    """Arrange the pads of a bank, together with samples that are put on its free pads.

    Raises:
        NotFound: If the project or a sample does not exist or belongs to another user.
        ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    added = pads.load_placeable(session, target.user_id, list(dict.fromkeys(ids)))
    not_placed: list[uuid.UUID] = []

    def mutate(kit: Kit) -> Kit:
        present = list(pads_of_bank(kit, bank).values())
        room = kit.device.pads_per_bank - len(present)
        not_placed.extend(sample.id for sample in added[room:])
        contents = present + [pads.new_content(sample, kit.device) for sample in added[:room]]
        found = samples_by_id(session, target.user_id, [each.sample_id for each in contents])
        tempo = bank_tempo(kit, bank)
        items = [Item(each, pad_sound(each, found.get(each.sample_id), tempo)) for each in contents]
        placed = arrange_items(items, bank, kit.device.pads_per_bank, by)
        return put_pads(clear_bank(kit, bank), placed)

    label = f"Arrange bank {BANKS[bank]} by {by}"
    return Arranged(history.change_project(session, target, label, mutate), not_placed)


def arrange_items(
    items: Sequence[Item], bank: int, pad_count: int, by: ArrangeBy
) -> dict[PadPosition, PadContent]:
    """Return the pads of a bank in their new order; at most `pad_count` items.

    By kind, each row of four pads holds its classes, and free pads are at the end of a row. By key,
    tempo or name, the pads follow each other from pad 1, and free pads are at the end. What has no
    key or tempo comes last, by name.
    """
    if by == "kind":
        numbered = place_by_kind(items, pad_count)
    else:
        ordered = sorted(items, key=ORDERS[by](items))
        numbered = dict(enumerate(ordered, 1))
    return {PadPosition(bank, number): item.content for number, item in numbered.items()}


def place_by_kind(items: Sequence[Item], pad_count: int) -> dict[int, Item]:
    """Return which pad of the bank, from 1, gets which item.

    A row belongs to its classes first. If it is full, each class keeps at least one pad as long as
    possible, and the others go to the nearest row with a free pad, upwards first.
    """
    rows: list[list[Item]] = [[] for _ in range(pad_count // PAD_COLUMNS)]
    homeless: list[tuple[int, Item]] = []
    for row, group in enumerate(group_by_row(items, len(rows))):
        rows[row] = sorted(group[:PAD_COLUMNS], key=order_by_class)
        homeless += [(row, item) for item in sorted(group[PAD_COLUMNS:], key=order_by_class)]
    for home, item in homeless:
        rows[nearest_free_row(rows, home)].append(item)
    placed: dict[int, Item] = {}
    for height, row in enumerate(rows):
        first = pad_count - PAD_COLUMNS * (height + 1) + 1
        placed |= {first + column: item for column, item in enumerate(row)}
    return placed


def group_by_row(items: Sequence[Item], row_count: int) -> list[list[Item]]:
    """Return the items of each row from the bottom up; the first of each class come first."""
    groups: list[list[Item]] = [[] for _ in range(row_count)]
    turns: dict[SoundClass | None, int] = {}
    ranked: list[tuple[int, Item]] = []
    for item in sorted(items, key=order_by_class):
        turn = turns.get(item.sound.sound_class, 0)
        turns[item.sound.sound_class] = turn + 1
        ranked.append((turn, item))
    for _, item in sorted(ranked, key=lambda each: each[0]):
        groups[home_row(item.sound, row_count)].append(item)
    return groups


def home_row(sound: PadSound, row_count: int) -> int:
    """Return the row of a sound, 0 at the bottom; loops are in the top row."""
    top = len(CLASS_ROWS) - 1
    row = next((n for n, row in enumerate(CLASS_ROWS) if sound.sound_class in row), top)
    if sound.is_loop:
        row = top
    return row if row_count > top or row < 2 else row - 1


def nearest_free_row(rows: Sequence[Sequence[Item]], home: int) -> int:
    """Return the nearest row with a free pad, of two equally near ones the upper."""
    free = [row for row in range(len(rows)) if len(rows[row]) < PAD_COLUMNS]
    return min(free, key=lambda row: (abs(row - home), row < home))


def order_by_class(item: Item) -> tuple[int, str]:
    """Return the order of items of a row: by class, then by name."""
    classes = [each for row in CLASS_ROWS for each in row]
    return classes.index(item.sound.sound_class), sort_key(item.content.name)


def order_by_name(item: Item) -> tuple[str, str]:
    """Return the natural order of names; the sample's id makes it unique."""
    return sort_key(item.content.name), str(item.content.sample_id)


def order_by_tempo(item: Item) -> tuple[float, tuple[str, str]]:
    """Return the order by tempo, slowest first."""
    return item.sound.bpm or float("inf"), order_by_name(item)


def order_by_key(items: Sequence[Item]) -> Callable[[Item], tuple[int, str, tuple[str, str]]]:
    """Return the order around the Camelot wheel, along the circle of fifths.

    It begins after the widest gap between the keys that occur, so that neighbours stay together.
    """
    numbers = sorted({wheel_number(item.sound.key) for item in items if item.sound.key})
    gaps = [
        ((number - numbers[index - 1]) % WHEEL_STEPS, -number)
        for index, number in enumerate(numbers)
    ]
    first = -max(gaps)[1] if gaps else 1

    def order(item: Item) -> tuple[int, str, tuple[str, str]]:
        key = item.sound.key
        if key is None:
            return WHEEL_STEPS, "", order_by_name(item)
        return (wheel_number(key) - first) % WHEEL_STEPS, camelot(key)[-1], order_by_name(item)

    return order


def wheel_number(key: str | None) -> int:
    """Return the number of a key's Camelot code, 1 to 12; 0 without a key."""
    return int(camelot(key)[:-1]) if key else 0


ORDERS: Final[dict[str, Callable[[Sequence[Item]], Callable[[Item], tuple[object, ...]]]]] = {
    "key": order_by_key,
    "tempo": lambda _: order_by_tempo,
    "name": lambda _: order_by_name,
}
