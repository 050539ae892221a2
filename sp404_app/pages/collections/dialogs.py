"""Dialogs that several pages use: add sounds to a collection, and create or edit a collection."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.brand import style_sheet
from sp404_app.components.collections import collection_picker, rule_editor
from sp404_app.components.menus import modal
from sp404_app.services.infra.colours import BANK_COLOURS
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.collections.rule_fields import RULE_FIELDS

FORM = CollectionFormState


def add_to_collection_dialog() -> rx.Component:
    """The dialog that chooses the collection to which sounds are added."""
    return rx.cond(
        AddToCollectionState.is_open,
        modal(
            style_sheet("/collections.css"),
            rx.el.h2("Add to collection"),
            rx.el.p(AddToCollectionState.sounds, class_name="muted", data_testid="collect-what"),
            collection_picker(
                choices=AddToCollectionState.choices,
                on_choose=AddToCollectionState.choose,
                on_create=AddToCollectionState.create,
            ),
            rx.el.div(
                rx.el.button(
                    "Smart collection of similar sounds…",
                    type="button",
                    class_name="button ghost",
                    on_click=CollectionFormState.open_like_these,
                    data_testid="like-these",
                ),
                rx.el.button(
                    "Cancel",
                    type="button",
                    class_name="button",
                    on_click=AddToCollectionState.close,
                    data_testid="close-picker",
                ),
                class_name="dialog-foot",
            ),
            label="Add to collection",
            test_id="add-to-collection",
            on_close=AddToCollectionState.close,
        ),
    )


def collection_dialog() -> rx.Component:
    """The dialog that creates a collection or changes one."""
    title = rx.cond(
        FORM.editing_id != "",
        "Edit collection",
        rx.cond(
            FORM.of_search,
            "Save this search",
            rx.cond(FORM.is_smart, "New smart collection", "New collection"),
        ),
    )
    return rx.cond(
        FORM.is_open,
        modal(
            style_sheet("/collections.css"),
            rx.el.form(
                rx.el.h2(title),
                rx.cond(
                    FORM.is_smart,
                    rx.el.p(
                        rx.cond(
                            FORM.of_search,
                            "A smart collection: it holds every sound that this search finds, now"
                            " and later.",
                            "Holds every sound that matches the rules, now and later.",
                        ),
                        class_name="muted",
                    ),
                ),
                forms.field(
                    "name",
                    "Name",
                    field_id="name-of-collection",
                    problem=FORM.problems["name"],
                    default_value=FORM.name,
                    data_autofocus="",
                    max_length=200,
                ),
                rx.cond(FORM.is_smart, rules()),
                colours(),
                note(),
                forms.notice(FORM.problems["form"], testid="collection-problem"),
                rx.el.div(
                    rx.el.button(
                        "Cancel",
                        type="button",
                        class_name="button ghost",
                        on_click=FORM.close,
                        data_testid="close-collection-form",
                    ),
                    rx.el.button(
                        rx.cond(FORM.editing_id != "", "Save", "Create collection"),
                        type="submit",
                        class_name="button primary",
                        data_testid="save-collection",
                    ),
                    class_name="dialog-foot",
                ),
                on_submit=FORM.save,
                class_name="stack",
                key=FORM.stamp.to_string(),
            ),
            label=title,
            test_id="collection-form",
            on_close=FORM.close,
        ),
    )


def rules() -> rx.Component:
    """The rules of a smart collection, and how many sounds match them."""
    return rx.el.div(
        rx.el.span("Rules", class_name="field-label"),
        rule_editor(
            fields=RULE_FIELDS,
            rules=FORM.rules,
            tags=FORM.tags,
            collections=FORM.choices,
            matches=FORM.matches,
            problem=FORM.rule_problem,
            answered=FORM.answered,
            on_draft=FORM.count,
        ),
        class_name="field",
    )


def colours() -> rx.Component:
    """The choice of the colour."""
    return rx.el.fieldset(
        rx.el.legend("Colour", class_name="field-label"),
        rx.el.div(
            swatch("", "No colour"),
            *(
                swatch(colour, f"Colour {number}")
                for number, colour in enumerate(BANK_COLOURS, start=1)
            ),
            class_name="swatches",
        ),
        class_name="plain-fieldset",
    )


def swatch(colour: str, label: str) -> rx.Component:
    """A colour to choose."""
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="colour",
            value=colour,
            default_checked=FORM.colour == colour,
            aria_label=label,
            data_testid="swatch",
        ),
        rx.el.span(),
        class_name="swatch",
        style={"--bank": colour or "transparent"},
        title=label,
    )


def note() -> rx.Component:
    """The field for the note."""
    return rx.el.label(
        rx.el.span("Note", class_name="field-label"),
        rx.el.textarea(
            name="note",
            default_value=FORM.note,
            class_name="input",
            rows="2",
            max_length=4000,
            data_testid="collection-note",
        ),
        class_name="field",
    )
