"""States of the plans, billing and usage pages, and of the emulator page."""

from typing import Any

import pytest
import reflex as rx
from reflex.event import EventSpec

from sp404_app.errors import AppError, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import User
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import MB, settings
from sp404_app.state.billing import plan_comparison, plans_view
from sp404_app.state.billing.billing import BillingState
from sp404_app.state.billing.plans import PlansState
from sp404_app.state.billing.usage import UsageState, meter_tone, percent_used
from sp404_app.state.dev.stripe import DevStripeState
from sp404_app.state.layout import LayoutState
from tests.accounts import cookie, sign_up_user
from tests.shop import Shop
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")


async def run(events: Any) -> list[EventSpec]:
    """Run a handler to its end; return the events it yields."""
    return [event async for event in events if event is not None]


@pytest.mark.parametrize(
    "handler",
    [
        lambda: PlansState().load(),
        lambda: run(PlansState().choose("pro")),
        lambda: PlansState().show_interval("year"),
        lambda: run(PlansState().confirm()),
        lambda: run(BillingState().load()),
        lambda: run(BillingState().cancel()),
        lambda: run(BillingState().resume()),
        lambda: run(BillingState().keep()),
        lambda: run(BillingState().to_portal()),
        lambda: run(BillingState().to_payment()),
        lambda: run(UsageState().load()),
    ],
)
async def test_handlers_require_a_signed_in_user(handler: Any) -> None:
    with pytest.raises(Unauthenticated):
        await handler()


async def test_plan_cards_show_the_current_plan_and_what_can_be_bought() -> None:
    tab = in_tab(PlansState(), cookie(sign_up_user().id))
    await tab.load()
    free, pro, enterprise = tab.cards
    assert (free.current, free.badge, free.label) == (True, "Current plan", "")
    assert (pro.label, pro.trial, pro.price) == ("Start 14-day free trial", True, "$29")
    assert (enterprise.label, enterprise.trial) == ("Subscribe to Enterprise", False)


@pytest.mark.parametrize(
    ("current", "recommended"),
    [(Tier.FREE, [Tier.PRO]), (Tier.PRO, []), (Tier.ENTERPRISE, [])],
)
def test_only_a_dearer_plan_is_recommended(current: Tier, recommended: list[Tier]) -> None:
    assert [tier for tier in PLANS if plans_view.is_recommended(tier, current)] == recommended


def test_the_table_has_the_limits_of_all_plans() -> None:
    rows = {row.name: row.values for row in plan_comparison.comparison_rows()}
    assert rows["Storage"] == ("100 MB", "5 GB", "Unlimited")
    assert rows["Analyses per month"] == ("10", "500", "Unlimited")
    assert rows["Free trial"] == ("None", "14 days", "None")


async def test_a_plan_is_previewed_and_changed(shop: Shop) -> None:
    ada = sign_up_user()
    shop.buy(ada.id)
    shop.advance(ada.id, days=15)
    tab = in_tab(PlansState(), cookie(ada.id))
    await tab.load()
    await run(tab.choose("enterprise"))
    dialog = tab.dialog
    assert dialog.kind == "upgrade"
    assert dialog.due_today in dialog.confirm
    assert len(dialog.lines) == 2
    assert dialog.gains
    assert not dialog.losses
    assert dialog.next_charge.startswith("$99.00 a month from")
    await run(tab.confirm())
    assert tab.problem == ""
    assert tab.dialog.tier == ""
    assert tab.cards[2].current
    await run(tab.choose("free"))
    assert tab.dialog.next_charge.startswith("Nothing from")
    assert tab.dialog.losses
    tab.close()
    await run(tab.confirm())  # the dialog is closed
    assert tab.cards[2].current


async def test_the_switch_shows_yearly_prices_and_pays_yearly(shop: Shop) -> None:
    ada = sign_up_user()
    shop.buy(ada.id)
    tab = in_tab(PlansState(), cookie(ada.id))
    await tab.load()
    assert (tab.cards[1].price, tab.cards[1].other_price) == ("$29", "or $290 a year")
    await tab.show_interval("year")
    free, pro, enterprise = tab.cards
    assert (free.current, free.label) == (False, "Cancel plan")
    assert (pro.price, pro.per, pro.other_price) == ("$290", "a year", "or $29 a month")
    assert (pro.current, pro.badge, pro.label) == (False, "Yours, paid monthly", "Pay yearly")
    assert enterprise.label == "Upgrade to Enterprise"
    await run(tab.choose("pro"))
    assert tab.dialog.title == "Pay yearly for Pro"
    assert tab.dialog.next_charge == "$290.00 a year"
    assert (tab.dialog.gains, tab.dialog.losses) == ((), ())
    await run(tab.confirm())
    assert (tab.cards[1].current, tab.cards[1].badge) == (True, "Current plan")
    await tab.show_interval("month")
    assert tab.cards[1].label == "Pay monthly"
    assert tab.cards[2].label == "Switch to Enterprise"  # it waits for the paid year to end
    assert tab.cards[1].starts == tab.cards[2].starts
    assert tab.cards[2].starts.startswith("Starts on ")
    await run(tab.choose("pro"))
    assert tab.dialog.title == "Pay monthly for Pro from the next period"
    await run(tab.confirm())
    pro = tab.cards[1]
    assert (pro.badge[:5], pro.label, pro.starts, pro.is_scheduled) == ("From ", "", "", True)
    page = in_tab(BillingState(), cookie(ada.id))
    await run(page.load())
    assert (page.card.price, page.card.keep_label) == ("$290.00 a year", "Keep paying yearly")
    assert page.card.next_label == "Changes to monthly payment on"
    await tab.load()
    assert tab.interval == "year"  # as the subscription is paid
    assert (tab.cards[1].label, tab.cards[1].is_scheduled) == ("Keep paying yearly", False)


@pytest.mark.parametrize("name", ["week", "", None, 7, ["year"], "x" * 500])
async def test_other_intervals_are_refused(name: Any) -> None:
    tab = in_tab(PlansState(), cookie(sign_up_user().id))
    with pytest.raises(ValidationFailed):
        await tab.show_interval(name)


async def test_a_declined_upgrade_shows_the_payment_link(shop: Shop) -> None:
    ada = sign_up_user()
    shop.buy(ada.id)
    shop.advance(ada.id, days=10)
    shop.card(ada.id, "pm_card_chargeCustomerFail")
    tab = in_tab(PlansState(), cookie(ada.id))
    await tab.load()
    await run(tab.choose("enterprise"))
    await run(tab.confirm())
    assert "your plan hasn't changed" in tab.problem
    assert tab.pay_url
    page = in_tab(BillingState(), cookie(ada.id))
    await run(page.load())
    assert page.banner.title == "Your upgrade is waiting for payment"


async def test_an_outage_is_reported_and_changes_nothing(shop: Shop) -> None:
    ada = sign_up_user()
    shop.buy(ada.id)
    tab, page = (in_tab(kind(), cookie(ada.id)) for kind in (PlansState, BillingState))
    await tab.load()
    await run(page.load())
    shop.weather.status = 500
    await run(tab.choose("enterprise"))
    assert "try again" in tab.problem
    assert tab.busy is False
    await run(page.cancel())
    assert "try again" in page.problem
    assert (page.busy, page.card.state) == (False, "Active")


@pytest.mark.parametrize("name", ["gold", "", None, 7, "x" * 500, ["pro"]])
async def test_invalid_plan_names_are_refused(name: Any) -> None:
    tab = in_tab(PlansState(), cookie(sign_up_user().id))
    with pytest.raises(AppError):
        await run(tab.choose(name))


async def test_the_billing_page_shows_the_subscription(shop: Shop) -> None:
    ada = sign_up_user()
    page = in_tab(BillingState(), cookie(ada.id))
    await run(page.load())
    assert (page.card.plan, page.card.state, page.card.known) == ("Free", "No subscription", False)
    await run(page.to_portal())
    assert "Choose a plan first" in page.problem
    shop.buy(ada.id, trial=True)
    await run(page.load())
    assert (page.card.plan, page.card.state) == ("Pro", "Trial")
    assert page.card.next_text.startswith("$29.00 on")
    await run(page.cancel())
    assert (page.card.state, page.card.can_resume) == ("Cancelled", True)
    await run(page.resume())
    assert page.card.state == "Trial"
    assert page.test_mode


def test_gains_and_losses_are_listed_as_sentences() -> None:
    free, pro, enterprise = PLANS.values()
    gains, losses = plans_view.compare_plans(free, pro)
    assert gains[:2] == (
        "5 GB storage instead of 100 MB",
        "500 analyses a month instead of 10",
    )
    assert not losses
    gains, losses = plans_view.compare_plans(enterprise, free)
    assert not gains
    assert losses[0] == "100 MB storage instead of unlimited"
    assert plans_view.current_tier([]) is Tier.FREE


@pytest.mark.parametrize(
    ("used", "limit", "percent", "css_class"),
    [
        (0, 100, 0, "ok"),
        (79, 100, 79, "ok"),
        (80, 100, 80, "warn"),
        (100, 100, 100, "full"),
        (250, 100, 250, "full"),
        (5, None, 0, "ok"),
        (0, 0, 100, "full"),
    ],
)
def test_meters_warn_from_80_percent(
    used: int, limit: int | None, percent: int, css_class: str
) -> None:
    assert percent_used(used, limit) == percent
    assert meter_tone(percent_used(used, limit)) == css_class


async def test_the_usage_page_has_meters_and_charts(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get_state(*_: object) -> LayoutState:
        return LayoutState()

    monkeypatch.setattr(rx.State, "get_state", get_state)
    tab = in_tab(UsageState(), cookie(user.id))
    await run(tab.load())
    assert tab.empty
    assert (tab.plan, tab.storage.limit) == ("Free", f"{100 * MB // MB} MB")
    assert len(tab.analyses_figure.data[0].y) == 30


async def test_emulator_controls_answer_loopback_only(
    shop: Shop, environment: pytest.MonkeyPatch
) -> None:
    ada = sign_up_user()
    shop.buy(ada.id, trial=True)
    tab = in_tab(DevStripeState(), "", ip="127.0.0.1")
    await tab.load()
    (clock,) = tab.clocks
    assert tab.sent_events
    assert tab.received_events
    await run(tab.advance(clock.id, "month"))
    assert shop.subscription(ada.id).status == "active"
    await run(tab.change("shuffle", True))
    assert tab.delivery_faults.shuffle
    await run(tab.send_again(tab.sent_events[0].id))
    await run(tab.replay(tab.received_events[0].id))
    await run(tab.reconcile())
    assert tab.message.startswith("1 compared")
    for wrong in (tab.advance("cus_x", "day"), tab.advance(clock.id, "year"), tab.change("x", 1)):
        await run(wrong)
        assert tab.message
    with pytest.raises(ValidationFailed):
        await run(tab.advance(7, "day"))  # type: ignore[arg-type]
    for ip in ("203.0.113.7", "", "rubbish"):
        stranger = in_tab(DevStripeState(), "", ip=ip)
        with pytest.raises(NotFound):
            await stranger.load()
        with pytest.raises(NotFound):
            await run(stranger.advance(clock.id, "day"))
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_test_1")
    settings.cache_clear()
    with pytest.raises(NotFound):
        await tab.load()
