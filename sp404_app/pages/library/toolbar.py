"""Toolbar of the library: search field, query by sound, filters and upload buttons."""

import reflex as rx

from sp404_app.components.player import choose_files
from sp404_app.pages.library.library_menu import library_menu
from sp404_app.state.library.library import LibraryState
from sp404_app.state.sample.query_by_sound import QueryBySoundState


def toolbar() -> rx.Component:
    """Search field, query by sound, and upload buttons."""
    return rx.el.div(
        search_field(),
        rx.el.button(
            rx.icon("audio-lines"),
            rx.el.span("Find by sound", class_name="wide-only"),
            type="button",
            class_name="button",
            aria_label="Find by sound",
            title="Find sounds similar to a recording or a file",
            on_click=QueryBySoundState.open_dialog,
            data_testid="find-by-sound",
        ),
        filters_button(),
        rx.el.span(view_switch(), class_name="wide-only"),
        rx.el.span(
            choose_files("Add folder", folder=True, class_name="button", test_id="choose-folder"),
            class_name="wide-only",
        ),
        choose_files(rx.el.span("Add", rx.el.span(" sounds", class_name="wide-only"))),
        library_menu(),
        class_name="tools",
    )


def view_switch(*, is_map: bool = False) -> rx.Component:
    """Links to the same search as a list and on the map."""
    views = (("List", LibraryState.list_url, not is_map), ("Map", LibraryState.map_url, is_map))
    return rx.el.nav(
        *(
            rx.el.a(
                text,
                href=url,
                aria_current="page" if is_here else None,
                on_click=LibraryState.keep_selection,
                data_testid=f"view-{text.lower()}",
            )
            for text, url, is_here in views
        ),
        class_name="view-switch",
        aria_label="View",
    )


def filters_button() -> rx.Component:
    """Button that shows or hides the filters."""
    return rx.el.button(
        rx.icon("sliders-horizontal"),
        rx.el.span("Filters", class_name="wide-only"),
        type="button",
        class_name="button filters-button",
        aria_label="Filters",
        aria_expanded=LibraryState.filters_open,
        title="Filters",
        on_click=LibraryState.toggle_filters,
        data_testid="filters",
    )


def search_field() -> rx.Component:
    """The search field."""
    return rx.el.div(
        rx.icon("search"),
        rx.el.input(
            id="q",
            type="search",
            placeholder="Search names, tags, sound   –  try  warm bass  or  loop around 90",
            class_name="input",
            aria_label="Search",
            auto_complete="off",
            spell_check=False,
            on_change=lambda value: LibraryState.set_filter("q", value),
            data_testid="search",
        ),
        rx.el.kbd("/"),
        class_name="search",
    )
