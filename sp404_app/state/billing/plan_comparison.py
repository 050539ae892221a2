"""The table of what each plan has, made from the limits in `services.plans`.

The rate limit is left out: an installation can raise it, and the page is fixed at the build.
"""

from dataclasses import dataclass

from sp404_app.services.plans import PLANS, Plan
from sp404_app.state.billing.plans_view import QUEUE_PRIORITY
from sp404_app.state.formatting import format_size


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One property of all plans; `values` has one text for each plan, in the order of PLANS."""

    name: str
    values: tuple[str, ...]


def comparison_rows() -> tuple[ComparisonRow, ...]:
    """Return the rows of the table, from storage to the length of the trial."""
    columns = (
        ("Storage", _storage),
        ("Analyses per month", _analyses),
        ("Queue priority", lambda plan: QUEUE_PRIORITY[plan.tier]),
        ("Free trial", _trial),
    )
    return tuple(
        ComparisonRow(name, tuple(describe(plan) for plan in PLANS.values()))
        for name, describe in columns
    )


def _storage(plan: Plan) -> str:
    return "Unlimited" if plan.storage_bytes is None else format_size(plan.storage_bytes)


def _analyses(plan: Plan) -> str:
    return "Unlimited" if plan.analyses_per_month is None else f"{plan.analyses_per_month:,}"


def _trial(plan: Plan) -> str:
    return f"{plan.trial_days} days" if plan.trial_days else "None"
