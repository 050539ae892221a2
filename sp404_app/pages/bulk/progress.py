"""The progress of a bulk edit, and the dialog with the recent edits."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.menus import modal
from sp404_app.state.bulk import long_edits  # noqa: F401 - it adds its actions to the library
from sp404_app.state.bulk.bulk_progress import BulkProgressState, EditRow


def bulk_progress() -> rx.Component:
    """How far the edit is that runs, with a button to cancel it."""
    return rx.cond(
        BulkProgressState.label != "",
        rx.el.div(
            style_sheet("/bulk.css"),
            rx.el.span(
                BulkProgressState.label,
                ": ",
                rx.el.span(BulkProgressState.percent, "%", class_name="mono"),
            ),
            rx.el.progress(value=BulkProgressState.percent, max=100, aria_label="Progress"),
            rx.el.button(
                "Cancel",
                type="button",
                class_name="button small",
                on_click=BulkProgressState.cancel,
                data_testid="bulk-cancel",
            ),
            class_name="bulk-progress",
            role="status",
            data_testid="bulk-progress",
        ),
    )


def recent_edits_dialog() -> rx.Component:
    """The recent edits, each with a button to undo it."""
    return rx.cond(
        BulkProgressState.is_list_open,
        modal(
            style_sheet("/bulk.css"),
            rx.el.div(
                rx.el.h2("Recent edits"),
                rx.el.p(
                    "Changes of many sounds in the last 30 days. "
                    "Undo leaves values that were changed since.",
                    class_name="field-hint",
                ),
                rx.cond(
                    BulkProgressState.edits.length() > 0,
                    rx.el.ul(
                        rx.foreach(BulkProgressState.edits, _edit),
                        class_name="bulk-edits",
                        data_testid="bulk-edits",
                    ),
                    rx.el.p("No edits yet.", class_name="muted", data_testid="no-bulk-edits"),
                ),
                rx.el.div(
                    rx.el.button(
                        "Close",
                        type="button",
                        class_name="button",
                        on_click=BulkProgressState.close_list,
                        data_testid="close-bulk-edits",
                    ),
                    class_name="dialog-foot",
                ),
                class_name="bulk-edit",
            ),
            label="Recent edits",
            test_id="recent-edits",
            on_close=BulkProgressState.close_list,
        ),
    )


def _edit(edit: EditRow) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(edit.title),
            rx.el.span(edit.result, " · ", edit.age, class_name="muted"),
            rx.cond(edit.problem != "", rx.el.span(edit.problem, class_name="field-error")),
        ),
        rx.cond(
            edit.can_undo,
            rx.el.button(
                "Undo",
                type="button",
                class_name="button small",
                on_click=BulkProgressState.undo(edit.id),
                data_testid="bulk-undo",
            ),
        ),
    )
