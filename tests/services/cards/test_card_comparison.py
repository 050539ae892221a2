"""The three-way comparison: as it was, as it is, as the export would be."""

import pytest

from sp404_app.services.cards.card_comparison import RecordedFile, compare_card

FOLDER = "ROLAND/SP-404SX"
A1, A2 = f"{FOLDER}/SMPL/A0000001.WAV", f"{FOLDER}/SMPL/A0000002.WAV"
STATE = f"{FOLDER}/SMPL/STPINFO.BIN"


def file(path: str, content: str = "old", **marks: bool) -> RecordedFile:
    return RecordedFile(path, 1, content.ljust(64, "0") if content else "", **marks)


@pytest.mark.parametrize(
    ("before", "now", "wanted", "what"),
    [
        ([], [], [file(A1)], "add"),
        ([file(A1)], [], [file(A1)], "add"),
        ([file(A1)], [file(A1)], [file(A1, "new")], "replace"),
        ([], [file(A1, "theirs")], [file(A1)], "conflict"),
        ([file(A1)], [file(A1, "theirs")], [file(A1, "new")], "conflict"),
        ([file(A1)], [file(A1, "")], [file(A1, "new")], "conflict"),
        ([file(A1, "")], [file(A1, "")], [file(A1, "new")], "conflict"),
        ([file(A1, "")], [file(A1, "")], [file(A1, "")], "conflict"),
        ([file(A1)], [file(A1)], [], "delete"),
        ([file(A1, "")], [file(A1, "")], [], "conflict"),
        ([file(A1)], [file(A1, "theirs")], [], "conflict"),
    ],
)
def test_each_difference_has_one_name(
    before: list[RecordedFile], now: list[RecordedFile], wanted: list[RecordedFile], what: str
) -> None:
    (change,) = compare_card(before, now, wanted, FOLDER)
    assert (change.path, change.what, change.bank, change.pad) == (A1, what, "A", 1)
    assert change.why.endswith(".")


def test_what_is_right_already_is_not_listed() -> None:
    assert compare_card([], [file(A1)], [file(A1)], FOLDER) == []
    assert compare_card([file(A1, "x")], [file(A1)], [file(A1)], FOLDER) == []


def test_files_of_others_are_never_listed() -> None:
    theirs = [file(A2), file(STATE), file("Photos/cat.jpg"), file(f"{FOLDER}/PTN/PTN00001.BIN")]
    assert compare_card([], theirs, [], FOLDER) == []
    assert compare_card(theirs[1:], theirs, [], FOLDER) == []


def test_the_sound_of_a_pad_that_is_only_described_stays_on_the_card() -> None:
    card = [file(A1), file(A2)]
    (change,) = compare_card(card, card, [], FOLDER, kept={("A", 2)})
    assert (change.path, change.what) == (A1, "delete")


def test_a_sound_that_no_pad_used_stays_unless_the_user_chose_to_delete_it() -> None:
    assert compare_card([file(A1, unused=True)], [file(A1)], [], FOLDER) == []
    chosen = [file(A1, unused=True, remove=True)]
    (change,) = compare_card(chosen, [file(A1)], [], FOLDER, kept={("A", 1)})
    assert (change.what, change.why) == ("delete", "You chose to delete it.")
    (change,) = compare_card(chosen, [file(A1, "theirs")], [], FOLDER)
    assert change.what == "conflict"
    (change,) = compare_card(chosen, [file(A1)], [file(A1, "new")], FOLDER)
    assert change.what == "replace"
    assert compare_card(chosen, [], [], FOLDER) == []


@pytest.mark.parametrize("marks", [{"remove": True}, {}])
def test_a_file_of_which_only_the_size_was_known_is_not_called_changed(
    marks: dict[str, bool],
) -> None:
    before, card = [file(A1, "", **marks)], [file(A1, "theirs")]
    for wanted in ([], [file(A1, "new")]):
        (change,) = compare_card(before, card, wanted, FOLDER)
        assert (change.what, "not read before" in change.why) == ("conflict", True)
        longer = [RecordedFile(A1, 2, card[0].sha256)]
        (change,) = compare_card(before, longer, wanted, FOLDER)
        assert (change.what, "changed on the card" in change.why) == ("conflict", True)


def test_files_outside_the_folder_are_not_deleted() -> None:
    other = "EXPORT/PROJECT/PROJECT_02/SMPL/BANK1-01.SMP"
    inside = "EXPORT/PROJECT/PROJECT_01"
    assert compare_card([file(other)], [file(other)], [], inside) == []
    assert compare_card([file(other)], [file(other)], [], None) == []


def test_case_makes_no_other_file_and_the_cards_spelling_is_shown() -> None:
    (change,) = compare_card([file(A1)], [file(A1.lower())], [file(A1, "new")], FOLDER)
    assert (change.path, change.what) == (A1.lower(), "replace")
