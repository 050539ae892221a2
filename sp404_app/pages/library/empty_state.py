"""What to do when the list is empty, and why it is."""

import reflex as rx

from sp404_app.components.player import choose_files
from sp404_app.state.library.library import LibraryState


def nothing_here() -> rx.Component:
    """What to do when the list is empty, and why it is."""
    return rx.cond(
        LibraryState.filtered,
        rx.el.div(
            rx.cond(
                LibraryState.query.has_copies,
                rx.fragment(
                    rx.el.h2("Nothing is here twice"),
                    rx.el.p(
                        "Among these sounds, no two are of one recording. Copies at another "
                        "rate, level or format are found as soon as both are analysed."
                    ),
                ),
                rx.fragment(
                    rx.el.h2("No sound fits"),
                    rx.el.p("Loosen a filter, or look for something else."),
                ),
            ),
            rx.el.button(
                "Show everything",
                type="button",
                class_name="button",
                on_click=LibraryState.visit("all"),
            ),
            class_name="empty",
            data_testid="nothing-found",
        ),
        rx.cond(
            LibraryState.query.trash,
            rx.el.div(
                rx.el.h2("The trash is empty"),
                rx.el.p("What you delete stays here for 30 days and can be brought back."),
                class_name="empty",
            ),
            first_sounds(),
        ),
    )


def first_sounds() -> rx.Component:
    """The very first view of a new library."""
    return rx.el.div(
        rx.el.div(
            *(rx.el.i(class_name="lit" if pad in (1, 6, 11) else "") for pad in range(16)),
            class_name="empty-pads",
            aria_hidden="true",
        ),
        rx.el.h2("Drop your sounds here"),
        rx.el.p(
            "Files or whole folders: WAV, AIFF, FLAC, MP3, Ogg, M4A. Each gets its waveform, "
            "tempo and key while you watch. Your originals stay as they are."
        ),
        rx.el.div(
            choose_files("Choose sounds", test_id="choose-first"),
            choose_files(
                "Choose a folder", folder=True, class_name="button", test_id="choose-first-folder"
            ),
            class_name="row",
        ),
        class_name="empty",
        data_testid="empty-library",
    )
