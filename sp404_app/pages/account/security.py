"""Sections of the account page: two-factor authentication and access tokens."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.menus import modal
from sp404_app.components.server_link import server_link
from sp404_app.pages.copy_text import copy_text_button
from sp404_app.services.auth.personal_access_tokens import Scope, offered_scopes
from sp404_app.state.auth.access_tokens import TokenRow, TokensState
from sp404_app.state.auth.two_factor import TwoFactorState

SCOPE_LABELS = {
    Scope.SAMPLES_READ: "Read and play my library",
    Scope.SAMPLES_WRITE: "Upload, change and delete sounds",
    Scope.PROJECTS_READ: "Read and play my projects",
    Scope.PROJECTS_WRITE: "Create, change and delete projects",
    Scope.ACCOUNT_READ: "Read my profile and usage",
    Scope.BILLING_READ: "Read my plan and invoices",
}
LIFETIME_OPTIONS = (
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
    ("", "Never"),
)


def two_factor_panel() -> rx.Component:
    """Render two-factor authentication: off, setup or on."""
    return rx.el.div(
        rx.cond(
            TwoFactorState.on,
            _on(),
            rx.cond(TwoFactorState.secret, _setting_up(), _off()),
        ),
        class_name="stack",
        custom_attrs={"data-testid": "two-factor"},
    )


def _off() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "Off. When it's on, signing in needs a code from an authenticator app as well as your "
            "password.",
            class_name="muted",
        ),
        forms.notice(TwoFactorState.problem),
        rx.el.div(forms.button("Turn on", "begin-2fa", on_click=TwoFactorState.begin)),
    )


def _setting_up() -> rx.Component:
    return rx.el.div(
        rx.el.img(
            src=TwoFactorState.qr,
            alt="QR code for your authenticator app",
            width="180",
            height="180",
            class_name="qr",
        ),
        rx.el.div(
            rx.el.p("1. Scan this with an authenticator app, or enter the key:"),
            rx.el.code(TwoFactorState.secret, class_name="secret mono", id="totp-secret"),
            rx.el.form(
                forms.field(
                    "code",
                    "2. Enter the 6-digit code",
                    autocomplete="one-time-code",
                    problem=TwoFactorState.problem,
                    required=True,
                    max_length=10,
                    input_mode="numeric",
                    auto_focus=True,
                ),
                rx.el.div(
                    rx.el.button(
                        "Turn on",
                        type="submit",
                        class_name="button primary",
                        custom_attrs={"data-testid": "confirm-2fa"},
                    ),
                    forms.button("Cancel", "cancel-2fa", "ghost", on_click=TwoFactorState.cancel),
                    class_name="row",
                ),
                on_submit=TwoFactorState.confirm,
                class_name="stack",
            ),
            class_name="stack",
        ),
        class_name="setup",
    )


def _on() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            rx.el.span("On", class_name="badge first"),
            "You need a code from your authenticator app to sign in. ",
            rx.el.span(
                TwoFactorState.codes_left,
                " recovery codes left.",
                custom_attrs={"data-testid": "codes-left"},
            ),
        ),
        rx.cond(TwoFactorState.codes, _codes()),
        forms.notice(TwoFactorState.problem),
        rx.el.div(
            forms.button(
                "New recovery codes",
                "renew-codes",
                id="renew-codes",
                on_click=TwoFactorState.ask("renew"),
            ),
            forms.button(
                "Turn off", "turn-off-2fa", "danger", on_click=TwoFactorState.ask("turn_off")
            ),
            class_name="row wrap",
        ),
        rx.cond(
            TwoFactorState.asking == "renew",
            _question(
                "Make new recovery codes?",
                "Your old codes stop working.",
                forms.button("Make new codes", "confirm-renew", on_click=TwoFactorState.renew),
            ),
        ),
        rx.cond(
            TwoFactorState.asking == "turn_off",
            _question(
                "Turn off two-factor authentication?",
                "Then your password alone is enough to sign in, and your recovery codes are "
                "deleted.",
                forms.button(
                    "Turn off", "confirm-turn-off", "danger", on_click=TwoFactorState.turn_off
                ),
            ),
        ),
    )


def _question(title: str, text: str, confirm: rx.Component) -> rx.Component:
    close = TwoFactorState.ask("")
    return modal(
        rx.el.h2(title),
        rx.el.p(text),
        rx.el.div(
            forms.button("Cancel", "cancel-question", "ghost", on_click=close),
            confirm,
            class_name="dialog-foot",
        ),
        label=title,
        test_id="two-factor-question",
        on_close=close,
    )


def _codes() -> rx.Component:
    listed = TwoFactorState.codes.join("\n")  # type: ignore[attr-defined]
    return rx.el.div(
        rx.el.p(
            rx.el.strong("Save these recovery codes now. "),
            "We won't show them again. Each works once if you can't use your app.",
        ),
        rx.el.ul(
            rx.foreach(TwoFactorState.codes, _code),
            class_name="codes mono",
            aria_label="Recovery codes",
            custom_attrs={"data-testid": "codes"},
        ),
        rx.el.div(
            copy_text_button("Copy", listed, "Copied.", "copy-codes"),
            forms.button(
                "I've saved them",
                "put-away",
                auto_focus=True,
                on_click=TwoFactorState.hide_codes,
            ),
            class_name="row wrap",
        ),
        class_name="notice ok stack",
        role="status",
    )


def _code(code: str) -> rx.Component:
    return rx.el.li(code)


def tokens_panel() -> rx.Component:
    """Render the tokens, the one just created, and the form for another."""
    return rx.el.div(
        rx.el.p(
            "For your own programs. A token can do only what you select here, and can't change "
            "your account. ",
            server_link("API documentation", href="/api/docs", class_name="link"),
            class_name="muted",
        ),
        rx.cond(TokensState.made, _made()),
        rx.cond(
            TokensState.rows,
            rx.el.ul(rx.foreach(TokensState.rows, _token), class_name="devices"),
        ),
        _new_token(),
        class_name="stack",
        custom_attrs={"data-testid": "tokens"},
    )


def _made() -> rx.Component:
    return rx.el.div(
        rx.el.p(rx.el.strong("Copy your new token now. "), "We won't show it again."),
        rx.el.code(
            TokensState.made, class_name="secret mono", custom_attrs={"data-testid": "new-token"}
        ),
        rx.el.div(
            copy_text_button("Copy", TokensState.made, "Copied.", "copy-token"),
            forms.button("I've copied it", "token-copied", on_click=TokensState.hide_token),
            class_name="row wrap",
        ),
        class_name="notice ok stack",
        role="status",
    )


def _token(token: TokenRow) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(token.name, class_name="device-name"),
            rx.cond(token.expired, rx.el.span("expired", class_name="badge")),
            rx.el.p(token.facts, class_name="muted mono device-facts"),
        ),
        forms.button(
            "Revoke",
            "revoke-token",
            "danger small",
            on_click=TokensState.revoke(token.id),
            custom_attrs={"aria-label": f"Revoke {token.name}"},
        ),
        class_name="device",
        custom_attrs={"data-testid": "token"},
    )


def _new_token() -> rx.Component:
    wrong = TokensState.problems
    return rx.el.form(
        rx.el.div(
            forms.field(
                "token_name",
                "Name",
                problem=wrong["name"],
                placeholder="Backup script",
                required=True,
                max_length=100,
            ),
            _expiry_select(),
            class_name="halves",
        ),
        rx.el.fieldset(
            rx.el.legend("Permissions", class_name="field-label"),
            *[_scope_checkbox(scope, SCOPE_LABELS[scope]) for scope in offered_scopes()],
            rx.cond(
                wrong["abilities"],
                rx.el.p("Select at least one permission.", class_name="field-error", role="alert"),
            ),
            class_name="plain-fieldset choices",
        ),
        forms.notice(wrong["form"]),
        rx.el.div(
            rx.el.button(
                "Create token",
                type="submit",
                class_name="button",
                custom_attrs={"data-testid": "make-token"},
            )
        ),
        key=f"tokens-{TokensState.round}",
        on_submit=TokensState.make,
        class_name="stack",
    )


def _expiry_select() -> rx.Component:
    return rx.el.div(
        rx.el.label("Expires", html_for="days", class_name="field-label"),
        rx.el.select(
            *[rx.el.option(label, value=days) for days, label in LIFETIME_OPTIONS],
            id="days",
            name="days",
            default_value="90",
            class_name="input",
        ),
        class_name="field",
    )


def _scope_checkbox(scope: Scope, label: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name=scope.value, id=f"ability-{scope.value}"),
        label,
        rx.el.code(scope.value, class_name="mono muted ability"),
        class_name="choice touch-target",
    )
