"""The form of the bulk edit dialog."""

import pytest

from sp404_app.errors import ValidationFailed
from sp404_app.services.bulk.common_values import CommonTag, CommonValue, CommonValues
from sp404_app.services.bulk.edits import CleanEdit, NormaliseEdit, ReplaceEdit, SetEdit
from sp404_app.state.bulk.edit_form import build_edit, common_view, next_tag_state, tag_chips

FOUND = CommonValues(
    count=3,
    size=300,
    fields={
        "bpm": CommonValue(92.5),
        "key": CommonValue(is_mixed=True),
        "kind": CommonValue("one_shot"),
        "sound_class": CommonValue(),
        "rating": CommonValue(4),
        "favourite": CommonValue(0),
        "note": CommonValue(""),
    },
    tags=[CommonTag("dusty", 3), CommonTag("tape", 2)],
)


def test_common_values_are_shown_as_text() -> None:
    view = common_view(FOUND)
    assert (view.bpm, view.key, view.kind) == ("92.5", "Mixed", "One-shot")
    assert (view.sound_class, view.rating) == ("No class", "★★★★")
    assert (view.favourite, view.note) == ("No", "No note")


def test_a_tag_of_all_is_removed_and_then_as_it_was() -> None:
    added: list[str] = []
    removed: list[str] = []
    next_tag_state(FOUND, "dusty", added, removed)
    assert [chip.state for chip in tag_chips(FOUND, added, removed)] == ["removed", "some"]
    next_tag_state(FOUND, "dusty", added, removed)
    assert (added, removed) == ([], [])


def test_a_tag_of_some_is_added_then_removed_and_then_as_it_was() -> None:
    added: list[str] = []
    removed: list[str] = []
    states = []
    for _ in range(3):
        next_tag_state(FOUND, "tape", added, removed)
        states.append(tag_chips(FOUND, added, removed)[1].state)
    assert states == ["added", "removed", "some"]


@pytest.mark.parametrize(
    ("values", "edit"),
    [
        ({"bpm": "92,5"}, SetEdit(bpm=92.5)),
        ({"bpm": "", "bpm_factor": "0.5"}, SetEdit(bpm_factor=0.5)),
        ({"key": "clear"}, SetEdit(key="")),
        ({"key": "keep", "kind": "loop"}, SetEdit(kind="loop")),
        ({"rating": "0"}, SetEdit(rating=0)),
        ({"favourite": "off"}, SetEdit(favourite=False)),
        ({"clear_note": "on"}, SetEdit(note="")),
        ({"note": "", "rating": "3"}, SetEdit(rating=3)),  # typed and deleted again: untouched
        ({"add_tags": " a, b ,, a"}, SetEdit(add_tags=("a", "b"))),
    ],
)
def test_only_touched_fields_are_part_of_the_edit(values: dict[str, str], edit: SetEdit) -> None:
    assert build_edit("values", values) == edit


@pytest.mark.parametrize(
    ("tab", "values"),
    [
        ("values", {}),
        ("values", {"key": "keep", "bpm": " ", "add_tags": " , "}),
        ("values", {"kind": "beat"}),
        ("values", {"rating": "9"}),
        ("values", {"bpm": "fast"}),
        ("rename", {"template": " "}),
        ("replace", {}),
        ("normalise", {"level": ""}),
        ("normalise", {"level": "3"}),
    ],
)
def test_a_form_without_a_valid_change_is_refused(tab: str, values: dict[str, str]) -> None:
    with pytest.raises(ValidationFailed):
        build_edit(tab, values)


def test_each_tab_describes_its_own_edit() -> None:
    values = {"find": "a", "is_regex": "on", "to": "lufs", "level": "−14".replace("−", "-")}
    assert build_edit("replace", values) == ReplaceEdit(find="a", is_regex=True)
    assert build_edit("clean", values) == CleanEdit()
    assert build_edit("normalise", values) == NormaliseEdit(to="lufs", value=-14.0)
