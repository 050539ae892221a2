"""URLs of plans, billing, usage and the admin's billing page."""

from sp404_app.pages.billing.admin import operator
from sp404_app.pages.billing.billing import billing
from sp404_app.pages.billing.plans import plans
from sp404_app.pages.billing.usage import usage
from sp404_app.pages.page import Page
from sp404_app.settings import settings
from sp404_app.state.billing.admin import OperatorState
from sp404_app.state.billing.billing import BillingState
from sp404_app.state.billing.plans import PlansState
from sp404_app.state.billing.usage import UsageState
from sp404_app.state.layout import LayoutState
from sp404_app.state.sharing.share_reports import ShareReportsState

PAYMENT_PAGES = (
    Page(
        route="/plans",
        component=plans,
        title="Plans",
        on_load=[LayoutState.load, PlansState.load],
    ),
    Page(
        route="/billing",
        component=billing,
        title="Plan and billing",
        on_load=[LayoutState.load, BillingState.load],
    ),
)
OTHER_PAGES = (
    Page(
        route="/usage",
        component=usage,
        title="Usage",
        on_load=[LayoutState.load, UsageState.load],
    ),
    Page(
        route="/operator",
        component=operator,
        title="Operator",
        on_load=[LayoutState.load, OperatorState.load, ShareReportsState.load],
    ),
)


def billing_pages() -> tuple[Page, ...]:
    """Return the pages that the settings allow: without billing, those about no payments."""
    return (*PAYMENT_PAGES, *OTHER_PAGES) if settings().billing else OTHER_PAGES
