"""/operator: webhook events, reconcile report, unsent emails, reported links; for operators."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.pages.auth.reauthentication_dialog import confirm_dialog
from sp404_app.pages.layout import layout
from sp404_app.pages.not_found import not_found_message
from sp404_app.pages.sharing.share_reports import reported_links
from sp404_app.settings import settings
from sp404_app.state.auth.reauthentication import ConfirmState
from sp404_app.state.billing.admin import DeadLetterRow, OperatorState


def operator() -> rx.Component:
    """The operator page."""
    return layout(
        style_sheet("/billing.css"),
        rx.el.div(
            rx.cond(
                OperatorState.closed,
                rx.el.section(
                    rx.el.h1("Page not found"), not_found_message(), class_name="card stack"
                ),
                rx.cond(OperatorState.loaded, admin_sections(), loading()),
            ),
            class_name="page money",
            # `inert` keeps the page unreachable while the password dialog is open.
            custom_attrs={"data-testid": "operator", "inert": ConfirmState.asking},
        ),
        confirm_dialog(),
    )


def admin_sections() -> rx.Component:
    """The sections of the page."""
    return rx.fragment(
        rx.el.header(
            rx.el.h1("Operator"),
            rx.el.p(
                "The runbook explains what to do about each of these. All actions are safe to "
                "repeat.",
                class_name="muted",
            ),
            class_name="money-head",
        ),
        rx.el.p(
            OperatorState.message,
            role="status",
            class_name=rx.cond(OperatorState.message != "", "notice", "visually-hidden"),
            data_testid="said",
        ),
        *([dead_letters(), reconcile_report()] if settings().billing else []),
        unsent_emails(),
        reported_links(),
    )


def loading() -> rx.Component:
    """Skeleton shown until the role is checked."""
    return rx.el.div(
        rx.el.i(class_name="skeleton tall"),
        rx.el.i(class_name="skeleton"),
        class_name="card stack",
        aria_busy="true",
    )


def dead_letters() -> rx.Component:
    """Dead webhook events."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Dead webhook events"),
            rx.cond(
                OperatorState.dead_letters,
                action_button("Replay all", OperatorState.replay_all, "replay-all"),
            ),
            class_name="plan-name",
        ),
        rx.cond(
            OperatorState.dead_letters,
            rx.el.ul(rx.foreach(OperatorState.dead_letters, dead_letter), class_name="invoices"),
            rx.el.p("None. All events were handled.", class_name="muted"),
        ),
        class_name="card stack",
    )


def dead_letter(row: DeadLetterRow) -> rx.Component:
    """One dead event with its last error and a replay button."""
    return rx.el.li(
        rx.el.span(row.at, class_name="mono muted"),
        rx.el.span(
            rx.el.span(row.type, class_name="mono"),
            rx.el.br(),
            rx.el.span(row.id, " ", row.customer, class_name="mono muted"),
        ),
        rx.el.span(row.error, class_name="muted"),
        action_button("Replay", OperatorState.replay(row.id), "replay"),
        class_name="dev-event",
        data_testid="dead-letter",
    )


def reconcile_report() -> rx.Component:
    """The newest reconcile report."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Reconcile with Stripe"),
            action_button("Reconcile now", OperatorState.compare, "compare"),
            class_name="plan-name",
        ),
        rx.el.p(OperatorState.reconcile_text, data_testid="night"),
        line_list("Needs attention", OperatorState.problems, "problems"),
        line_list("Fixed", OperatorState.fixed, "healed"),
        class_name="card stack",
    )


def unsent_emails() -> rx.Component:
    """Emails that could not be sent."""
    return rx.el.section(
        rx.el.h2("Unsent emails"),
        rx.cond(
            OperatorState.unsent,
            line_list("Last 30 days", OperatorState.unsent, "unsent"),
            rx.el.p("None.", class_name="muted"),
        ),
        class_name="card stack",
    )


def line_list(title: str, listed: list[str], testid: str) -> rx.Component:
    """A titled list of lines; nothing if it is empty."""
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


def action_button(label: str, handler: rx.event.EventType[()], testid: str) -> rx.Component:
    """A button that is disabled while an action runs."""
    return rx.el.button(
        label,
        type="button",
        disabled=OperatorState.busy,
        on_click=handler,
        class_name="button small",
        data_testid=testid,
    )
