"""The list of all keys of the pad page."""

import reflex as rx

from sp404_app.components.menus import modal
from sp404_app.state.projects.pads import PadsState

KEYS = (
    ("1 2 3 4 · Q W E R · A S D F · Z X C V", "Play pads"),
    ("Space", "Play the chosen pad"),
    ("Esc", "Stop all"),
    ("B", "Original or edited"),
    ("↑ ↓ ← →", "Choose a pad"),
    ("Page Up · Page Down", "Other bank"),
    ("Ctrl C · Ctrl X · Ctrl V", "Copy, cut, paste pad"),
    ("Delete", "Clear pad"),
    ("Ctrl Z · Ctrl Shift Z", "Undo, redo"),
    ("Shift E · Shift K", "Export, check"),
    ("/", "Search sounds"),
    ("P", "Download the pad sheet"),
    ("T", "Patterns of the project"),
    ("Enter (in the list)", "Put on the chosen pad, or the next free one"),
)


def help_dialog() -> rx.Component:
    """The dialog."""
    return rx.cond(
        PadsState.is_help_open,
        modal(
            rx.el.h2("Keys"),
            rx.el.dl(
                *(
                    rx.el.div(rx.el.dt(rx.el.kbd(keys)), rx.el.dd(what), class_name="key-row")
                    for keys, what in KEYS
                ),
                class_name="key-list",
            ),
            rx.el.button(
                "Close",
                type="button",
                class_name="button",
                on_click=PadsState.close_help,
                data_testid="close-help",
            ),
            label="Keys",
            on_close=PadsState.close_help,
        ),
    )
