"""The line over a list that is sorted by likeness: to which sound, and by which weights."""

import reflex as rx

from sp404_app.audio.similarity.embedding import VECTOR_PARTS
from sp404_app.components.brand import style_sheet
from sp404_app.components.likeness import likeness_sliders
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.likeness import LikenessState


def likeness_bar() -> rx.Component:
    """A chip that ends the order, and sliders; nothing in other orders."""
    window = LibraryState.window
    return rx.cond(
        LikenessState.anchor_id != "",
        rx.el.div(
            style_sheet("/alike.css"),
            rx.el.button(
                rx.el.span("Sorted by likeness to ", rx.el.b(window.anchor)),
                rx.el.span(" ×", aria_hidden="true"),
                type="button",
                class_name="chip on",
                title="Show the list in its usual order",
                aria_label=f"Stop sorting by likeness to {window.anchor}",
                on_click=LikenessState.stop_comparing,
                data_testid="likeness-chip",
            ),
            rx.cond(
                window.is_compared,
                likeness_sliders(
                    aspects=[aspect.value.capitalize() for aspect in VECTOR_PARTS],
                    scope=LikenessState.anchor_id,
                    weights=LikenessState.weights,
                    confirmed=LikenessState.confirmed_edit,
                    on_weigh=lambda weights, number: [
                        LikenessState.weigh(weights),
                        LikenessState.confirm_edit(number),
                    ],
                ),
                rx.el.span(
                    "This sound isn’t analysed yet: the newest come first.",
                    class_name="muted",
                    data_testid="likeness-waits",
                ),
            ),
            class_name="likeness-bar",
            data_testid="likeness-bar",
        ),
    )
