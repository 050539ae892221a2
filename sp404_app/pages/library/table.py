"""The list itself: heads, rows, and what can be done to a selection."""

import reflex as rx

from sp404_app.components.player import mini_wave, sample_row, sample_table
from sp404_app.pages.library.empty_state import nothing_here
from sp404_app.pages.library.track import track_of
from sp404_app.state.library.library import LibraryState
from sp404_app.state.rows import WINDOW, Row

ROW_HEIGHT = 44


def sheet() -> rx.Component:
    """The list itself."""
    return rx.el.div(
        rx.el.div(
            rx.el.span(),
            sort_head("Added", "created"),
            sort_head("Name", "name"),
            rx.el.span("Tags", class_name="head-tags"),
            sort_head("BPM", "bpm", "num"),
            sort_head("Key", "key", "num"),
            sort_head("Length", "duration", "num"),
            rx.el.span("Kind", class_name="head-kind"),
            class_name="sheet-head label",
        ),
        sample_table(
            rx.foreach(LibraryState.window.rows, row),
            total=LibraryState.window.total,
            start=LibraryState.window.start,
            count=LibraryState.window.rows.length(),
            size=WINDOW,
            row_height=ROW_HEIGHT,
            epoch=LibraryState.epoch,
            answered=LibraryState.answered,
            any_marked=LibraryState.marked_count > 0,
            address=LibraryState.address,
            on_window=LibraryState.show_from,
            on_mark=LibraryState.mark,
            on_open=LibraryState.open_sample,
            on_act=LibraryState.act,
        ),
        rx.cond(LibraryState.loaded & (LibraryState.window.total == 0), nothing_here()),
        rx.cond(LibraryState.marked_count > 0, bulk_bar()),
        class_name="sheet",
    )


def sort_head(text: str, column: str, kind: str = "") -> rx.Component:
    """A column's head; a click sorts by it."""
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


def row(sample: Row, position: rx.Var[int]) -> rx.Component:
    """One sound."""
    return sample_row(
        rx.el.input(
            type="checkbox",
            class_name="tick",
            checked=LibraryState.marked.contains(sample.id),
            aria_label=f"Select {sample.name}",
            on_change=lambda _: LibraryState.mark(
                "toggle",
                place(position),
                place(position),
            ),
        ),
        rx.cond(
            sample.wave != "",
            mini_wave(bars=sample.wave),
            rx.el.span(class_name="no-wave"),
        ),
        name_cell(sample),
        rx.el.span(
            rx.foreach(sample.tags, lambda tag: rx.el.span(tag, class_name="chip")),
            class_name="row-tags",
        ),
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
        rx.el.span(sample.kind, class_name="kind"),
        star(sample),
        more(sample),
        key=sample.id,
        index=place(position),
        marked=LibraryState.marked.contains(sample.id),
        track=track_of(sample),
        on_mark=LibraryState.mark,
        on_open=LibraryState.open_sample,
    )


def place(position: rx.Var[int]) -> rx.Var:
    """Return where in the whole list a row of the window stands."""
    return LibraryState.window.start.to(int) + position.to(int)


def name_cell(sample: Row) -> rx.Component:
    """The name, what is going on with it, and the field to change it."""
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
            # Reflex defines submit handlers outside of the loop, where `sample` is unknown:
            # the form carries the id.
            rx.el.input(type="hidden", name="sample_id", value=sample.id),
            on_submit=LibraryState.rename,
        ),
        rx.el.span(
            rx.el.span(sample.name, title=sample.name, data_testid="name"),
            progress(sample),
            class_name=rx.cond(
                LibraryState.query.has_copies & sample.joined, "row-name joined", "row-name"
            ),
        ),
    )


def progress(sample: Row) -> rx.Component:
    """What is going on with a sound that is not ready, and the one thing to do about it."""
    here = rx.match(
        sample.status,
        ("", rx.fragment()),
        ("queued", under_way("waiting for analysis", sample.id)),
        ("analysing", under_way("listening…", sample.id)),
        (
            "waiting_for_quota",
            rx.el.span(
                "not analysed: this month’s are used up · ",
                rx.el.a("see plans", href="/plans", class_name="link"),
                class_name="row-status",
            ),
        ),
        rx.el.span(
            rx.el.span(sample.error, title=sample.error, class_name="row-error"),
            do("Try again", "analyse", sample.id),
            class_name="row-status failed",
        ),
    )
    return rx.fragment(here)


def under_way(text: str, sample_id: str | rx.Var[str]) -> rx.Component:
    """A sign of life, and a way to stop."""
    return rx.el.span(
        rx.el.span(class_name="pulse"),
        text,
        do("Cancel", "cancel", sample_id),
        class_name="row-status",
    )


def do(text: str, action: str, sample_id: str | rx.Var[str]) -> rx.Component:
    """A small button that acts on one sound."""
    return rx.el.button(
        text,
        type="button",
        class_name="link row-do",
        on_click=LibraryState.act_on(action, sample_id),
        data_testid=f"row-{action}",
    )


def star(sample: Row) -> rx.Component:
    """The favourite switch."""
    return rx.el.button(
        rx.icon("star"),
        type="button",
        class_name=rx.cond(sample.favourite, "star on", "star"),
        aria_pressed=sample.favourite,
        aria_label=f"Favourite {sample.name}",
        on_click=LibraryState.act_on("favourite", sample.id),
        data_testid="star",
    )


def more(sample: Row) -> rx.Component:
    """The way to the sound's own page, or back from the trash."""
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


def bulk_bar() -> rx.Component:
    """What can be done to the selection."""

    def button(text: str, action: str, kind: str = "ghost") -> rx.Component:
        return rx.el.button(
            text,
            type="button",
            class_name=f"button small {kind}",
            on_click=LibraryState.act(action, ""),
            data_testid=f"bulk-{action}",
        )

    return rx.el.div(
        rx.el.strong(rx.el.span(LibraryState.marked_count, class_name="mono"), " selected"),
        rx.cond(
            LibraryState.query.trash,
            rx.fragment(
                button("Restore", "restore"),
                button("Delete for good", "delete_for_good", "danger"),
            ),
            rx.fragment(
                button("Tag", "tag"),
                button("Favourite", "favourite"),
                button("Analyse again", "analyse"),
                button("Delete", "delete"),
            ),
        ),
        rx.el.button(
            "×",
            type="button",
            class_name="icon-button small",
            aria_label="Select nothing",
            on_click=LibraryState.mark("none", 0, 0),
        ),
        class_name="bulk",
        data_testid="bulk",
    )
