"""The dialog that edits many sounds: values, names, and normalised copies."""

from collections.abc import Sequence

import reflex as rx

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.components import forms
from sp404_app.components.menus import modal
from sp404_app.pages.bulk.name_preview import name_preview, suggestions
from sp404_app.services.bulk.replacement import MAX_PATTERN_LENGTH, MAX_REPLACEMENT_LENGTH
from sp404_app.services.cards.name_template import FIELDS, MAX_TEMPLATE_LENGTH
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.bulk.edit_form import CLEAR, KEEP, ON, TagChip

TABS = (
    ("Values", "values"),
    ("Rename", "rename"),
    ("Find and replace", "replace"),
    ("Clean names", "clean"),
    ("Normalise", "normalise"),
)
EXAMPLE_FIELDS = " ".join(f"{{{field}}}" for field in FIELDS[:-1]) + " {n:03}"
KEY_OPTIONS = [("No key", CLEAR), *((key, key) for key in KEYS)]
KIND_OPTIONS = [("Loop", "loop"), ("One-shot", "one_shot")]
CLASS_OPTIONS = [
    ("No class", CLEAR),
    *((each.value.capitalize(), each.value) for each in SoundClass),
]
RATING_OPTIONS = [("Not rated", "0"), *(("★" * stars, str(stars)) for stars in range(1, 6))]
FAVOURITE_OPTIONS = [("Yes", ON), ("No", "off")]


def bulk_edit_dialog() -> rx.Component:
    """The dialog, with a tab for each kind of edit."""
    return rx.cond(
        BulkEditState.is_open,
        modal(
            rx.el.div(
                rx.el.header(
                    rx.el.h2("Edit sounds"),
                    rx.el.p(BulkEditState.sounds, class_name="muted", data_testid="bulk-what"),
                ),
                _tabs(),
                rx.el.div(
                    rx.match(
                        BulkEditState.tab,
                        ("rename", _rename()),
                        ("replace", _replace()),
                        ("clean", _clean()),
                        ("normalise", _normalise()),
                        _values(),
                    ),
                    class_name="bulk-edit-body",
                ),
                forms.notice(BulkEditState.problem, testid="bulk-problem"),
                _foot(),
                class_name="bulk-edit",
            ),
            label="Edit sounds",
            test_id="bulk-edit",
            on_close=BulkEditState.close,
        ),
    )


def _tabs() -> rx.Component:
    return rx.el.div(
        *(
            rx.el.button(
                text,
                type="button",
                role="tab",
                aria_selected=BulkEditState.tab == name,
                class_name=rx.cond(BulkEditState.tab == name, "chip on", "chip"),
                on_click=BulkEditState.choose_tab(name),
                data_testid=f"bulk-tab-{name}",
            )
            for text, name in TABS
        ),
        role="tablist",
        aria_label="Kind of change",
        class_name="bulk-tabs",
    )


def _foot() -> rx.Component:
    return rx.el.div(
        rx.el.button(
            "Cancel", type="button", class_name="button ghost", on_click=BulkEditState.close
        ),
        rx.el.button(
            BulkEditState.apply_text,
            type="button",
            class_name="button primary",
            disabled=rx.cond(BulkEditState.can_apply, False, True),
            on_click=BulkEditState.apply,
            data_testid="bulk-apply",
        ),
        class_name="dialog-foot",
    )


def _values() -> rx.Component:
    common = BulkEditState.common
    return rx.fragment(
        rx.el.p("Only what you change here is changed.", class_name="field-hint"),
        rx.el.div(
            _tempo(),
            _select("key", "Key", common.key, KEY_OPTIONS),
            _select("kind", "Kind", common.kind, KIND_OPTIONS),
            _select("sound_class", "Class", common.sound_class, CLASS_OPTIONS),
            _select("rating", "Rating", common.rating, RATING_OPTIONS),
            _select("favourite", "Favourite", common.favourite, FAVOURITE_OPTIONS),
            class_name="bulk-fields",
        ),
        _tags(),
        rx.el.div(
            rx.el.label("Note", html_for="bulk-note", class_name="field-label"),
            rx.el.textarea(
                id="bulk-note",
                rows=2,
                max_length=4000,
                class_name="input",
                placeholder=common.note,
                on_change=lambda value: BulkEditState.set_value("note", value),
                data_testid="bulk-note",
            ),
            class_name="field",
        ),
    )


def _tempo() -> rx.Component:
    factor = BulkEditState.values["bpm_factor"]
    return rx.el.div(
        rx.el.label("Tempo", html_for="bulk-bpm", class_name="field-label"),
        rx.el.div(
            rx.el.input(
                id="bulk-bpm",
                class_name="input mono",
                input_mode="decimal",
                auto_complete="off",
                placeholder=BulkEditState.common.bpm,
                value=BulkEditState.values["bpm"],
                on_change=lambda value: BulkEditState.set_value("bpm", value),
                data_testid="bulk-bpm",
            ),
            *(
                rx.el.button(
                    text,
                    type="button",
                    class_name=rx.cond(factor == value, "chip on", "chip"),
                    aria_pressed=factor == value,
                    title=title,
                    on_click=BulkEditState.set_value(
                        "bpm_factor", rx.cond(factor == value, "", value)
                    ),
                    data_testid=f"bulk-bpm-{name}",
                )
                for text, value, name, title in (
                    ("÷ 2", "0.5", "half", "Half the tempo"),
                    ("× 2", "2", "double", "Double the tempo"),
                )
            ),
            class_name="bulk-tempo",
        ),
        class_name="field",
    )


def _select(
    field: str, label: str, common: rx.Var[str], options: Sequence[tuple[str, str]]
) -> rx.Component:
    """Select whose first option leaves the value as it is."""
    return rx.el.div(
        rx.el.label(label, html_for=f"bulk-{field}", class_name="field-label"),
        rx.el.select(
            rx.el.option(common, value=KEEP),
            *(rx.el.option(text, value=value) for text, value in options),
            id=f"bulk-{field}",
            class_name="input",
            default_value=KEEP,
            on_change=lambda value: BulkEditState.set_value(field, value),
            data_testid=f"bulk-{field}",
        ),
        class_name="field",
    )


def _tags() -> rx.Component:
    return rx.el.div(
        rx.el.label("Tags", html_for="bulk-add_tags", class_name="field-label"),
        rx.cond(
            BulkEditState.tags.length() > 0,
            rx.el.div(rx.foreach(BulkEditState.tags, _tag), class_name="row wrap"),
        ),
        rx.el.input(
            id="bulk-add_tags",
            class_name="input",
            auto_complete="off",
            max_length=2000,
            placeholder="Add tags, separated by commas",
            on_change=lambda value: BulkEditState.set_value("add_tags", value),
            data_testid="bulk-add_tags",
        ),
        rx.cond(
            BulkEditState.tags.length() > 0,
            rx.el.p(
                "Click a tag to add it to all sounds or to remove it. "
                "Tags with a dashed border are on some of them.",
                class_name="field-hint",
            ),
        ),
        class_name="field",
    )


def _tag(tag: TagChip) -> rx.Component:
    return rx.el.button(
        rx.match(tag.state, ("added", "+ "), ("removed", "− "), ""),
        tag.name,
        type="button",
        class_name=f"chip bulk-tag {tag.state}",
        title=tag.hint,
        aria_label=f"{tag.name}: {tag.hint}",
        on_click=BulkEditState.toggle_tag(tag.name),
        data_testid="bulk-common-tag",
    )


def _rename() -> rx.Component:
    return rx.fragment(
        forms.field(
            "bulk-template",
            "Name template",
            hint=f"Fields: {EXAMPLE_FIELDS}",
            default_value=BulkEditState.values["template"],
            on_change=lambda value: BulkEditState.set_value("template", value),
            max_length=MAX_TEMPLATE_LENGTH,
            spell_check=False,
        ),
        name_preview(),
    )


def _replace() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            forms.field(
                "bulk-find",
                "Find",
                default_value=BulkEditState.values["find"],
                on_change=lambda value: BulkEditState.set_value("find", value),
                max_length=MAX_PATTERN_LENGTH,
                spell_check=False,
            ),
            forms.field(
                "bulk-replacement",
                "Replace with",
                default_value=BulkEditState.values["replacement"],
                on_change=lambda value: BulkEditState.set_value("replacement", value),
                max_length=MAX_REPLACEMENT_LENGTH,
                spell_check=False,
            ),
            class_name="bulk-fields two",
        ),
        rx.el.div(
            _option("match_case", "Match case"),
            _option("is_regex", "Regular expression"),
            class_name="row wrap",
        ),
        rx.cond(
            BulkEditState.values["is_regex"] == ON,
            rx.el.p(
                r"Groups in brackets are \1, \2 and so on: “(\w+) (\d+)” to “\2 \1”.",
                class_name="field-hint",
            ),
        ),
        name_preview(),
    )


def _option(field: str, text: str) -> rx.Component:
    is_on = BulkEditState.values[field] == ON
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=is_on,
            on_change=BulkEditState.set_value(field, rx.cond(is_on, "", ON)),
            data_testid=f"bulk-{field}",
        ),
        f" {text}",
        class_name="check",
    )


def _clean() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "Suggestions without underscores, and without the tempo, key and version that a name "
            "repeats. Only ticked names are changed.",
            class_name="field-hint",
        ),
        suggestions(),
    )


def _normalise() -> rx.Component:
    is_peak = BulkEditState.values["to"] != "lufs"
    return rx.fragment(
        rx.el.p(
            "Adds a new sound for each, named “… normalised”. The originals stay as they are.",
            class_name="field-hint",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.label("Measure", html_for="bulk-to", class_name="field-label"),
                rx.el.select(
                    rx.el.option("Peak", value="peak"),
                    rx.el.option("Loudness", value="lufs"),
                    id="bulk-to",
                    class_name="input",
                    default_value="peak",
                    on_change=lambda value: BulkEditState.set_value("to", value),
                    data_testid="bulk-to",
                ),
                class_name="field",
            ),
            rx.el.div(
                rx.el.label(
                    rx.cond(is_peak, "Level in dBFS", "Level in LUFS"),
                    html_for="bulk-level",
                    class_name="field-label",
                ),
                rx.el.input(
                    id="bulk-level",
                    class_name="input mono",
                    input_mode="text",
                    auto_complete="off",
                    value=BulkEditState.values["level"],
                    on_change=lambda value: BulkEditState.set_value("level", value),
                    data_testid="bulk-level",
                ),
                class_name="field",
            ),
            class_name="bulk-fields two",
        ),
        rx.cond(
            is_peak,
            rx.fragment(),
            rx.el.p(
                "A sound that would clip is made as loud as it can be without clipping.",
                class_name="field-hint",
            ),
        ),
    )
