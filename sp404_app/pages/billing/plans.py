"""/plans: the three plans side by side, and what choosing one costs before it is done."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.external_redirect import leave
from sp404_app.components.slow_note import slow_note
from sp404_app.components.test_mode_banner import ribbon
from sp404_app.pages.layout import layout
from sp404_app.state.billing.checkout_redirect import LeavingState
from sp404_app.state.billing.plans import PlansState
from sp404_app.state.billing.plans_view import CostLine, PlanCard

QUESTION = PlansState.question


def plans() -> rx.Component:
    """Draw the page."""
    return layout(
        style_sheet("/billing.css"),
        rx.el.div(
            ribbon(PlansState.test_mode),
            rx.el.header(
                rx.el.h1("Plans"),
                rx.el.p(
                    "Hearing, downloading and deleting your sounds stay open on every plan.",
                    class_name="muted",
                ),
                class_name="money-head",
            ),
            rx.cond(
                PlansState.came_back,
                rx.el.p("Nothing was bought. Choose whenever you like.", class_name="notice"),
            ),
            rx.cond(
                PlansState.loaded,
                rx.el.div(rx.foreach(PlansState.cards, card), class_name="plan-cards"),
                rx.el.div(
                    *(waiting() for _ in range(3)), class_name="plan-cards", aria_busy="true"
                ),
            ),
            rx.cond(
                (QUESTION.tier == "") & (PlansState.problem != ""),
                rx.el.p(PlansState.problem, class_name="notice error", role="alert"),
            ),
            rx.cond(QUESTION.tier == "", slow_note(PlansState.slow)),
            rx.cond(QUESTION.tier != "", dialog()),
            leave(to=LeavingState.to),
            class_name="page money",
            data_testid="plans",
        ),
        current="/billing",
    )


def waiting() -> rx.Component:
    """A card whose numbers are on their way."""
    return rx.el.div(
        rx.el.i(class_name="skeleton short"),
        rx.el.i(class_name="skeleton tall"),
        rx.el.i(class_name="skeleton"),
        rx.el.i(class_name="skeleton"),
        class_name="card plan-card",
    )


def card(plan: PlanCard) -> rx.Component:
    """One plan."""
    return rx.el.article(
        rx.el.div(
            rx.el.h2(plan.name),
            rx.cond(plan.badge != "", rx.el.span(plan.badge, class_name="badge")),
            class_name="plan-name",
        ),
        rx.el.p(
            rx.el.span(plan.price, class_name="price mono"),
            rx.el.span(" a month", class_name="muted"),
        ),
        rx.el.dl(
            fact("Storage", plan.storage),
            fact("Analyses a month", plan.analyses),
            fact("Queue", plan.queue),
            class_name="plan-facts",
        ),
        rx.el.div(buttons(plan), class_name="plan-buttons"),
        class_name=rx.cond(plan.current, "card plan-card current", "card plan-card"),
        aria_label=plan.name,
        data_testid=f"plan-{plan.tier}",
    )


def fact(name: str, value: str) -> rx.Component:
    """One property of a plan."""
    return rx.el.div(rx.el.dt(name), rx.el.dd(value, class_name="mono"))


def buttons(plan: PlanCard) -> rx.Component:
    """What one can do with a plan."""
    return rx.fragment(
        rx.cond(
            plan.label != "",
            rx.el.button(
                plan.label,
                type="button",
                disabled=PlansState.busy,
                on_click=PlansState.choose(plan.tier, plan.trial),
                class_name=rx.cond(
                    (plan.tier == "free") | plan.current, "button wide", "button primary wide"
                ),
                data_testid=f"choose-{plan.tier}",
            ),
            rx.el.span(rx.cond(plan.current, "This is your plan", ""), class_name="plan-mine"),
        ),
        rx.cond(
            plan.trial,
            rx.el.button(
                "Subscribe without a trial",
                type="button",
                disabled=PlansState.busy,
                on_click=PlansState.choose(plan.tier, False),
                class_name="link quiet-link",
                data_testid=f"buy-{plan.tier}",
            ),
        ),
    )


def dialog() -> rx.Component:
    """What is asked before anything happens."""
    return rx.fragment(
        rx.el.div(class_name="veil", on_click=PlansState.close),
        rx.el.dialog(
            rx.el.h2(QUESTION.title, id="question-title"),
            changes("You gain", QUESTION.gains, "gain"),
            changes("You lose", QUESTION.losses, "loss"),
            costs(),
            rx.cond(QUESTION.warning != "", rx.el.p(QUESTION.warning, class_name="notice error")),
            trouble(),
            rx.el.div(
                rx.el.button(
                    "Not now", type="button", on_click=PlansState.close, class_name="button ghost"
                ),
                rx.el.button(
                    rx.cond(PlansState.busy, "One moment …", QUESTION.confirm),
                    type="button",
                    disabled=PlansState.busy,
                    auto_focus=True,
                    on_click=PlansState.confirm,
                    class_name="button primary",
                    data_testid="confirm",
                ),
                class_name="dialog-foot",
            ),
            open=True,
            aria_labelledby="question-title",
            aria_modal="true",
            class_name="question",
            data_testid="question",
        ),
    )


def changes(title: str, listed: tuple[str, ...], kind: str) -> rx.Component:
    """What gets better or worse."""
    return rx.cond(
        listed,
        rx.el.div(
            rx.el.h3(title, class_name="label"),
            rx.el.ul(
                rx.foreach(listed, lambda line: rx.el.li(line, class_name=f"change {kind}")),
            ),
            class_name="changes",
        ),
    )


def costs() -> rx.Component:
    """What it costs, as the payment service calculated it."""
    return rx.el.dl(
        rx.foreach(QUESTION.lines, cost_line),
        rx.el.div(
            rx.el.dt("To pay today"),
            rx.el.dd(QUESTION.today, class_name="mono", data_testid="due-today"),
            class_name="cost total",
        ),
        rx.el.div(
            rx.el.dt("Then"),
            rx.el.dd(QUESTION.then, class_name="mono", data_testid="then"),
            class_name="cost",
        ),
        class_name="costs",
    )


def cost_line(line: CostLine) -> rx.Component:
    """One line of the invoice that would be made."""
    return rx.el.div(
        rx.el.dt(line.description),
        rx.el.dd(line.amount, class_name="mono"),
        class_name="cost small",
    )


def trouble() -> rx.Component:
    """What went wrong, and the way to mend it."""
    return rx.el.div(
        slow_note(PlansState.slow),
        rx.cond(
            PlansState.problem != "",
            rx.el.p(
                PlansState.problem,
                rx.cond(
                    PlansState.pay_url != "",
                    rx.el.a(
                        " Pay or confirm it",
                        href=PlansState.pay_url,
                        target="_blank",  # or the router looks for a page there
                        class_name="link",
                    ),
                ),
                class_name="notice error",
            ),
        ),
        role="alert",
        data_testid="trouble",
    )
