"""/shares: all public links of the user."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.brand import style_sheet
from sp404_app.pages.layout import layout
from sp404_app.pages.sharing.share_links import revoke_dialog, share_list
from sp404_app.state.sharing.share import ShareState


def shares() -> rx.Component:
    """The page."""
    return layout(
        style_sheet("/sharing.css"),
        rx.el.div(
            rx.el.header(
                rx.el.h1("Shared links"),
                rx.el.p(
                    "Anyone with a link can listen. Revoke it to stop that at once.",
                    class_name="muted",
                ),
                class_name="stack",
            ),
            forms.notice(ShareState.problem, testid="share-problem"),
            rx.cond(
                ShareState.loaded,
                rx.cond(ShareState.rows, share_list(names=True), empty()),
                rx.el.p("One moment…", class_name="muted"),
            ),
            class_name="page shares",
            data_testid="shares",
        ),
        revoke_dialog(),
        current="/account",
    )


def empty() -> rx.Component:
    """What to do without links."""
    return rx.el.div(
        rx.el.h2("No links yet"),
        rx.el.p(
            "Choose Share in the menu of a sound, a collection or a project.", class_name="muted"
        ),
        rx.el.a("Go to library", href="/library", class_name="button"),
        class_name="card stack shares-empty",
        data_testid="no-shares",
    )
