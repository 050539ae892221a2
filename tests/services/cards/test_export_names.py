"""Names in an import pack: short, safe on every system, in the order of the pads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.services.cards.export_names import bank_folder, file_names, safe_folder_name


def test_names_are_in_the_order_of_the_pads_and_different() -> None:
    names = {
        2: "kick",
        1: "Kick",
        16: "KICK",
        4: "A name that is too long for the device",
        5: "...",
    }
    assert file_names(names) == {
        1: "01 Kick",
        2: "02 kick 2",
        4: "04 A name that is too l",
        5: "05 Untitled",
        16: "16 KICK 3",
    }


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Kit", "Kit"),
        ("CON", "CON_"),
        ("nul.drums", "nul.drums_"),
        ("Com1", "Com1_"),
        ("Console", "Console"),
        ("Beats...", "Beats"),
        (".hidden", "hidden"),
        ("a/b\\c:d", "a_b_c_d"),
        ("Žluť", "Zlut"),
    ],
)
def test_a_folder_has_a_name_that_every_system_opens(name: str, folder: str) -> None:
    assert safe_folder_name(name) == folder


def test_a_bank_is_a_folder_with_its_letter_and_name() -> None:
    assert bank_folder({"bank": "A", "name": ""}) == "A"
    assert bank_folder({"bank": "B", "name": "Drums / loud"}) == "B Drums _ loud"


@given(st.dictionaries(st.integers(1, 16), st.text(max_size=60)))
def test_all_names_are_safe_different_and_at_most_23_characters(names: dict[int, str]) -> None:
    found = file_names(names)
    assert set(found) == set(names)
    assert sorted(found.values()) == [found[number] for number in sorted(found)]
    for name in found.values():
        assert 3 < len(name) <= 23
        assert name.isascii()
        assert not set(name) & set('/\\:*?"<>|')
        assert name == name.rstrip(" .")
    assert len({name[3:].lower() for name in found.values()}) == len(found)
