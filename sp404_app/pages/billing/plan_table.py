"""The table on /plans that compares what each plan has."""

import reflex as rx

from sp404_app.services.plans import PLANS
from sp404_app.state.billing.plan_comparison import ComparisonRow, comparison_rows


def plan_table() -> rx.Component:
    """Render one row for each property and one column for each plan."""
    return rx.el.section(
        rx.el.h2("What each plan has", id="plan-table-title"),
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Limit", scope="col"),
                    *(rx.el.th(plan.name, scope="col") for plan in PLANS.values()),
                )
            ),
            rx.el.tbody(*(_row(row) for row in comparison_rows())),
            aria_labelledby="plan-table-title",
            class_name="plan-table",
            data_testid="plan-table",
        ),
        class_name="card plan-comparison",
    )


def _row(row: ComparisonRow) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.name, scope="row"),
        *(rx.el.td(value, class_name="mono") for value in row.values),
    )
