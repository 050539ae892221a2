"""Conversion of a project between the devices, and its report."""

import uuid
from dataclasses import replace
from typing import Any

from sp404_app.devices.capabilities import MK2, SX
from sp404_app.models import Sample
from sp404_app.services.projects.conversion import convert_kit, convert_pad
from sp404_app.services.projects.kit import Kit, PadContent
from sp404_app.services.projects.pads import PadChange, change_content, new_content
from tests.services.projects.kits import content, kit_with, names, place, sound

SOUND = sound()  # 2 s at 48 kHz


def pad(edit: dict[str, Any] | None = None, /, **settings: Any) -> PadContent:
    change = PadChange(edit=edit, settings=settings)
    return change_content(new_content(SOUND, MK2), change, SOUND, MK2)


def convert(kit: Kit) -> tuple[Kit, list[tuple[str, int, str]]]:
    target = SX if kit.device is MK2 else MK2
    converted, report = convert_kit(kit, target, {SOUND.id: SOUND})
    return converted, [(each.bank, each.pad, each.what) for each in report]


def test_pads_beyond_the_twelfth_move_to_free_pads_of_their_bank_or_are_left_out() -> None:
    full = {f"A{n}": content(str(n)) for n in range(1, 13)}
    kit = kit_with(**full, A13=content("13"), B1=content("b"), B16=content("16"))
    converted, report = convert(kit)
    assert names(converted) == {str(place(at)): each.name for at, each in full.items()} | {
        "B1": "b",
        "B2": "16",
    }
    assert report == [
        ("A", 13, "Left out: the SP-404SX/A has 12 pads in a bank."),
        ("B", 16, "Moved to B2: the SP-404SX/A has 12 pads in a bank."),
    ]


def test_every_setting_that_the_target_cannot_store_is_kept_and_reported() -> None:
    kit = kit_with(A14=pad(pan=10, mute_group=2))
    converted, report = convert(kit)
    assert converted.pads[place("A1")].settings["pan"] == 10
    assert [what for _, _, what in report] == [
        "Moved to A1: the SP-404SX/A has 12 pads in a bank.",
        "Kept, but not stored by the SP-404SX/A: mute group, pan.",
    ]
    back, report = convert(converted)
    assert back.pads[place("A1")].settings == pad(pan=10, mute_group=2).settings
    assert report == []


def test_positions_are_scaled_to_the_other_rate_and_the_length_is_exact() -> None:
    kit = kit_with(A1=replace(pad(start=4_800, end=48_000, loop_top=9_600), chops=(0, 9_600)))
    converted = convert(kit)[0].pads[place("A1")]
    settings = converted.settings
    assert converted.frames == 88_200
    assert (settings["start"], settings["end"], settings["loop_top"]) == (4_410, 44_100, 8_820)
    assert converted.chops == (0, 8_820)


def test_a_short_pad_gets_the_shortest_length_of_the_target() -> None:
    short = sound(seconds=0.001)
    assert new_content(short, MK2).frames == 1_000
    assert convert_pad(new_content(short, MK2), short, MK2, SX).frames == 4_411


def test_the_resample_trick_is_removed_for_the_sx() -> None:
    converted, report = convert(kit_with(A1=pad({"resample_trick": 7, "reverse": True})))
    there = converted.pads[place("A1")]
    assert there.edit == {"reverse": True}
    assert (there.settings["pitch"], there.settings["speed"], there.frames) == (0, 100, 88_200)
    assert [what for _, _, what in report] == [
        "Resample trick removed: the SP-404SX/A cannot slow a pad down."
    ]


def test_chops_and_ping_pong_are_reported_for_the_sx() -> None:
    _, report = convert(kit_with(A1=replace(pad(play_mode="ping_pong"), chops=(0, 500))))
    assert [what for _, _, what in report] == [
        "Kept, but not stored by the SP-404SX/A: play mode, chops."
    ]


def test_a_sound_longer_than_the_target_holds_is_reported() -> None:
    long = sound(seconds=17 * 60.0)
    kit = kit_with(SX, A1=new_content(long, SX))
    samples: dict[uuid.UUID, Sample] = {long.id: long}
    _, report = convert_kit(kit, MK2, samples)
    assert [each.what for each in report] == [
        "Too long: the SP-404MKII holds samples of up to 16 minutes."
    ]


def test_a_pad_without_sample_is_converted_without_a_length() -> None:
    kit = kit_with(A1=replace(pad(start=4_800), sample_id=None))
    converted = convert(kit)[0].pads[place("A1")]
    assert (converted.frames, converted.settings["start"]) == (None, 4_410)
