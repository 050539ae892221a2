"""/operator: events that were given up, and the nightly comparison; for operators alone."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.pages.auth.reauthentication_dialog import confirm_dialog
from sp404_app.pages.layout import layout
from sp404_app.pages.not_found import explanation
from sp404_app.state.auth.reauthentication import ConfirmState
from sp404_app.state.billing.admin import LetterRow, OperatorState


def operator() -> rx.Component:
    """Draw the page."""
    return layout(
        style_sheet("/billing.css"),
        rx.el.div(
            rx.cond(
                OperatorState.closed,
                rx.el.section(rx.el.h1("Page not found"), explanation(), class_name="card stack"),
                rx.cond(OperatorState.loaded, desk(), waiting()),
            ),
            class_name="page money",
            # While the password is asked for, nothing behind the question can be reached.
            custom_attrs={"data-testid": "operator", "inert": ConfirmState.asking},
        ),
        confirm_dialog(),
    )


def desk() -> rx.Component:
    """What may need an operator."""
    return rx.fragment(
        rx.el.header(
            rx.el.h1("Operator"),
            rx.el.p(
                "The runbook says what to do about each of these. Every button may be pressed "
                "twice.",
                class_name="muted",
            ),
            class_name="money-head",
        ),
        rx.el.p(
            OperatorState.said,
            role="status",
            class_name=rx.cond(OperatorState.said != "", "notice", "visually-hidden"),
            data_testid="said",
        ),
        dead(),
        night(),
        mails(),
    )


def waiting() -> rx.Component:
    """The page before it is known who asks: it says nothing of what is here."""
    return rx.el.div(
        rx.el.i(class_name="skeleton tall"),
        rx.el.i(class_name="skeleton"),
        class_name="card stack",
        aria_busy="true",
    )


def dead() -> rx.Component:
    """Events that were given up."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Events that were given up"),
            rx.cond(
                OperatorState.letters,
                act("Work on all of them again", OperatorState.replay_all, "replay-all"),
            ),
            class_name="plan-name",
        ),
        rx.cond(
            OperatorState.letters,
            rx.el.ul(rx.foreach(OperatorState.letters, letter), class_name="invoices"),
            rx.el.p("None. Every event that arrived was worked on.", class_name="muted"),
        ),
        class_name="card stack",
    )


def letter(row: LetterRow) -> rx.Component:
    """One event, why it was given up, and the way to try it again."""
    return rx.el.li(
        rx.el.span(row.at, class_name="mono muted"),
        rx.el.span(
            rx.el.span(row.type, class_name="mono"),
            rx.el.br(),
            rx.el.span(row.id, " ", row.customer, class_name="mono muted"),
        ),
        rx.el.span(row.error, class_name="muted"),
        act("Work on it again", OperatorState.replay(row.id), "replay"),
        class_name="dev-event",
        data_testid="dead-letter",
    )


def night() -> rx.Component:
    """What the newest comparison found."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Comparison with Stripe"),
            act("Compare everybody now", OperatorState.compare, "compare"),
            class_name="plan-name",
        ),
        rx.el.p(OperatorState.night, data_testid="night"),
        lines("Needs a look", OperatorState.problems, "problems"),
        lines("Healed", OperatorState.healed, "healed"),
        class_name="card stack",
    )


def mails() -> rx.Component:
    """Mails that could not be sent."""
    return rx.el.section(
        rx.el.h2("Mails that were not sent"),
        rx.cond(
            OperatorState.unsent,
            lines("The last 30 days", OperatorState.unsent, "unsent"),
            rx.el.p("None.", class_name="muted"),
        ),
        class_name="card stack",
    )


def lines(title: str, listed: list[str], testid: str) -> rx.Component:
    """What was found, line by line."""
    return rx.cond(
        listed,
        rx.el.div(
            rx.el.h3(title, class_name="label"),
            rx.el.ul(
                rx.foreach(listed, lambda line: rx.el.li(line, class_name="mono dev-line")),
                class_name="invoices",
                data_testid=testid,
            ),
        ),
    )


def act(label: str, handler: rx.event.EventType[()], testid: str) -> rx.Component:
    """A button that waits while something is under way."""
    return rx.el.button(
        label,
        type="button",
        disabled=OperatorState.busy,
        on_click=handler,
        class_name="button small",
        data_testid=testid,
    )
