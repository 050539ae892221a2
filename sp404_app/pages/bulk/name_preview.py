"""Lists of names before and after a bulk edit."""

import reflex as rx

from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.bulk.edit_form import NameRow


def name_preview() -> rx.Component:
    """The first names that change, or cannot."""
    return rx.el.div(
        rx.el.p(BulkEditState.summary, class_name="field-label", data_testid="bulk-summary"),
        rx.cond(
            BulkEditState.names.length() > 0,
            rx.el.ul(
                rx.foreach(BulkEditState.names, lambda row: rx.el.li(_names(row))),
                class_name="bulk-names",
                data_testid="bulk-names",
            ),
        ),
        class_name="field",
        role="status",
    )


def suggestions() -> rx.Component:
    """Names with a suggestion each, to accept or decline."""
    return rx.el.div(
        rx.el.p(BulkEditState.summary, class_name="field-label", data_testid="bulk-summary"),
        rx.cond(
            BulkEditState.names.length() > 0,
            rx.el.ul(
                rx.foreach(BulkEditState.names, _suggestion),
                class_name="bulk-names tall",
                data_testid="bulk-names",
            ),
        ),
        class_name="field",
    )


def _suggestion(row: NameRow) -> rx.Component:
    return rx.el.li(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=row.is_accepted,
                on_change=lambda _: BulkEditState.toggle_suggestion(row.id),
                data_testid="bulk-accept",
            ),
            _names(row),
        ),
        class_name=rx.cond(row.is_accepted, "", "declined"),
    )


def _names(row: NameRow) -> rx.Component:
    return rx.el.span(
        rx.el.span(row.before, class_name="bulk-before"),
        rx.cond(
            row.problem != "",
            rx.el.span(row.problem, class_name="field-error"),
            rx.el.span("→ ", row.after, class_name="bulk-after"),
        ),
        class_name="bulk-name",
    )
