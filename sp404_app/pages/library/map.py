"""/map: the sounds of the library as points, near what they sound like."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.page_address import OPEN_ADDRESS, page_address
from sp404_app.components.sound_map import sound_map
from sp404_app.pages.bulk.edit_dialog import bulk_edit_dialog
from sp404_app.pages.bulk.progress import bulk_progress
from sp404_app.pages.layout import layout
from sp404_app.pages.library.bulk_bar import bulk_bar
from sp404_app.pages.library.dialogs import tag_dialog
from sp404_app.pages.library.filters import active_chips, filters
from sp404_app.pages.library.sidebar import sidebar
from sp404_app.pages.library.toolbar import filters_button, search_field, view_switch
from sp404_app.pages.sample_dialogs import sample_dialogs
from sp404_app.state.library.library import LibraryState

KEYBOARD = (
    ("← → ↑ ↓", "Move to the next sound and play it"),
    ("Space", "Play or stop"),
    ("Enter", "Open the sound"),
    ("+ −", "Zoom"),
    ("Shift drag", "Select with a lasso"),
    ("Esc", "Clear selection"),
    ("?", "Show shortcuts"),
    ("Ctrl K", "Find a sound, a page or an action"),
)


def library_map() -> rx.Component:
    """The page."""
    return layout(
        style_sheet("/projects.css"),
        style_sheet("/collections.css"),
        style_sheet("/bulk.css"),
        style_sheet("/map.css"),
        rx.el.div(
            page_address(
                address=LibraryState.map_address,
                is_step=LibraryState.is_step,
                version=LibraryState.epoch,
                is_hydrated=rx.State.is_hydrated,
                on_return=[LibraryState.prepare_return, OPEN_ADDRESS],
            ),
            sidebar(),
            rx.el.section(
                rx.el.h1("Map of sounds", class_name="visually-hidden"),
                rx.el.div(
                    search_field(), filters_button(), view_switch(is_map=True), class_name="tools"
                ),
                rx.el.div(filters(), active_chips()),
                rx.el.div(
                    sound_map(
                        query=LibraryState.api_parameters,
                        version=LibraryState.changes,
                        is_known=rx.State.is_hydrated,
                        any_marked=LibraryState.selected_count > 0,
                        selected=LibraryState.map_selection,
                        on_select=LibraryState.select_samples,
                        on_open=LibraryState.open_sample,
                    ),
                    rx.cond(LibraryState.selected_count > 0, bulk_bar()),
                    bulk_progress(),
                    class_name="sheet",
                ),
                class_name="main",
                aria_label="Map of sounds",
            ),
            class_name="library",
        ),
        tag_dialog(),
        sample_dialogs(),
        bulk_edit_dialog(),
        current="/library",
        help_keys=KEYBOARD,
    )
