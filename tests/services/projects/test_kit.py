"""Pure changes of a kit: fill, move, copy and clear pads and banks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.capabilities import MK2, SX, Device
from sp404_app.errors import ValidationFailed
from sp404_app.services.projects.kit import (
    MOVES,
    PadContent,
    PadPosition,
    changed_pads,
    clear_bank,
    fill_pads,
    free_positions,
    move_bank,
    move_pad,
    pads_of_bank,
    parse_bank,
    parse_move,
    parse_position,
    positions_from,
    put_pads,
)
from tests.services.projects.kits import content, kit_with, names, place


@pytest.mark.parametrize(("device", "last"), [(MK2, 16), (SX, 12)])
def test_a_device_has_ten_banks_of_16_or_12_pads(device: Device, last: int) -> None:
    assert parse_position("A", 1, device) == (0, 1)
    assert parse_position("J", last, device) == (9, last)
    assert len(list(positions_from(place("A1"), device))) == 10 * last
    for pad in (0, last + 1, -1, 10**9, 10**400, math.nan, 1.0, "1", True, None):
        with pytest.raises(ValidationFailed) as refusal:
            parse_position("A", pad, device)
        assert list(refusal.value.details) == ["pad"]


@pytest.mark.parametrize("bank", ["K", "a", "", "AB", "@", 0, None, ["A"], math.nan])
def test_a_bank_is_a_letter_from_a_to_j(bank: object) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        parse_bank(bank)
    assert list(refusal.value.details) == ["bank"]


@pytest.mark.parametrize("how", ["steal", "", None, 1, ["swap"]])
def test_an_unknown_way_to_move_is_refused(how: object) -> None:
    with pytest.raises(ValidationFailed):
        parse_move(how)


def test_a_pad_that_the_device_lacks_is_never_set() -> None:
    with pytest.raises(ValidationFailed):
        put_pads(kit_with(SX), {place("A13"): content()})


def test_samples_fill_the_free_pads_onward_over_the_banks() -> None:
    kit = kit_with(A15=content("old"), B1=content("old"))
    filled, positions = fill_pads(kit, place("A14"), [content(str(n)) for n in range(3)])
    assert names(filled) == {"A14": "0", "A15": "old", "A16": "1", "B1": "old", "B2": "2"}
    assert list(map(str, positions)) == ["A14", "A16", "B2"]


def test_what_does_not_fit_before_the_last_pad_is_left_over() -> None:
    _, positions = fill_pads(kit_with(SX), place("J11"), [content(), content(), content()])
    assert list(map(str, positions)) == ["J11", "J12"]


def test_a_whole_drop_of_160_fits_once() -> None:
    filled, positions = fill_pads(kit_with(), place("A1"), [content()] * 161)
    assert len(positions) == len(filled.pads) == 160
    assert list(free_positions(filled, place("A1"))) == []


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("swap", {"A1": "snare", "B2": "kick"}),
        ("copy", {"A1": "kick", "B2": "kick"}),
        ("overwrite", {"B2": "kick"}),
    ],
)
def test_a_pad_moves_onto_another(how: str, expected: dict[str, str]) -> None:
    kit = kit_with(A1=content("kick"), B2=content("snare"))
    assert names(move_pad(kit, place("A1"), place("B2"), how)) == expected


@pytest.mark.parametrize("how", MOVES)
def test_a_pad_moves_onto_an_empty_one(how: str) -> None:
    moved = move_pad(kit_with(A1=content("kick")), place("A1"), place("C3"), how)
    assert names(moved) == ({"A1": "kick"} if how == "copy" else {}) | {"C3": "kick"}


def test_an_empty_pad_cannot_be_moved() -> None:
    with pytest.raises(ValidationFailed) as refusal:
        move_pad(kit_with(), place("A1"), place("A2"), "swap")
    assert list(refusal.value.details) == ["from"]


@pytest.mark.parametrize("how", MOVES)
def test_a_move_to_the_same_place_changes_nothing(how: str) -> None:
    kit = kit_with(A1=content("kick"))
    assert move_pad(kit, place("A1"), place("A1"), how) == kit
    assert move_bank(kit, 0, 0, how) == kit


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("swap", {"A2": "hat", "B1": "kick"}),
        ("copy", {"A1": "kick", "B1": "kick"}),
        ("overwrite", {"B1": "kick"}),
    ],
)
def test_a_bank_moves_with_its_pads_colour_and_tempo(how: str, expected: dict[str, str]) -> None:
    kit = kit_with(A1=content("kick"), B2=content("hat"), C1=content("bass"))
    moved = move_bank(kit, 0, 1, how)
    assert names(moved) == expected | {"C1": "bass"}
    assert [bank["bank"] for bank in moved.banks] == list("ABCDEFGHIJ")
    assert moved.banks[1]["colour"] == kit.banks[0]["colour"]
    is_swap = how == "swap"
    assert moved.banks[0]["colour"] == kit.banks[1 if is_swap else 0]["colour"]


def test_clearing_a_bank_leaves_the_other_banks() -> None:
    kit = kit_with(A1=content("kick"), A16=content("hat"), B1=content("bass"))
    assert names(clear_bank(kit, 0)) == {"B1": "bass"}
    assert list(map(str, pads_of_bank(kit, 0))) == ["A1", "A16"]


positions = st.builds(PadPosition, st.integers(0, 9), st.integers(1, 16))


@given(positions, positions, st.sampled_from(["swap", "copy"]))
def test_a_swap_is_its_own_inverse_and_a_copy_loses_nothing_else(
    source: PadPosition, goal: PadPosition, how: str
) -> None:
    kit = put_pads(kit_with(A1=content("a"), B2=content("b")), {source: content("source")})
    moved = move_pad(kit, source, goal, how)
    assert set(changed_pads(kit, moved)) <= {source, goal}
    if how == "swap":
        assert move_pad(moved, goal, source, how) == kit or goal not in moved.pads
    else:
        assert moved.pads[source] == moved.pads[goal] == kit.pads[source]


@pytest.mark.parametrize("what", ["pad", "bank"])
def test_a_copy_leaves_a_full_pad_link(what: str) -> None:
    linked = PadContent(None, "kick", {"pad_link": 3})
    kit = put_pads(kit_with(MK2), {PadPosition(0, n): linked for n in (1, 2, 3)})
    for bank in (1, 2):
        if what == "pad":
            kit = move_pad(kit, PadPosition(0, 1), PadPosition(bank, 1), "copy")
        else:
            kit = move_bank(kit, 0, bank, "copy")
    members = [at for at, pad in kit.pads.items() if pad.settings["pad_link"] == 3]
    assert len(members) == 4
    assert {PadPosition(0, n) for n in (1, 2, 3)} < set(members)
