"""A line above the list: how many sounds wait for their analysis, and what to do about it."""

import reflex as rx

from sp404_app.components.plans_link import plans_link
from sp404_app.state.library.library import LibraryState


def waiting_note() -> rx.Component:
    """Render the line while the limit of the month is reached."""
    return rx.cond(
        (LibraryState.sidebar.waiting != "") & ~LibraryState.query.trash,
        rx.el.div(
            rx.icon("hourglass"),
            rx.el.span(
                LibraryState.sidebar.waiting,
                ": the monthly limit is reached.",
                rx.el.span(
                    " You can play, tag and use them all the same.", class_name="waiting-more"
                ),
            ),
            rx.el.button(
                "Show them",
                type="button",
                class_name="link",
                on_click=LibraryState.set_filter("status", "waiting_for_quota"),
                data_testid="show-waiting",
            ),
            plans_link(LibraryState.sidebar.offer),
            class_name="waiting-note",
            role="status",
            data_testid="waiting-note",
        ),
    )
