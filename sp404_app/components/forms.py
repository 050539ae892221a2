"""Forms of the account's pages: a narrow column, labelled fields, words beside what is wrong."""

from typing import Any, Literal

import reflex as rx

from sp404_app.components.brand import Typeface, brand

Text = str | rx.Var[str]


def door(title: Text, *children: rx.Component, testid: str) -> rx.Component:
    """Draw a page for people who are not signed in: the name of the place, a card, and its way."""
    return rx.el.main(
        Typeface.create(),
        brand(),
        rx.el.section(
            rx.el.h1(title, class_name="door-title"),
            *children,
            class_name="card stack",
            custom_attrs={"data-testid": testid},
        ),
        class_name="auth",
    )


def field(
    name: str,
    label: str,
    *,
    kind: Literal["text", "email", "password"] = "text",
    autocomplete: str = "off",
    hint: str = "",
    problem: Text = "",
    **attributes: Any,
) -> rx.Component:
    """Draw a labelled input; a problem replaces the hint and is read out with the input."""
    said = f"{name}-said"
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="field-label"),
        rx.el.input(
            id=name,
            name=name,
            type=kind,
            auto_complete=autocomplete,
            class_name="input",
            custom_attrs={
                "aria-describedby": said,
                "aria-invalid": rx.cond(problem, "true", "false"),
                "data-testid": name,
            },
            **attributes,
        ),
        rx.el.p(
            rx.cond(problem, problem, hint),
            id=said,
            class_name=rx.cond(problem, "field-error", "field-hint"),
            custom_attrs={"data-testid": said},
        ),
        class_name="field",
    )


def email_field(**attributes: Any) -> rx.Component:
    """Draw the input for an address."""
    return field(
        "email",
        "E-mail address",
        kind="email",
        required=True,
        max_length=254,
        **({"autocomplete": "email"} | attributes),
    )


def new_password_field(
    label: str = "Password", *, level: Any = 0, words: Text = "", **attributes: Any
) -> rx.Component:
    """Draw the input for a password to be chosen; any characters, and long ones are welcome.

    Below it, a bar of four parts and a word say how it looks so far (`level` is 0 to 4).
    """
    parts = [rx.el.i(class_name=rx.cond(level >= part, "lit", "")) for part in range(1, 5)]
    return rx.el.div(
        field(
            "password",
            label,
            kind="password",
            autocomplete="new-password",
            hint="At least 8 characters. Three or four words are easy to keep in mind.",
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
    """Draw one part of a longer page."""
    return rx.el.section(
        rx.el.h2(title), *children, class_name="card stack", aria_label=title, **attributes
    )


def button(label: Text, testid: str, kind: str = "", **attributes: Any) -> rx.Component:
    """Draw a button that does something on this page."""
    return rx.el.button(
        label,
        type="button",
        class_name=f"button {kind}".strip(),
        custom_attrs={"data-testid": testid, **attributes.pop("custom_attrs", {})},
        **attributes,
    )


def submit(label: str, busy: bool, **attributes: Any) -> rx.Component:
    """Draw the one button of a form, which waits while the answer is on its way.

    It also waits until the page has read its state, which would wipe out an earlier answer.
    """
    return rx.el.button(
        rx.cond(busy, "One moment …", label),
        disabled=rx.cond(rx.State.is_hydrated, busy, True),
        **{
            "type": "submit",
            "class_name": "button primary wide",
            "custom_attrs": {"data-testid": "submit"},
            **attributes,
        },
    )


def notice(words: Text, tone: str = "error", testid: str = "notice") -> rx.Component:
    """Draw a sentence that is read out as soon as it appears; nothing when there is none."""
    return rx.el.div(
        rx.cond(words, rx.el.p(words, class_name=f"notice {tone}")),
        role="status" if tone == "ok" else "alert",
        custom_attrs={"data-testid": testid},
    )


def other_way(question: str, label: str, href: str) -> rx.Component:
    """Draw the line at the foot of a card that leads to another door."""
    return rx.el.p(
        question, " ", rx.el.a(label, href=href, class_name="link"), class_name="muted other-way"
    )


def outbox_link(shown: bool | rx.Var[bool]) -> rx.Component:
    """Draw the way to the mails of a machine that sends none."""
    return rx.cond(
        shown,
        rx.el.p(
            "This is a development machine, so no mail leaves it: ",
            rx.el.a("open the outbox", href="/dev/outbox", class_name="link"),
            ".",
            class_name="muted",
            custom_attrs={"data-testid": "outbox-link"},
        ),
    )
