"""The re-authentication dialog."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.menus import modal
from sp404_app.state.auth.reauthentication import ConfirmState


def confirm_dialog() -> rx.Component:
    """Render the dialog over the page while it is open."""
    return rx.cond(
        ConfirmState.asking,
        modal(
            rx.el.h2("Confirm it's you"),
            rx.el.p(
                "Enter your password to continue. We won't ask again for ten minutes.",
                class_name="muted",
            ),
            _form(),
            label="Confirm it's you",
            test_id="confirm-dialog",
            on_close=ConfirmState.cancel,
        ),
    )


def _form() -> rx.Component:
    return rx.el.form(
        forms.field(
            "proof",
            "Password",
            kind="password",
            autocomplete="current-password",
            problem=ConfirmState.problem,
            required=True,
        ),
        rx.el.div(
            rx.el.button(
                rx.cond(ConfirmState.busy, "One moment…", "Confirm"),
                type="submit",
                disabled=ConfirmState.busy,
                class_name="button primary",
                custom_attrs={"data-testid": "prove"},
            ),
            forms.button("Cancel", "cancel-proof", "ghost", on_click=ConfirmState.cancel),
            class_name="row",
        ),
        on_submit=ConfirmState.confirm,
        class_name="stack",
    )
