"""The re-authentication dialog."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.state.auth.reauthentication import ConfirmState


def confirm_dialog() -> rx.Component:
    """Render the dialog over the page while it is open."""
    return rx.cond(
        ConfirmState.asking,
        rx.el.div(
            rx.el.div(
                rx.el.h2("Confirm it's you", id="confirm-title"),
                rx.el.p(
                    "Enter your password to continue. We won't ask again for ten minutes.",
                    class_name="muted",
                    id="confirm-why",
                ),
                _form(),
                role="dialog",
                class_name="card stack dialog",
                custom_attrs={
                    "aria-modal": "true",
                    "aria-labelledby": "confirm-title",
                    "aria-describedby": "confirm-why",
                    "data-testid": "confirm-dialog",
                },
            ),
            class_name="dialog-back",
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
            auto_focus=True,
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
