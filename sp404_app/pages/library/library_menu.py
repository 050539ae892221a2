"""The library's menu: export and import of values, recent edits; and the import dialog."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.csv_import import csv_import
from sp404_app.components.menus import menu_button, menu_item, modal
from sp404_app.services.library.library_export import ExportFormat
from sp404_app.state.bulk.bulk_progress import BulkProgressState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.library_data import LibraryDataState


def library_menu() -> rx.Component:
    """The button with three dots beside the search."""
    what = rx.cond(LibraryState.filtered, "results", "library")
    return menu_button(
        *(
            menu_item(
                f"Export {what} as {each.upper()}",
                f"export-{each}",
                on_click=LibraryDataState.export_values(each.value),
                title="All values of the sounds, without their audio",
            )
            for each in ExportFormat
        ),
        menu_item(
            "Import CSV…",
            "import-csv",
            on_click=LibraryDataState.open_import,
            title="Tags, ratings and other values from a file",
        ),
        menu_item(
            "Recent edits…",
            "open-bulk-edits",
            on_click=BulkProgressState.open_list,
            title="See and undo changes of many sounds",
        ),
        label="Actions of the library",
        test_id="library-menu",
    )


def import_dialog() -> rx.Component:
    """The dialog that imports a CSV file."""
    return rx.cond(
        LibraryDataState.import_open,
        modal(
            style_sheet("/data.css"),
            rx.el.h2("Import CSV"),
            csv_import(on_close=LibraryDataState.close_import),
            label="Import CSV",
            test_id="csv-dialog",
            on_close=LibraryDataState.close_import,
        ),
    )
