"""Form components: page frame, labelled inputs, buttons and inline messages."""

from typing import Any, Literal

import reflex as rx

from sp404_app.components.brand import brand
from sp404_app.components.form_help import form_help, show_password
from sp404_app.components.theme import theme_choice

Text = str | rx.Var[str]


def auth_page(title: Text, *children: rx.Component, testid: str) -> rx.Component:
    """Render the page frame for signed-out users: logo, title and one card."""
    return rx.el.main(
        brand(),
        rx.el.section(
            rx.el.h1(title, class_name="door-title"),
            *children,
            class_name="card stack",
            custom_attrs={"data-testid": testid},
        ),
        theme_choice(),
        form_help(),
        class_name="auth",
    )


def field(
    name: str,
    label: str,
    *,
    kind: Literal["text", "email", "password"] = "text",
    autocomplete: str = "off",
    hint: Text = "",
    problem: Text = "",
    field_id: str = "",
    **attributes: Any,
) -> rx.Component:
    """Render a labelled input.

    An error replaces the hint; screen readers announce it with the input (`aria-describedby`).
    Reflex reads a form by ids, so two forms of a page, even in closed dialogs, need different ones:
    `field_id`, which is `name` unless stated.
    """
    input_id = field_id or name
    message_id = f"{input_id}-said"
    control = rx.el.input(
        id=input_id,
        name=name,
        type=kind,
        auto_complete=autocomplete,
        class_name="input",
        custom_attrs={
            "aria-describedby": message_id,
            "aria-invalid": rx.cond(problem, "true", "false"),
            "data-testid": name,
        },
        **attributes,
    )
    if kind == "password":
        control = rx.el.div(
            control, show_password(field=input_id, label=label), class_name="password"
        )
    return rx.el.div(
        rx.el.label(label, html_for=input_id, class_name="field-label"),
        control,
        rx.el.p(
            rx.cond(problem, problem, hint),
            id=message_id,
            class_name=rx.cond(problem, "field-error", "field-hint"),
            custom_attrs={"data-testid": f"{name}-said"},
        ),
        class_name="field",
    )


def email_field(**attributes: Any) -> rx.Component:
    """Render the email input."""
    return field(
        "email",
        "Email",
        kind="email",
        required=True,
        max_length=254,
        **({"autocomplete": "email"} | attributes),
    )


def new_password_field(
    label: str = "Password", *, level: Any = 0, words: Text = "", **attributes: Any
) -> rx.Component:
    """Render the input for a new password with a strength meter.

    `level` (0 to 4) is the number of lit segments, `words` the description of the strength.
    """
    parts = [rx.el.i(class_name=rx.cond(level >= part, "lit", "")) for part in range(1, 5)]
    return rx.el.div(
        field(
            "password",
            label,
            kind="password",
            autocomplete="new-password",
            hint="At least 8 characters. Three or four random words are easy to remember.",
            required=True,
            **attributes,
        ),
        rx.el.div(
            rx.cond(
                words,
                rx.fragment(
                    rx.el.span(*parts, class_name="strength-bar", aria_hidden="true"),
                    rx.el.span(words),
                ),
            ),
            role="status",
            class_name="strength",
            custom_attrs={"data-testid": "strength", "data-level": level},
        ),
        class_name="field",
    )


def section(title: str, *children: rx.Component, **attributes: Any) -> rx.Component:
    """Render a titled card of a longer page."""
    return rx.el.section(
        rx.el.h2(title), *children, class_name="card stack", aria_label=title, **attributes
    )


def button(label: Text, testid: str, kind: str = "", **attributes: Any) -> rx.Component:
    """Render a button that triggers an event on this page."""
    return rx.el.button(
        label,
        type="button",
        class_name=f"button {kind}".strip(),
        custom_attrs={"data-testid": testid, **attributes.pop("custom_attrs", {})},
        **attributes,
    )


def submit(label: str, busy: bool, **attributes: Any) -> rx.Component:
    """Render the submit button of a form, disabled while the form is being processed.

    It is also disabled until the page is hydrated: hydration would overwrite the response to an
    earlier submit.
    """
    return rx.el.button(
        rx.cond(busy, "One moment…", label),
        disabled=rx.cond(rx.State.is_hydrated, busy, True),
        **{
            "type": "submit",
            "class_name": "button primary wide",
            "custom_attrs": {"data-testid": "submit"},
            **attributes,
        },
    )


def notice(words: Text, tone: str = "error", testid: str = "notice") -> rx.Component:
    """Render an inline message that screen readers announce when it appears."""
    return rx.el.div(
        rx.cond(words, rx.el.p(words, class_name=f"notice {tone}")),
        role="status" if tone == "ok" else "alert",
        custom_attrs={"data-testid": testid},
    )


def alternative_link(question: str, label: str, href: str) -> rx.Component:
    """Render the link to the alternative page (sign in, create account) below a form."""
    return rx.el.p(
        question, " ", rx.el.a(label, href=href, class_name="link"), class_name="muted other-way"
    )


def outbox_link(shown: bool | rx.Var[bool]) -> rx.Component:
    """Render a link to `/dev/outbox` if emails are not sent (development)."""
    return rx.cond(
        shown,
        rx.el.p(
            "Development mode: emails are not sent. ",
            rx.el.a("Open the outbox", href="/dev/outbox", class_name="link"),
            ".",
            class_name="muted",
            custom_attrs={"data-testid": "outbox-link"},
        ),
    )
