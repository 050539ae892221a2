"""The library beside the pads: the same search, filters and keys, in narrow rows."""

import reflex as rx

from sp404_app.components.player import mini_wave, play_button, sample_row, sample_table
from sp404_app.pages.library.filters import filters
from sp404_app.pages.library.table import list_index
from sp404_app.pages.library.toolbar import search_field
from sp404_app.pages.library.track import track_of
from sp404_app.state.library.library import LibraryState
from sp404_app.state.projects.kit_help import SuggestionRow
from sp404_app.state.projects.pads import PadsState
from sp404_app.state.rows import WINDOW_ROWS, Row

ROW_HEIGHT = 44


def drawer() -> rx.Component:
    """The drawer."""
    return rx.el.aside(
        rx.el.div(
            search_field(),
            rx.el.button(
                rx.icon("sliders-horizontal"),
                type="button",
                class_name="button",
                aria_label="Filters",
                aria_expanded=LibraryState.filters_open,
                title="Filters",
                on_click=LibraryState.toggle_filters,
                data_testid="drawer-filters",
            ),
            class_name="tools",
        ),
        filters(),
        rx.cond(PadsState.suggestions_for != "", suggestion_list()),
        rx.el.div(
            sample_table(
                rx.foreach(LibraryState.window.rows, drawer_row),
                total=LibraryState.window.total,
                start=LibraryState.window.start,
                count=LibraryState.window.rows.length(),
                size=WINDOW_ROWS,
                row_height=ROW_HEIGHT,
                epoch=LibraryState.epoch,
                answered=LibraryState.answered,
                any_marked=LibraryState.selected_count > 0,
                address="",
                drawer=True,
                on_window=LibraryState.show_from,
                on_mark=LibraryState.select_rows,
                on_open=PadsState.put_next,
                on_act=LibraryState.act,
            ),
            rx.cond(LibraryState.loaded & (LibraryState.window.total == 0), empty_drawer()),
            class_name="sheet",
        ),
        rx.el.p(
            rx.el.span("Drag onto a pad. "),
            rx.el.kbd("Enter"),
            rx.el.span(" chosen or next free pad"),
            class_name="drawer-hint",
        ),
        class_name="drawer",
        aria_label="Sounds",
        custom_attrs={"data-drawer": "true"},
        data_testid="drawer",
    )


def drawer_row(sample: Row, position: rx.Var[int]) -> rx.Component:
    """Row of one sample."""
    index = list_index(position)
    return sample_row(
        rx.cond(sample.wave != "", mini_wave(bars=sample.wave), rx.el.span(class_name="no-wave")),
        rx.el.span(
            rx.el.span(sample.name, title=sample.name, data_testid="name"),
            class_name="row-name",
        ),
        rx.el.span(sample.bpm, class_name="num mono"),
        rx.el.span(sample.key, class_name="num mono row-key"),
        rx.el.button(
            rx.icon("plus"),
            type="button",
            class_name="star add",
            aria_label=f"Put {sample.name} on the chosen pad, or the next free one",
            title="Put on the chosen pad, or the next free one",
            on_click=PadsState.put_next(sample.id),
            data_testid="put-next",
        ),
        key=sample.id,
        index=index,
        marked=LibraryState.selected_ids.contains(sample.id),
        track=track_of(sample),
        on_mark=LibraryState.select_rows,
        on_open=PadsState.put_next,
    )


def suggestion_list() -> rx.Component:
    """Samples that fit a pad, each with its reason."""

    def row(found: SuggestionRow) -> rx.Component:
        return rx.el.li(
            play_button(track=track_of(found.sample)),
            rx.el.span(
                rx.el.span(found.sample.name, class_name="suggestion-name"),
                rx.el.span(found.reason, class_name="suggestion-reason"),
                class_name="grow",
            ),
            rx.el.button(
                rx.icon("plus"),
                type="button",
                class_name="icon-button",
                aria_label=f"Put {found.sample.name} on pad {PadsState.suggestions_for}",
                title=f"Put on pad {PadsState.suggestions_for}",
                on_click=PadsState.put_sample(PadsState.suggestions_for, found.sample.id),
                data_testid="put-suggestion",
            ),
            class_name="suggestion",
            data_testid="suggestion",
        )

    return rx.el.section(
        rx.el.div(
            rx.el.h2(f"Fits pad {PadsState.suggestions_for}"),
            rx.el.span(class_name="grow"),
            rx.el.button(
                "×",
                type="button",
                class_name="icon-button small",
                aria_label="Close suggestions",
                on_click=PadsState.close_suggestions,
                data_testid="close-suggestions",
            ),
            class_name="row",
        ),
        rx.el.ul(rx.foreach(PadsState.suggestions, row)),
        class_name="suggestions",
        aria_label="Suggestions",
        data_testid="suggestions",
    )


def empty_drawer() -> rx.Component:
    """What to do when nothing is listed."""
    return rx.el.div(
        rx.cond(
            LibraryState.filtered,
            rx.fragment(
                rx.el.p("No matching sounds."),
                rx.el.button(
                    "Clear search",
                    type="button",
                    class_name="button small",
                    on_click=LibraryState.open_view("all"),
                ),
            ),
            rx.fragment(
                rx.el.p("Your library is empty. Drop sounds anywhere on this page."),
                rx.el.a("Go to library", href="/library", class_name="button small"),
            ),
        ),
        class_name="empty",
    )
