"""Messages in place of an empty list: why it is empty, and what to do."""

import reflex as rx
from reflex.event import EventType

from sp404_app.components.facets import facet_watch
from sp404_app.components.player import choose_files
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.relaxation import Offer, RelaxationState


def empty_state(*, whole_empty: rx.Component | None = None) -> rx.Component:
    """Message for no search results, an empty trash or an empty library.

    `whole_empty` replaces the invitation to upload the first sounds.
    """
    return rx.cond(
        LibraryState.filtered,
        rx.el.div(
            rx.cond(
                LibraryState.query.has_copies,
                rx.fragment(
                    rx.el.h2("No copies"),
                    rx.el.p(
                        "No two of these sounds are the same recording. Copies at another sample "
                        "rate, level or format are found once both are analysed."
                    ),
                ),
                rx.fragment(
                    rx.el.h2("No matching sounds"),
                    rx.el.p(LibraryState.empty_reason),
                    facet_watch(
                        is_open=True,
                        version=LibraryState.api_parameters,
                        on_count=RelaxationState.look,
                    ),
                    rx.el.div(
                        rx.foreach(RelaxationState.offers, offer_button),
                        class_name="row wrap empty-offers",
                    ),
                ),
            ),
            rx.el.button(
                "Show all sounds",
                type="button",
                class_name="button",
                on_click=LibraryState.open_view("all"),
            ),
            class_name="empty",
            data_testid="nothing-found",
        ),
        rx.cond(
            LibraryState.query.trash,
            rx.el.div(
                rx.el.h2("The trash is empty"),
                rx.el.p("Deleted sounds stay here for 30 days. Until then, you can restore them."),
                class_name="empty",
            ),
            whole_empty or first_sounds(),
        ),
    )


def offer_button(offer: Offer) -> rx.Component:
    """Button that drops limits of the search, or searches for another text."""

    def name(text: str, at: int) -> rx.Component:
        is_last = at == offer.texts.length() - 1  # type: ignore[attr-defined]
        return rx.fragment(rx.cond(at > 0, rx.cond(is_last, " and ", ", "), ""), rx.el.q(text))

    nearby = [LibraryState.set_filter("q", offer.q), rx.set_value("q", offer.q)]
    return rx.cond(
        offer.q != "",
        _offer(rx.el.span("Around ", offer.texts[0]), offer, nearby),
        _offer(
            rx.el.span("Without ", rx.foreach(offer.texts, name)),
            offer,
            LibraryState.remove_chips(offer.chips),
        ),
    )


def _offer(text: rx.Component, offer: Offer, on_click: EventType[()]) -> rx.Component:
    return rx.el.button(
        text,
        rx.el.span(offer.sounds, class_name="mono"),
        type="button",
        class_name="button small",
        on_click=on_click,
        data_testid="offer",
    )


def first_sounds() -> rx.Component:
    """Invitation to upload the first sounds."""
    return rx.el.div(
        rx.el.div(
            *(rx.el.i(class_name="lit" if pad in (1, 6, 11) else "") for pad in range(16)),
            class_name="empty-pads",
            aria_hidden="true",
        ),
        rx.el.h2(
            rx.el.span("Drop your sounds here", class_name="for-pointers"),
            rx.el.span("Add your sounds", class_name="for-fingers"),
        ),
        rx.el.p(
            "Files or whole folders: WAV, AIFF, FLAC, MP3, Ogg, M4A. We find the waveform, tempo "
            "and key of each sound. Your original files are never changed."
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
