"""Only files about which sizes do not decide have to be read."""

import pytest

from sp404_app.services.cards.card_comparison import CardChange
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.cards.needed_hashes import mark_needed_hashes

PATH = "ROLAND/SP-404SX/SMPL/A0000001.WAV"
CHANGE = CardChange(PATH.lower(), "conflict", "Changed.", "A", 1)


@pytest.mark.parametrize(
    ("before", "present", "wanted", "needs_hash"),
    [
        ([], 2, [1], False),  # the size tells that it is another file
        ([], 1, [1], True),
        ([1], 2, [3], False),
        ([2], 2, [3], True),
        ([3], 2, [2], True),
        ([2], 2, [], True),
        ([3], 2, [], False),
        ([], None, [1], False),
    ],
)
def test_only_a_file_about_which_sizes_do_not_decide_has_to_be_read(
    before: list[int], present: int | None, wanted: list[int], needs_hash: bool
) -> None:
    old, new = ([ListedFile(PATH, size, "5" * 64) for size in each] for each in (before, wanted))
    for sha256, expected in (("", needs_hash), ("6" * 64, False)):
        card = [] if present is None else [ListedFile(PATH, present, sha256)]
        (change,) = mark_needed_hashes([CHANGE], old, card, new)
        assert change.needs_hash == expected
