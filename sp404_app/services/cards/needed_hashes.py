"""Which files on a card have to be read to compare it: those about which sizes do not decide."""

from collections.abc import Iterable
from dataclasses import replace

from sp404_app.services.cards.card_comparison import CardChange
from sp404_app.services.cards.card_paths import fold_path
from sp404_app.services.cards.imports import ListedFile


def mark_needed_hashes(
    changes: Iterable[CardChange],
    before: Iterable[ListedFile],
    now: Iterable[ListedFile],
    wanted: Iterable[ListedFile],
) -> list[CardChange]:
    """Return changes that tell whether their file on the card has to be read to be sure.

    That is so if its hash was not listed, and it has the size of one that it may be the same as.
    `before`, `now` and `wanted` are the files that were compared.
    """
    present = {fold_path(each.path): each for each in now}
    sizes = {(fold_path(each.path), each.bytes) for each in (*before, *wanted)}

    def is_open(change: CardChange) -> bool:
        key = fold_path(change.path)
        file = present.get(key)
        return file is not None and not file.sha256 and (key, file.bytes) in sizes

    return [replace(each, needs_hash=is_open(each)) for each in changes]
