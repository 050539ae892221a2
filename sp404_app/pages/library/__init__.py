"""/library: the list of samples with search, filters, sidebar and upload."""

import reflex as rx

from sp404_app.components.offline_library import offline_library
from sp404_app.pages.bulk.edit_dialog import bulk_edit_dialog
from sp404_app.pages.bulk.progress import recent_edits_dialog
from sp404_app.pages.layout import layout
from sp404_app.pages.library.dialogs import ACTION_KEYS, KEYBOARD, deletion_dialog, tag_dialog
from sp404_app.pages.library.filters import active_chips, filters
from sp404_app.pages.library.library_menu import import_dialog
from sp404_app.pages.library.likeness import likeness_bar
from sp404_app.pages.library.query_by_sound import find_by_sound
from sp404_app.pages.library.sidebar import sidebar
from sp404_app.pages.library.table import sample_list
from sp404_app.pages.library.toolbar import toolbar
from sp404_app.pages.library.trash import trash_note
from sp404_app.pages.library.waiting_note import waiting_note
from sp404_app.pages.sample_dialogs import sample_dialogs


def library() -> rx.Component:
    """The library page."""
    return layout(
        rx.el.div(
            sidebar(),
            rx.el.section(
                rx.el.h1("Library", class_name="visually-hidden"),
                toolbar(),
                rx.el.div(
                    filters(),
                    active_chips(),
                    likeness_bar(),
                    trash_note(),
                    waiting_note(),
                    offline_library(),
                ),
                sample_list(),
                class_name="main",
                aria_label="Library",
            ),
            class_name="library",
        ),
        tag_dialog(),
        deletion_dialog(),
        sample_dialogs(),
        import_dialog(),
        bulk_edit_dialog(),
        recent_edits_dialog(),
        find_by_sound(),
        current="/library",
        help_keys=KEYBOARD,
        keys=ACTION_KEYS,
    )
