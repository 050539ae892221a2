"""Frame of the pages for signed-in users: top bar, content, player, uploads and toast."""

from collections.abc import Sequence

import reflex as rx
from reflex.event import EventType

from sp404_app.components.brand import brand
from sp404_app.components.cards import card_reader_panel
from sp404_app.components.command_palette import Destination, command_palette
from sp404_app.components.plain_form import plain_form
from sp404_app.components.player import player_bar, toast, upload_panel
from sp404_app.components.theme import theme_report
from sp404_app.settings import settings
from sp404_app.state.layout import LayoutState
from sp404_app.state.library.library_actions import UNDO_DELETION
from sp404_app.state.toast import ToastState

BILLING_TITLE, BILLING_URL = "Plan", "/billing"
KeyList = Sequence[tuple[str, str]]
CONTENT = "content"  # the id of the main element
NAVIGATION = (
    ("Library", "/library"),
    ("Collections", "/collections"),
    ("Projects", "/projects"),
    ("Usage", "/usage"),
    (BILLING_TITLE, BILLING_URL),
    ("Account", "/account"),
)
# Further words by which the command palette finds them.
WORDS = {
    "/library": "upload add",
    "/usage": "quota limits",
    BILLING_URL: "billing invoices payment",
    "/account": "password two-factor 2fa tokens theme",
}
# What the command palette finds beside the navigation.
FURTHER_DESTINATIONS = (
    Destination("Favourites", "/library?favourite=1", "starred library"),
    Destination("Loops", "/library?kind=loop", "library"),
    Destination("One-shots", "/library?kind=one_shot", "library hits"),
    Destination("Duplicates", "/library?copies=1&sort=copies", "copies library"),
    Destination("Map", "/map", "sounds alike similar library"),
    Destination("Trash", "/library?view=trash", "deleted restore library"),
    Destination("Shared links", "/shares", "sharing public"),
    Destination("Export a project to an SD card", "/projects", "write download"),
    Destination("New project", "/projects", "create pads", press="new-project"),
    Destination("New collection", "/collections", "create", press="new-collection"),
    Destination(
        "New smart collection", "/collections", "create rules", press="new-smart-collection"
    ),
)


def layout(
    *children: rx.Component,
    current: str = "",
    help_keys: KeyList | rx.Var[list[tuple[str, str]]] = (),
    keys: KeyList = (),
    on_theme: Sequence[EventType[()]] = (),
) -> rx.Component:
    """Render a page inside the frame; `on_theme` draws its figures.

    The help of the player bar lists `help_keys`, and the command palette offers `keys`: pairs of a
    key and what it does on this page.
    """
    listed = help_keys if isinstance(help_keys, rx.Var) else list(help_keys)
    return rx.el.div(
        theme_report(
            drawn=rx.cond(LayoutState.is_hydrated, LayoutState.theme, ""),
            preferred=LayoutState.chosen_theme,
            on_shown=lambda theme: [LayoutState.show_theme(theme), *on_theme],
        ),
        topbar(current, keys),
        rx.el.main(*children, id=CONTENT, tab_index=-1, class_name="content"),
        player_bar(
            autoplay=LayoutState.autoplay,
            levelled=LayoutState.levelled,
            notice=ToastState.stamp,
            to_trash=ToastState.undo == UNDO_DELETION,
            help_keys=listed,
        ),
        upload_panel(folder_tags=LayoutState.folder_tags),
        card_reader_panel(),
        toast(
            text=ToastState.message,
            tone=ToastState.tone,
            undo=ToastState.undo != "",
            stamp=ToastState.stamp,
            link=ToastState.link,
            on_undo=ToastState.run_undo,
            on_close=ToastState.close,
        ),
        class_name="frame",
        data_room=current,
        data_loaded=LayoutState.is_hydrated,
    )


def topbar(current: str, keys: KeyList) -> rx.Component:
    """Render the logo, the navigation, the palette, a payment warning and the sign-out button."""
    has_billing = settings().billing
    shown = [(text, href) for text, href in NAVIGATION if has_billing or href != BILLING_URL]
    destinations = [Destination(text, href, WORDS.get(href, "")) for text, href in shown]
    return rx.el.header(
        # A link to "#content" would be one of the router, which does not move the focus.
        rx.el.button(
            "Skip to content", type="button", class_name="skip", on_click=rx.set_focus(CONTENT)
        ),
        brand("/library"),
        rx.el.nav(
            *(
                rx.el.a(
                    text,
                    href=href,
                    # On a phone there is no room; the page of the plan links to it.
                    class_name="nav-usage" if has_billing and href == "/usage" else "",
                    aria_current="page" if href == current else None,
                )
                for text, href in shown
            ),
            aria_label="Main",
        ),
        rx.el.span(class_name="grow"),
        command_palette([*destinations, *FURTHER_DESTINATIONS], keys),
        rx.cond(
            LayoutState.alarm != "",
            rx.el.a(
                LayoutState.alarm, href=BILLING_URL, class_name="mood bad", data_testid="alarm"
            ),
        )
        if has_billing
        else rx.fragment(),
        plain_form(
            rx.el.button("Sign out", type="submit", class_name="button ghost small sign-out"),
            action="/auth/session/end",
            method="post",
        ),
        class_name="topbar",
    )
