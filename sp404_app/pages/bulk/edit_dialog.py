"""The dialog that edits many sounds: values, names, and normalised copies."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.brand import style_sheet
from sp404_app.components.menus import modal
from sp404_app.pages.bulk.name_preview import name_preview, suggestions
from sp404_app.pages.bulk.values_tab import values_tab
from sp404_app.services.bulk.replacement import MAX_PATTERN_LENGTH, MAX_REPLACEMENT_LENGTH
from sp404_app.services.cards.name_template import FIELDS, MAX_TEMPLATE_LENGTH
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.bulk.edit_form import ON

TABS = (
    ("Values", "values"),
    ("Rename", "rename"),
    ("Find and replace", "replace"),
    ("Clean names", "clean"),
    ("Normalise", "normalise"),
)
EXAMPLE_FIELDS = " ".join(f"{{{field}}}" for field in FIELDS[:-1]) + " {n:03}"


def bulk_edit_dialog() -> rx.Component:
    """The dialog, with a tab for each kind of edit."""
    return rx.cond(
        BulkEditState.is_open,
        modal(
            style_sheet("/bulk.css"),
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
                        values_tab(),
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
                    default_value=BulkEditState.values["to"],
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
                    default_value=BulkEditState.values["level"],
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
