"""/usage: usage against the plan's limits, daily charts and the largest sounds."""

import plotly.graph_objects as go
import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.plans_link import plans_link
from sp404_app.components.test_mode_banner import test_mode_banner
from sp404_app.pages.layout import layout
from sp404_app.settings import settings
from sp404_app.state.billing.usage import LargeRow, Meter, UsageState

CONFIG = {"displayModeBar": False, "showTips": False, "scrollZoom": False}


def usage() -> rx.Component:
    """The usage page."""
    return layout(
        style_sheet("/billing.css"),
        rx.el.div(
            test_mode_banner(UsageState.test_mode),
            rx.el.header(
                rx.el.h1("Usage"),
                rx.cond(
                    UsageState.loaded,
                    rx.el.p(
                        *plan_line(),
                        class_name="muted",
                        data_testid="plan-line",
                    ),
                    rx.el.i(class_name="skeleton short", aria_hidden="true"),
                ),
                class_name="money-head",
            ),
            rx.cond(
                UsageState.loaded,
                rx.fragment(
                    rx.el.div(
                        meter("Storage", UsageState.storage, "storage"),
                        meter("Analyses this month", UsageState.analyses, "analyses"),
                        class_name="meters",
                    ),
                    rx.cond(UsageState.empty, empty_state(), charts()),
                ),
                rx.el.div(
                    rx.el.i(class_name="skeleton tall"),
                    rx.el.i(class_name="skeleton"),
                    class_name="card stack",
                    aria_busy="true",
                ),
            ),
            class_name="page money",
            data_testid="usage",
        ),
        current="/usage",
        on_theme=[UsageState.load],
    )


def plan_line() -> list[rx.Component | str | rx.Var[str]]:
    """The name of the plan, and when its limits are reset."""
    resets = f"Resets on {UsageState.resets}. "
    if not settings().billing:
        return [resets]
    return [f"You're on {UsageState.plan}. ", resets, plans_link("Plans")]


def meter(title: str, found: Meter, name: str) -> rx.Component:
    """The usage bar of one limit, with its warning and forecast."""
    return rx.el.section(
        rx.el.h2(title),
        rx.el.p(
            rx.el.span(found.used, class_name="price mono", data_testid=f"{name}-used"),
            rx.el.span(f" of {found.limit}", class_name="muted"),
        ),
        rx.el.div(
            rx.el.span(style={"width": f"{found.percent}%"}),
            class_name=f"meter {found.tone}",
            role="progressbar",
            aria_valuenow=found.percent,
            aria_valuemin=0,
            aria_valuemax=100,
            aria_label=title,
        ),
        rx.cond(
            found.warning != "",
            rx.el.p(
                found.warning,
                plans_link(" See plans"),
                class_name=f"meter-warning {found.tone}",
                data_testid=f"{name}-warning",
            ),
        ),
        rx.cond(found.forecast != "", rx.el.p(found.forecast, class_name="muted")),
        class_name="card stack",
        data_testid=f"meter-{name}",
    )


def empty_state() -> rx.Component:
    """Shown before the first upload."""
    return rx.el.section(
        rx.el.h2("No usage yet"),
        rx.el.p(
            "Add sounds to your library to see your daily usage here.",
            class_name="muted",
        ),
        rx.el.div(rx.el.a("Open library", href="/library", class_name="button primary")),
        class_name="card stack",
    )


def charts() -> rx.Component:
    """Charts of the last 30 days, and the largest sounds."""
    return rx.fragment(
        chart("Storage per day (MB)", UsageState.storage_figure, "storage-chart"),
        chart("Analyses per day", UsageState.analyses_figure, "analyses-chart"),
        rx.el.section(
            rx.el.h2("Largest sounds"),
            rx.cond(
                UsageState.largest,
                rx.el.ul(rx.foreach(UsageState.largest, large_sample), class_name="invoices"),
                rx.el.p("No sounds yet.", class_name="muted"),
            ),
            class_name="card stack",
        ),
    )


def chart(title: str, figure: go.Figure, testid: str) -> rx.Component:
    """A bar chart of one metric."""
    return rx.el.section(
        rx.el.h2(title),
        rx.plotly.basic(
            data=figure,
            template=None,
            config=CONFIG,
            use_resize_handler=True,
            class_name="plot usage-plot",
        ),
        class_name="card stack",
        data_testid=testid,
    )


def large_sample(row: LargeRow) -> rx.Component:
    """One of the largest sounds."""
    return rx.el.li(
        rx.el.a(row.name, href=f"/samples/{row.id}", class_name="invoice-what link touch-target"),
        rx.el.span(row.size, class_name="mono invoice-amount"),
        class_name="invoice large-sound",
    )
