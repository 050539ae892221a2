"""/plans: the three plans side by side, and the dialog that previews a change."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.external_redirect import external_redirect
from sp404_app.components.menus import modal
from sp404_app.components.slow_note import slow_note
from sp404_app.components.test_mode_banner import test_mode_banner
from sp404_app.pages.billing.plan_table import plan_table
from sp404_app.pages.layout import layout
from sp404_app.state.billing.checkout_redirect import LeavingState
from sp404_app.state.billing.plans import PlansState
from sp404_app.state.billing.plans_view import CostLine, PlanCard

DIALOG = PlansState.dialog


def plans() -> rx.Component:
    """The plans page."""
    return layout(
        style_sheet("/billing.css"),
        rx.el.div(
            test_mode_banner(PlansState.test_mode),
            rx.el.header(
                rx.el.h1("Plans"),
                rx.el.p(
                    "You can always play, download and delete your sounds, on any plan.",
                    class_name="muted",
                ),
                class_name="money-head",
            ),
            rx.cond(
                PlansState.came_back,
                rx.el.p("Checkout cancelled. You haven't been charged.", class_name="notice"),
            ),
            interval_switch(),
            rx.cond(
                PlansState.loaded,
                rx.el.div(rx.foreach(PlansState.cards, card), class_name="plan-cards"),
                rx.el.div(
                    *(loading_card() for _ in range(3)), class_name="plan-cards", aria_busy="true"
                ),
            ),
            rx.cond(
                (DIALOG.tier == "") & (PlansState.problem != ""),
                rx.el.p(PlansState.problem, class_name="notice error", role="alert"),
            ),
            rx.cond(DIALOG.tier == "", slow_note(PlansState.slow)),
            plan_table(),
            rx.cond(DIALOG.tier != "", dialog()),
            external_redirect(to=LeavingState.to),
            class_name="page money",
            data_testid="plans",
        ),
        current="/billing",
    )


def interval_switch() -> rx.Component:
    """Render the switch between monthly and yearly prices."""
    return rx.el.fieldset(
        rx.el.legend("Pay", class_name="visually-hidden"),
        interval_button("Monthly", "month"),
        interval_button("Yearly, two months free", "year"),
        class_name="interval-switch",
        data_testid="interval",
    )


def interval_button(label: str, interval: str) -> rx.Component:
    """Render one side of the switch."""
    return rx.el.button(
        label,
        type="button",
        aria_pressed=rx.cond(PlansState.interval == interval, "true", "false"),
        disabled=PlansState.busy | ~PlansState.loaded,  # type: ignore[operator]
        on_click=PlansState.show_interval(interval),
        data_testid=f"every-{interval}",
    )


def loading_card() -> rx.Component:
    """Skeleton of a plan card."""
    return rx.el.div(
        rx.el.i(class_name="skeleton short"),
        rx.el.i(class_name="skeleton tall"),
        rx.el.i(class_name="skeleton"),
        rx.el.i(class_name="skeleton"),
        class_name="card plan-card",
    )


def card(plan: PlanCard) -> rx.Component:
    """One plan with its price, limits and buttons."""
    return rx.el.article(
        rx.el.div(
            rx.el.h2(plan.name),
            rx.cond(plan.badge != "", rx.el.span(plan.badge, class_name="badge")),
            class_name="plan-name",
        ),
        rx.el.p(
            rx.el.span(plan.price, class_name="price mono"),
            rx.el.span(f" {plan.per}", class_name="muted"),
            rx.el.span(plan.other_price, class_name="other-price"),
        ),
        rx.el.dl(
            fact("Storage", plan.storage),
            fact("Analyses per month", plan.analyses),
            fact("Queue priority", plan.queue),
            class_name="plan-facts",
        ),
        rx.el.div(buttons(plan), class_name="plan-buttons"),
        class_name=rx.cond(
            plan.current,
            "card plan-card current",
            rx.cond(plan.recommended, "card plan-card recommended", "card plan-card"),
        ),
        aria_label=plan.name,
        data_testid=f"plan-{plan.tier}",
    )


def fact(name: str, value: str) -> rx.Component:
    """One property of a plan."""
    return rx.el.div(rx.el.dt(name), rx.el.dd(value, class_name="mono"))


def buttons(plan: PlanCard) -> rx.Component:
    """The buttons of a plan card."""
    return rx.fragment(
        rx.cond(
            plan.label != "",
            rx.el.button(
                plan.label,
                type="button",
                disabled=PlansState.busy,
                on_click=PlansState.choose(plan.tier, plan.trial),
                class_name=rx.cond(plan.recommended, "button primary wide", "button wide"),
                data_testid=f"choose-{plan.tier}",
            ),
            rx.el.span(rx.cond(plan.current, "Your current plan", ""), class_name="plan-mine"),
        ),
        rx.cond(plan.starts != "", rx.el.span(plan.starts, class_name="plan-starts")),
        rx.cond(
            plan.is_scheduled,
            rx.el.a(
                "Undo this change under Billing",
                href="/billing",
                class_name="link touch-target",
                data_testid=f"scheduled-{plan.tier}",
            ),
        ),
        rx.cond(
            plan.trial,
            rx.el.button(
                "Subscribe without a trial",
                type="button",
                disabled=PlansState.busy,
                on_click=PlansState.choose(plan.tier, False),
                class_name="link quiet-link touch-target",
                data_testid=f"buy-{plan.tier}",
            ),
        ),
    )


def dialog() -> rx.Component:
    """The dialog that confirms a change."""
    return modal(
        rx.el.h2(DIALOG.title),
        changes("You'll get", DIALOG.gains, "gain"),
        changes("You'll lose", DIALOG.losses, "loss"),
        costs(),
        rx.cond(DIALOG.warning != "", rx.el.p(DIALOG.warning, class_name="notice error")),
        problem(),
        rx.el.div(
            rx.el.button(
                "Go back", type="button", on_click=PlansState.close, class_name="button ghost"
            ),
            rx.el.button(
                rx.cond(PlansState.busy, "Please wait…", DIALOG.confirm),
                type="button",
                disabled=PlansState.busy,
                on_click=PlansState.confirm,
                class_name="button primary",
                data_autofocus="",
                data_testid="confirm",
            ),
            class_name="dialog-foot",
        ),
        label=DIALOG.title,
        test_id="question",
        on_close=PlansState.close,
    )


def changes(title: str, listed: tuple[str, ...], kind: str) -> rx.Component:
    """A titled list of gains or losses."""
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
    """The previewed invoice lines, the amount due today, and the next charge."""
    return rx.el.dl(
        rx.foreach(DIALOG.lines, cost_line),
        rx.el.div(
            rx.el.dt("Due today"),
            rx.el.dd(DIALOG.due_today, class_name="mono", data_testid="due-today"),
            class_name="cost total",
        ),
        rx.el.div(
            rx.el.dt("Then"),
            rx.el.dd(DIALOG.next_charge, class_name="mono", data_testid="then"),
            class_name="cost",
        ),
        class_name="costs",
    )


def cost_line(line: CostLine) -> rx.Component:
    """One line of the previewed invoice."""
    return rx.el.div(
        rx.el.dt(line.description),
        rx.el.dd(line.amount, class_name="mono"),
        class_name="cost small",
    )


def problem() -> rx.Component:
    """The error of a change, with a link to pay the invoice."""
    return rx.el.div(
        slow_note(PlansState.slow),
        rx.cond(
            PlansState.problem != "",
            rx.el.p(
                PlansState.problem,
                rx.cond(
                    PlansState.pay_url != "",
                    rx.el.a(
                        " Complete payment",
                        href=PlansState.pay_url,
                        target="_blank",  # otherwise the client-side router handles the link
                        class_name="link",
                    ),
                ),
                class_name="notice error",
            ),
        ),
        role="alert",
        class_name="modal-trouble",
        data_testid="trouble",
    )
