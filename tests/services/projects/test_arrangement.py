"""Arrange a bank by kind, key, tempo and name."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session

from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.devices.capabilities import MK2, SX
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.errors import ChangedMeanwhile, NotFound
from sp404_app.models import User
from sp404_app.services.projects import history
from sp404_app.services.projects.arrangement import Item, arrange, arrange_items
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadContent
from sp404_app.services.projects.pad_sounds import PadSound, class_of, transposed_key
from tests.services.projects.conftest import (
    AddSample,
    MakeProject,
    names_on_pads,
    project_of,
)

KEY_OF = {"8A": "A minor", "9A": "E minor", "7A": "D minor", "8B": "C major", "1A": "G# minor"}


def item(
    name: str,
    sound_class: str | None = None,
    *,
    key: str | None = None,
    bpm: float | None = None,
    is_loop: bool = False,
) -> Item:
    content = PadContent(uuid.uuid5(uuid.NAMESPACE_OID, name), name, DEFAULTS)
    found = SoundClass(sound_class) if sound_class else None
    return Item(content, PadSound(found, is_loop, key, bpm, None))


def placed(items: list[Item], by: str, pad_count: int = 16) -> dict[int, str]:
    found = arrange_items(items, 0, pad_count, by)  # type: ignore[arg-type]
    return {at.pad: content.name for at, content in found.items()}


def test_each_kind_has_its_row_from_the_bottom_up() -> None:
    items = [
        item("pad", "chord"), item("hat", "closed hat"), item("snare", "snare"),
        item("conga", "percussion"), item("kick", "kick"), item("open", "open hat"),
        item("loop", "break", is_loop=True), item("clap", "clap"),
    ]  # fmt: skip
    assert placed(items, "kind") == {
        13: "kick", 14: "snare", 15: "clap", 9: "hat", 10: "open", 5: "conga", 1: "pad", 2: "loop",
    }  # fmt: skip


def test_the_order_of_the_pads_before_does_not_matter() -> None:
    items = [item(f"{each} {n}", each) for each in ("kick", "snare", "tom") for n in range(3)]
    assert placed(items, "kind") == placed(items[::-1], "kind")


def test_a_full_row_spills_over_and_keeps_one_of_each_class() -> None:
    kicks = [item(f"kick {n}", "kick") for n in range(6)]
    found = placed([*kicks, item("snare", "snare"), item("clap", "clap")], "kind")
    assert {number: found[number] for number in range(13, 17)} == {
        13: "kick 0", 14: "kick 1", 15: "snare", 16: "clap",
    }  # fmt: skip
    assert [found[number] for number in range(9, 13)] == [f"kick {n}" for n in range(2, 6)]


def test_what_spills_over_takes_no_pad_from_the_class_of_its_row() -> None:
    kicks = [item(f"kick {n}", "kick") for n in range(6)]
    hats = [item(f"hat {n}", "closed hat") for n in range(4)]
    found = placed([*kicks, *hats], "kind")
    assert [found[number] for number in range(9, 13)] == [f"hat {n}" for n in range(4)]
    assert [found[number] for number in range(5, 7)] == ["kick 4", "kick 5"]


def test_of_two_equally_near_rows_the_upper_is_taken() -> None:
    hats = [item(f"hat {n}", "closed hat") for n in range(5)]
    assert placed(hats, "kind")[5] == "hat 4"


@pytest.mark.parametrize("pad_count", [12, 16])
def test_a_full_bank_of_one_class_uses_every_pad(pad_count: int) -> None:
    items = [item(f"kick {n}", "kick") for n in range(pad_count)]
    assert sorted(placed(items, "kind", pad_count)) == list(range(1, pad_count + 1))


def test_the_sx_has_percussion_in_the_row_of_the_hats() -> None:
    items = [item("kick", "kick"), item("hat", "closed hat"), item("tom", "tom"), item("x")]
    assert placed(items, "kind", 12) == {9: "kick", 5: "hat", 6: "tom", 1: "x"}


def test_keys_follow_the_camelot_wheel_and_keyless_pads_come_last() -> None:
    items = [item(code, key=KEY_OF[code]) for code in ("9A", "8B", "7A", "8A")]
    found = placed([item("none"), *items], "key")
    assert list(found.values()) == ["7A", "8A", "8B", "9A", "none"]


def test_the_wheel_is_cut_where_no_key_is_near() -> None:
    codes = {"12A": "C# minor", "1A": "G# minor", "2A": "D# minor"}
    items = [item(code, key=key) for code, key in codes.items()]
    assert list(placed(items, "key").values()) == ["12A", "1A", "2A"]


def test_tempos_ascend_and_pads_without_one_come_last() -> None:
    items = [item("a"), item("b", bpm=120), item("c", bpm=86.5)]
    assert list(placed(items, "tempo").values()) == ["c", "b", "a"]


def test_names_are_in_natural_order() -> None:
    items = [item("Kick 10"), item("kick 2"), item("Ähre")]
    assert placed(items, "name") == {1: "Ähre", 2: "kick 2", 3: "Kick 10"}


def test_a_name_gives_the_class_of_a_sample_that_is_not_analysed() -> None:
    assert class_of(None, ["Dusty_Kick-01"]) == SoundClass.KICK
    assert class_of(None, ["Open Hats 3"]) == SoundClass.OPEN_HAT
    assert class_of(None, ["Tomorrow"]) is None
    assert class_of("snare", ["Kick"]) == SoundClass.SNARE
    assert class_of("class of an older engine", ["Kick"]) == SoundClass.KICK


def test_a_pitched_pad_is_in_another_key() -> None:
    assert transposed_key("A minor", 3) == "C minor"
    assert transposed_key("C major", -1) == "B major"
    assert transposed_key(None, 2) is None


def test_arranging_keeps_settings_and_is_one_step_of_undo(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    kick = add_sample("Low", sound_class="kick")
    target = make_project({1: add_sample("Bell", sound_class="lead"), 2: kick})
    arrange(session, target, 0, "kind")
    assert names_on_pads(session, target) == {1: "Bell", 13: "Low"}
    assert history.undo_step(session, target) == "Arrange bank A by kind"
    assert names_on_pads(session, target) == {1: "Bell", 2: "Low"}


def test_added_samples_fill_free_pads_and_the_others_are_reported(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    target = make_project({n: add_sample(f"Old {n}") for n in range(1, 12)}, device=SX)
    more = [add_sample(f"New {n}") for n in range(3)]
    done = arrange(session, target, 0, "name", [each.id for each in more])
    assert done.not_placed == [more[1].id, more[2].id]
    found = names_on_pads(session, target)
    assert found[1] == "New 0"
    assert len(found) == 12


def test_arranging_an_arranged_bank_changes_nothing(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    target = make_project({n: add_sample(f"Hit {n}") for n in range(1, 4)}, device=MK2)
    before = project_of(session, target).revision
    arrange(session, target, 0, "name")
    assert project_of(session, target).revision == before


def test_a_foreign_sample_or_project_is_unknown(
    session: Session, add_sample: AddSample, make_project: MakeProject, person: Callable[..., User]
) -> None:
    stranger = person()
    target = make_project({})
    theirs = add_sample("Theirs", owner=stranger)
    with pytest.raises(NotFound):
        arrange(session, target, 0, "name", [theirs.id])
    with pytest.raises(NotFound):
        arrange(session, Target(stranger.id, target.project_id), 0, "name")


def test_an_old_revision_is_refused(session: Session, make_project: MakeProject) -> None:
    target = make_project({})
    with pytest.raises(ChangedMeanwhile):
        arrange(session, Target(target.user_id, target.project_id, 999), 0, "name")
