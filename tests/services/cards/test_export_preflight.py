"""The pre-flight says what becomes of each pad before anything is rendered."""

from dataclasses import replace
from typing import Any

import pytest

from sp404_app.devices.capabilities import SX
from sp404_app.devices.second_reader import read_mk2_pad
from sp404_app.errors import ValidationFailed
from sp404_app.models.columns import now
from sp404_app.services.cards import device_config
from sp404_app.services.cards.device_config import MadeAudio
from sp404_app.services.cards.export_content import KnownRender, parse_target
from sp404_app.services.cards.export_plan import plan_export
from sp404_app.services.cards.preflight import EMPTY, NOTHING_LEFT, PadCheck, check_export
from tests.services.cards.contents import Library, with_render


def check_one(export: str = "mk2", **pad: Any) -> PadCheck:
    library = Library()
    (check,) = check_export(library.content(export, A1=library.pad(**pad))).pads
    return check


@pytest.mark.parametrize(
    ("rate", "file_format", "change"),
    [
        (44_100, "WAV 24-bit", "44.1 kHz, 24 bit becomes 48 kHz, 16 bit."),
        (48_000, "WAV 32-bit float", "WAV 32-bit float, 48 kHz becomes 48 kHz, 16 bit."),
        (48_000, "WAV float", "48 kHz, float becomes 48 kHz, 16 bit."),
        (44_100, "MP3", "MP3, 44.1 kHz becomes 48 kHz, 16 bit."),
        (96_000, "FLAC 16-bit", "96 kHz, 16 bit becomes 48 kHz, 16 bit."),
        (48_000, "AIFF 16-bit", None),
        (48_000, "WAV 16-bit", None),
    ],
)
def test_rate_and_depth_are_named_where_they_change(
    rate: int, file_format: str, change: str | None
) -> None:
    check = check_one(rate=rate, format=file_format)
    assert check.changes == ([change] if change else [])
    assert (check.refused, check.warnings) == (None, [])


def test_sizes_are_those_of_the_files() -> None:
    library = Library()
    pads = {"A1": library.pad(seconds=2), "B3": library.pad(seconds=1, channels=1)}
    found = check_export(library.content(**pads))
    assert [(each.frames, each.bytes) for each in found.pads] == [
        (96_000, 512 + 4 * 96_000),
        (48_000, 512 + 2 * 48_000),
    ]
    assert (found.ok, found.bytes, found.seconds) == (True, 1024 + 480_000, 3.0)
    packed = check_export(library.content("import", **pads))
    assert packed.bytes == 2 * 44 + 480_000


def test_a_short_sound_is_padded_with_silence() -> None:
    check = check_one(seconds=480 / 48_000, rate=48_000, format="WAV 16-bit")
    assert check.changes == ["Padded with 11 ms of silence."]
    assert check.frames == 1_000


def test_edits_and_names_are_named() -> None:
    edit = {"trim": [0, 44_100], "gain_db": 6, "fade_in": 0.1, "fade_out": 0.1}
    check = check_one(name="Čaj: bell", rate=48_000, format="WAV 16-bit", edit=edit)
    assert check.changes == ["Edits are rendered: trim, level, fades.", "Named “Caj_ bell”."]
    assert check.device_name == "Caj_ bell"


def test_a_sound_longer_than_the_device_takes_is_refused() -> None:
    assert check_one(seconds=961).refused == "Longer than 16 minutes."
    assert check_one(seconds=960).refused is None


def test_a_missing_sample_is_refused_and_a_trashed_one_is_not() -> None:
    library = Library()
    gone = replace(library.pad("Gone"), sample_id=None)
    trashed = library.pad("Trashed", rate=48_000, format="WAV 16-bit")
    sample = library.samples[trashed.sample_id]
    sample.deleted_at = now()
    found = check_export(library.content(A1=gone, A2=trashed))
    assert [each.refused for each in found.pads] == ["Sample is missing.", None]
    assert found.pads[1].warnings == ["The sample is in the trash."]
    assert not found.ok


def test_a_failed_render_is_refused_with_its_reason() -> None:
    library = Library()
    content = with_render(library.content(A1=library.pad()), "A1", KnownRender(error="No sound."))
    assert check_export(content).pads[0].refused == "No sound."


def test_held_peaks_are_a_warning() -> None:
    library = Library()
    render = KnownRender(frames=96_000, channels=2, frames_held=1234, sha256="x")
    content = with_render(library.content(A1=library.pad()), "A1", render)
    assert check_export(content).pads[0].warnings == ["Peaks are held at −0.1 dBFS (1,234 frames)."]
    render = replace(render, frames_held=1)
    content = with_render(library.content(A1=library.pad()), "A1", render)
    assert check_export(content).pads[0].warnings == ["Peaks are held at −0.1 dBFS (1 frame)."]


def test_a_render_tells_a_length_that_nothing_else_can() -> None:
    library = Library()
    pad = library.pad(edit={"trim_silence": -40})
    assert check_export(library.content(A1=pad)).pads[0].bytes is None
    content = with_render(library.content(A1=pad), "A1", KnownRender(frames=5_000, channels=1))
    assert check_export(content).pads[0].bytes == 512 + 10_000


def test_settings_that_the_device_cannot_store_are_warned_of() -> None:
    check = check_one(rate=48_000, format="WAV 16-bit", lofi=True)
    assert check.warnings == ["Not stored by the SP-404MKII: lofi."]


def test_sixteen_chops_without_the_start_lose_the_last_one() -> None:
    library = Library()
    chops = tuple(range(1_000, 17_000, 1_000))
    content = library.content("mk2", A1=library.pad(chops=chops))
    (check,) = check_export(content).pads
    assert "The last chop is left out: the start is the first of 16." in check.changes
    plan = plan_export(content)
    made = {0: MadeAudio(96_000, 2, "")}
    config = device_config.build_config(plan, made, {}, None)
    (wanted,) = device_config.wanted_archive(plan, made, {}).pads
    found = read_mk2_pad(config, 0, 2, 96_000)["chops"]
    assert found == {0, *chops[:-1]} == {0, *wanted.chops}


@pytest.mark.parametrize(("bpm", "stored"), [(None, 96.0), (120.0, 120.0)])
def test_a_pad_without_a_tempo_has_that_of_the_project(bpm: float | None, stored: float) -> None:
    library = Library()
    content = library.content("mk2", A1=library.pad(bpm=bpm))
    content = replace(content, kit=replace(content.kit, tempo=96.0))
    config = device_config.build_config(
        plan_export(content), {0: MadeAudio(96_000, 2, "")}, {}, None
    )
    assert read_mk2_pad(config, 0, 2, 96_000)["bpm"] == stored


def test_an_import_pack_bakes_start_end_and_reverse_but_no_level() -> None:
    check = check_one(
        "import",
        rate=48_000,
        format="WAV 16-bit",
        start=24_000,
        end=48_000,
        play_mode="reverse",
        level=90,
        pan=-5,
        chops=(1, 2),
    )
    assert check.changes == ["Cut to its start and end: 0.50 s of 2.00 s.", "Reversed."]
    assert check.warnings == [
        "A WAV file has no settings. Set on the device: chops 2, level 90, pan -5."
    ]
    assert check.frames == 24_000
    assert check.device_name == "01 Kick.wav"


def test_an_import_pack_tells_how_to_undo_a_resample_trick() -> None:
    check = check_one("import", edit={"resample_trick": 5}, pitch=-5, speed=74.91)
    assert check.warnings == ["Set its pitch to -5 semitones on the device: resample trick."]


def test_equal_names_in_an_import_pack_are_numbered() -> None:
    library = Library()
    pads = {f"A{number}": library.pad(name) for number, name in enumerate(("Kick", "kick"), 1)}
    found = check_export(library.content("import", **pads, B1=library.pad()))
    names = [each.device_name for each in found.pads]
    assert names == ["01 Kick.wav", "02 kick 2.wav", "01 Kick.wav"]


def test_another_device_says_what_moves_and_what_is_left_out() -> None:
    library = Library()
    pads = {f"A{number}": library.pad(pan=3) for number in range(2, 15)}
    found = check_export(library.content("sx", **pads))
    moved, left = found.pads[-2:]
    assert (moved.pad, moved.device_name) == (13, "A0000001")
    assert moved.changes[0] == "Moved to A1: the SP-404SX/A has 12 pads in a bank."
    assert moved.warnings == ["Not stored by the SP-404SX/A: pan."]
    assert left.pad == 14
    assert left.refused == "Left out: the SP-404SX/A has 12 pads in a bank."
    assert not found.ok


def test_a_resample_trick_is_removed_for_the_sx() -> None:
    check = check_one("sx", edit={"resample_trick": 5}, vinyl=True, pitch=-5, speed=74.91)
    removed = "Resample trick removed: the SP-404SX/A cannot slow a pad down."
    assert removed in check.changes


def test_a_project_of_the_sx_becomes_an_import_pack_of_the_mkii() -> None:
    library = Library(SX)
    (check,) = check_export(library.content("import", C12=library.pad(format="WAV 16-bit"))).pads
    assert check.changes == ["44.1 kHz, 16 bit becomes 48 kHz, 16 bit."]
    assert (check.frames, check.device_name) == (96_000, "12 Kick.wav")


def test_an_empty_project_and_one_without_sounds_say_so() -> None:
    library = Library()
    found = check_export(library.content())
    assert (found.ok, found.problems) == (False, [EMPTY])
    gone = check_export(library.content(A1=replace(library.pad(), sample_id=None)))
    assert (gone.ok, gone.problems) == (False, [NOTHING_LEFT])


def test_more_than_the_device_holds_is_a_problem() -> None:
    library = Library()
    pads = {
        f"{bank}{pad}": library.pad(seconds=960) for bank in "ABCDEFGHIJ" for pad in range(1, 12)
    }
    (problem,) = check_export(library.content(**pads)).problems
    assert problem == "This is 18.9 GB, but the SP-404MKII holds 14.9 GB."


@pytest.mark.parametrize(
    ("device", "place", "slot"),
    [("sp303", None, None), ("mk2", "root", 1), ("mk2", "import", 17), ("sx", "import", None)],
)
def test_an_unknown_target_is_refused(device: str, place: str | None, slot: int | None) -> None:
    with pytest.raises(ValidationFailed):
        parse_target(device, place, slot)
