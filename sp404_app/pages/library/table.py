"""The list of samples: column headers and rows, for the library and for a collection."""

import reflex as rx

from sp404_app.components.collections import row_drag
from sp404_app.components.columns import (
    added_date,
    columns_menu,
    sample_sheet,
    sheet_head,
    tag_chips,
)
from sp404_app.components.page_address import OPEN_ADDRESS
from sp404_app.components.player import mini_wave, sample_row, sample_table
from sp404_app.pages.bulk.progress import bulk_progress
from sp404_app.pages.library.bulk_bar import bulk_bar
from sp404_app.pages.library.dialogs import ROWS_MOVE
from sp404_app.pages.library.empty_state import empty_state
from sp404_app.pages.library.row_menu import row_menu
from sp404_app.pages.library.track import track_of
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.collections.collection import CollectionState
from sp404_app.state.library.columns import ColumnsState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.projects.put_on_pads import PutOnPadsState
from sp404_app.state.rows import WINDOW_ROWS, Row

ROW_HEIGHT = 44


def sample_list(*, in_collection: bool = False, empty: rx.Component | None = None) -> rx.Component:
    """The list of samples of the library, or of a collection; `empty` replaces an empty list."""
    movable = ROWS_MOVE if in_collection else False
    return sample_sheet(
        head(in_collection=in_collection),
        sample_table(
            rx.foreach(
                LibraryState.window.rows,
                lambda sample, position: row(sample, position, in_collection=in_collection),
            ),
            total=LibraryState.window.total,
            start=LibraryState.window.start,
            count=LibraryState.window.rows.length(),
            size=WINDOW_ROWS,
            row_height=ROW_HEIGHT,
            epoch=LibraryState.epoch,
            answered=LibraryState.answered,
            any_marked=LibraryState.selected_count > 0,
            address=LibraryState.address,
            is_step=LibraryState.is_step,
            is_hydrated=rx.State.is_hydrated,
            on_window=LibraryState.show_from,
            on_return=[LibraryState.prepare_return, OPEN_ADDRESS],
            on_mark=LibraryState.select_rows,
            on_open=LibraryState.open_sample,
            on_act=LibraryState.act,
            on_put=PutOnPadsState.open_dialog,
            on_collect=AddToCollectionState.open_dialog,
            trashed=LibraryState.query.trash,
            collection=in_collection,
            removable=movable,
            refreshed=LibraryState.refreshed,
            cursor_row=LibraryState.cursor_row,
            cursor_id=LibraryState.cursor_id,
            on_remove=CollectionState.remove,
            on_step=CollectionState.step,
        ),
        row_drag(
            movable=movable,
            on_collect=AddToCollectionState.drop,
            on_place=CollectionState.place,
        ),
        rx.cond(
            LibraryState.loaded & (LibraryState.window.total == 0), empty_state(whole_empty=empty)
        ),
        rx.cond(LibraryState.selected_count > 0, bulk_bar(in_collection=in_collection)),
        bulk_progress(),
        columns=ColumnsState.shown,
        kept=rx.cond(LibraryState.query.trash, "added", ""),  # it says when a sound is deleted
    )


def head(*, in_collection: bool) -> rx.Component:
    """The heads of the columns, and the menu that chooses them."""
    return sheet_head(
        rx.cond(ROWS_MOVE, sort_head("#", "position"), rx.el.span())
        if in_collection
        else rx.el.span(),
        rx.el.span(rx.el.span("Waveform", class_name="visually-hidden")),
        sort_head("Name", "name"),
        rx.el.span("Tags"),
        sort_head("BPM", "bpm", "num"),
        sort_head("Key", "key", "num"),
        sort_head("Length", "duration", "num"),
        rx.el.span("Class"),
        rx.cond(
            LibraryState.query.trash,
            rx.el.span("Kept for"),
            sort_head("Added", "created"),
        ),
        columns_menu(
            columns=ColumnsState.choices,
            on_show=ColumnsState.set_shown,
            on_move=ColumnsState.move,
            on_reset=ColumnsState.reset_all,
        ),
    )


def sort_head(text: str, column: str, kind: str = "") -> rx.Component:
    """Column header that sorts by its column."""
    sort = LibraryState.query.sort
    rising, falling = sort == column, sort == f"-{column}"
    return rx.el.button(
        text,
        rx.cond(rising, " ↑", rx.cond(falling, " ↓", "")),
        type="button",
        class_name=rx.cond(rising | falling, f"{kind} on", kind),
        on_click=LibraryState.sort_by(column),
        data_testid=f"sort-{column}",
    )


def row(sample: Row, position: rx.Var[int], *, in_collection: bool = False) -> rx.Component:
    """Row of one sample."""
    index = list_index(position)
    return sample_row(
        rx.el.input(
            type="checkbox",
            class_name="tick",
            checked=LibraryState.selected_ids.contains(sample.id),
            aria_label=f"Select {sample.name}",
            on_change=lambda _: LibraryState.select_rows("toggle", index, index),
        ),
        rx.cond(
            sample.wave != "",
            mini_wave(bars=sample.wave),
            rx.el.span(class_name="no-wave"),
        ),
        name_cell(sample),
        *value_cells(sample, position),
        star(sample),
        row_link(sample),
        row_menu(sample, in_collection=in_collection),
        key=sample.id,
        index=index,
        marked=LibraryState.selected_ids.contains(sample.id),
        track=track_of(sample),
        opens_on_tap=~LibraryState.query.trash,
        on_mark=LibraryState.select_rows,
        on_open=LibraryState.open_sample,
    )


def value_cells(sample: Row, position: rx.Var[int]) -> list[rx.Component]:
    """Tags, tempo, key, length, class and date of a sample."""
    days_left = LibraryState.window.days_left.to(list[int])[position.to(int)]
    return [
        tag_chips(tags=sample.tags, rest=sample.rest, on_tag=LibraryState.toggle_tag),
        rx.el.span(
            sample.bpm,
            class_name=rx.cond(sample.sure | (sample.bpm == ""), "num mono", "num mono unsure"),
            data_testid="bpm",
        ),
        rx.el.span(
            rx.cond(sample.camelot != "", rx.el.small(sample.camelot)),
            sample.key,
            class_name="num mono row-key",
            data_testid="key",
        ),
        rx.el.span(sample.duration, class_name="num mono row-length"),
        class_cell(sample),
        rx.cond(
            days_left > 0,
            rx.el.span(
                rx.cond(days_left == 1, "1 day", f"{days_left} days"),
                title="Then it is permanently deleted, or earlier if the trash is full",
                class_name="row-added",
                data_testid="days-left",
            ),
            added_date(of=sample.id),
        ),
    ]


def class_cell(sample: Row) -> rx.Component:
    """The class of a sample, with the sign of its kind; without a class, the kind."""
    return rx.el.span(
        rx.cond(
            sample.kind != "",
            rx.el.i(
                class_name=f"kind-sign {sample.kind}",
                role="img",
                aria_label=sample.kind,
                title=sample.kind,
            ),
        ),
        rx.cond(sample.sound_class != "", sample.sound_class, sample.kind),
        class_name="row-class",
        data_testid="class",
    )


def list_index(position: rx.Var[int]) -> rx.Var:
    """Return the index in the whole list of a row of the window."""
    return LibraryState.window.start.to(int) + position.to(int)


def name_cell(sample: Row) -> rx.Component:
    """Name and analysis status of a sample, or the field to rename it."""
    return rx.cond(
        LibraryState.renaming == sample.id,
        rx.el.form(
            rx.el.input(
                name="name",
                default_value=sample.name,
                class_name="input rename",
                auto_focus=True,
                aria_label="New name",
                on_blur=LibraryState.stop_renaming,
                max_length=200,
                data_testid="rename",
            ),
            # Reflex defines submit handlers outside the loop, where `sample` is unknown, so the
            # form contains the id.
            rx.el.input(type="hidden", name="sample_id", value=sample.id),
            on_submit=LibraryState.rename,
        ),
        rx.el.span(
            rx.el.span(sample.name, title=sample.name, data_testid="name"),
            analysis_status(sample),
            class_name=rx.cond(
                LibraryState.query.has_copies & sample.joined, "row-name joined", "row-name"
            ),
        ),
    )


def analysis_status(sample: Row) -> rx.Component:
    """Analysis status of a sample that is not ready, with the action for it."""
    status = rx.match(
        sample.status,
        ("", rx.fragment()),
        ("queued", active_status("Waiting for analysis", sample.id)),
        ("analysing", active_status("Analysing…", sample.id)),
        (
            "waiting_for_quota",
            rx.el.span(
                rx.icon("hourglass"),
                role="img",
                class_name="row-status row-waiting",
                aria_label="Waiting for analysis: the monthly limit is reached",
                title="Waiting for analysis: the monthly limit is reached",
                data_testid="row-waiting",
            ),
        ),
        rx.el.span(
            rx.el.span(sample.error, title=sample.error, class_name="row-error"),
            row_action("Try again", "analyse", sample.id),
            class_name="row-status failed",
        ),
    )
    return rx.fragment(status)


def active_status(text: str, sample_id: str | rx.Var[str]) -> rx.Component:
    """Status of a queued or running analysis, with a button to cancel it."""
    return rx.el.span(
        rx.el.span(class_name="pulse"),
        rx.el.span(text, class_name="status-text"),
        row_action("Cancel", "cancel", sample_id),
        class_name="row-status",
    )


def row_action(text: str, action: str, sample_id: str | rx.Var[str]) -> rx.Component:
    """Small button that applies an action to one sample."""
    return rx.el.button(
        text,
        type="button",
        class_name="link row-do",
        on_click=LibraryState.act_on(action, sample_id),
        data_testid=f"row-{action}",
    )


def star(sample: Row) -> rx.Component:
    """Button that toggles the favourite mark."""
    return rx.el.button(
        rx.icon("star"),
        type="button",
        class_name=rx.cond(sample.favourite, "star on", "star"),
        aria_pressed=sample.favourite,
        aria_label=f"Favourite {sample.name}",
        on_click=LibraryState.act_on("favourite", sample.id),
        data_testid="star",
    )


def row_link(sample: Row) -> rx.Component:
    """Link to the sample page, or in the trash a button to restore the sample."""
    return rx.cond(
        LibraryState.query.trash,
        rx.el.button(
            rx.icon("undo-2"),
            type="button",
            class_name="star more",
            aria_label=f"Restore {sample.name}",
            title="Restore",
            on_click=LibraryState.act_on("restore", sample.id),
            data_testid="restore",
        ),
        rx.el.a(
            rx.icon("chevron-right"),
            href=f"/samples/{sample.id}",
            class_name="star more",
            aria_label=f"Open {sample.name}",
        ),
    )
