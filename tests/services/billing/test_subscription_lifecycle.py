"""Subscription lifecycle against the Stripe emulator over HTTP: first trial to last invoice."""

import pytest
from sqlmodel import select, update

from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound, PaymentFailed, QuotaExceeded
from sp404_app.models import Sample, StripeObject, Subscription, User
from sp404_app.services.billing import (
    entitlements,
    invoices,
    proration_preview,
    quotas,
    subscriptions,
    sync,
    trials,
)
from sp404_app.services.plans import Tier
from sp404_app.settings import MB
from sp404_app.state.billing import billing_view, plans_view
from tests.accounts import mails
from tests.shop import DAY, FAILS_LATER, Shop
from tests.sounds import Keep


def subjects(user: User) -> list[str]:
    return [str(email["Subject"]) for email in mails(user.email)]


def test_a_trial_grants_pro_immediately_and_renews(shop: Shop, user: User) -> None:
    bought = shop.buy(user.id, trial=True)
    assert (bought.status, bought.tier) == ("trialing", "pro")
    assert shop.entitled(user.id) == ("pro", "full")
    assert shop.customer(user.id).payment_method.startswith("Visa •••• 4242")
    shop.advance(user.id, days=12)
    shop.advance(user.id, days=3)
    assert shop.subscription(user.id).status == "active"
    paid = [row for row in shop.invoices(user.id) if row.amount_paid]
    assert [(row.amount_paid, row.currency) for row in paid] == [(2900, "usd")]
    with transaction() as session:
        name, body = invoices.fetch_invoice_pdf(session, user.id, paid[0].id)
    assert body.startswith(b"%PDF")
    assert name.endswith(".pdf")
    assert subjects(user).count("Your Pro trial has started") == 1
    assert sum(s.startswith("Your Pro trial ends on") for s in subjects(user)) == 1
    assert sum(s.startswith("Receipt") for s in subjects(user)) == 1


def test_an_upgrade_charges_the_previewed_amount(shop: Shop, user: User) -> None:
    bought = shop.buy(user.id)
    assert bought.amount == 2900
    shop.advance(user.id, days=15)
    with transaction() as session:
        preview = proration_preview.preview_change(session, user.id, Tier.ENTERPRISE)
    with transaction() as session:
        assert subscriptions.change_plan(
            session, user.id, Tier.ENTERPRISE, preview.proration_date
        ).done
    shop.settle()
    newest = shop.invoices(user.id)[-1]
    assert (newest.reason, newest.amount_paid) == ("subscription_update", preview.due_today)
    assert 3400 < preview.due_today < 3700
    assert shop.entitled(user.id) == ("enterprise", "full")
    assert "You're now on Enterprise" in subjects(user)
    with transaction() as session:  # a repeated request is not charged
        assert subscriptions.change_plan(
            session, user.id, Tier.ENTERPRISE, preview.proration_date
        ).done
    assert shop.invoices(user.id)[-1].stripe_id == newest.stripe_id


def test_a_declined_upgrade_leaves_the_plan_unchanged(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    shop.advance(user.id, days=10)
    shop.card(user.id, "pm_card_chargeCustomerFail")
    with transaction() as session:
        changed = subscriptions.change_plan(session, user.id, Tier.ENTERPRISE)
    assert not changed.done
    assert changed.pay_url
    with pytest.raises(PaymentFailed):
        changed.ensure_paid()
    shop.settle()
    assert shop.entitled(user.id) == ("pro", "full")
    assert shop.subscription(user.id).unpaid_change


def test_a_downgrade_applies_at_period_end_and_can_be_undone(shop: Shop, user: User) -> None:
    shop.buy(user.id, "enterprise")
    for _ in range(2):
        with transaction() as session:
            subscriptions.change_plan(session, user.id, Tier.PRO)
    shop.settle()
    row = shop.subscription(user.id)
    assert (row.tier, row.pending_tier, row.pending_at) == ("enterprise", "pro", row.period_end)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.ENTERPRISE)
    assert shop.subscription(user.id).pending_tier == ""
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.PRO)
    shop.advance(user.id, days=32)
    row = shop.subscription(user.id)
    assert (row.tier, row.pending_tier, row.amount) == ("pro", "", 2900)
    assert shop.invoices(user.id)[-1].amount_paid == 2900
    assert "You're now on Pro" in subjects(user)


def test_a_cancellation_applies_at_period_end_and_can_be_undone(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    with transaction() as session:
        subscriptions.cancel_subscription(session, user.id)
    shop.settle()
    row = shop.subscription(user.id)
    assert row.cancel_at == row.period_end
    assert shop.entitled(user.id) == ("pro", "full")
    with transaction() as session:
        subscriptions.resume_subscription(session, user.id)
    assert shop.subscription(user.id).cancel_at is None
    with transaction() as session:
        subscriptions.cancel_subscription(session, user.id)
    shop.advance(user.id, days=32)
    assert shop.entitled(user.id) == ("free", "full")
    assert len([row for row in shop.invoices(user.id) if row.amount_paid]) == 1
    assert subjects(user).count("Your Pro subscription has ended") == 1


@pytest.mark.parametrize("sets_cancel_at", [True, False])
def test_cancel_at_and_cancel_at_period_end_are_both_undone_by_resuming(
    shop: Shop, user: User, *, sets_cancel_at: bool
) -> None:
    shop.control("settings", api_cancel_sets_cancel_at=sets_cancel_at)
    shop.buy(user.id)
    with transaction() as session:
        subscriptions.cancel_subscription(session, user.id)
    assert shop.subscription(user.id).cancel_at
    with transaction() as session:
        subscriptions.resume_subscription(session, user.id)
    assert shop.subscription(user.id).cancel_at is None


def test_every_change_releases_the_schedule_first(shop: Shop, user: User) -> None:
    shop.buy(user.id, "enterprise")
    for action in (subscriptions.cancel_subscription, subscriptions.resume_subscription):
        with transaction() as session:
            subscriptions.change_plan(session, user.id, Tier.PRO)
        with transaction() as session:
            action(session, user.id)
        shop.settle()
        assert shop.subscription(user.id).schedule_id == ""


def test_dunning_goes_from_banner_to_grace_period_to_restricted_and_back(
    shop: Shop, user: User
) -> None:
    shop.buy(user.id, trial=True, card=FAILS_LATER)
    shop.advance(user.id, days=14, hours=3)
    accesses = [shop.entitled(user.id)[1]]
    for _ in range(12):
        shop.advance(user.id, to="next")
        if shop.entitled(user.id)[1] != accesses[-1]:
            accesses.append(shop.entitled(user.id)[1])
        if accesses[-1] in {"past_due", "restricted"}:
            break
    assert accesses[0] == "problem"
    assert shop.subscription(user.id).attempts >= 3
    failures = [s for s in subjects(user) if s == "Your payment failed"]
    assert len(failures) == shop.subscription(user.id).attempts
    if accesses[-1] == "past_due":
        shop.advance(user.id, days=4)
        with transaction() as session:
            sync.sync_customer(session, user.id)
    assert shop.entitled(user.id) == ("pro", "restricted")
    shop.card(user.id, "pm_card_visa")
    due = next(row for row in shop.invoices(user.id) if row.status == "open")
    shop.stripe().invoices.pay(due.stripe_id)
    shop.settle()
    assert shop.entitled(user.id) == ("pro", "full")


def test_cancelling_a_past_due_subscription_ends_it_immediately_without_a_charge(
    shop: Shop, user: User
) -> None:
    shop.buy(user.id, trial=True, card=FAILS_LATER)
    shop.advance(user.id, days=14, hours=3)
    assert shop.entitled(user.id)[1] == "problem"
    with transaction() as session:
        subscriptions.cancel_subscription(session, user.id)
    shop.settle()
    assert shop.entitled(user.id) == ("free", "full")
    assert {row.status for row in shop.invoices(user.id)} <= {"paid", "void"}


def test_a_second_trial_is_refused_by_account_and_email(
    shop: Shop, user: User, person: object
) -> None:
    shop.buy(user.id, trial=True)
    with transaction() as session:
        subscriptions.end_all_billing(session, user.id)
    with pytest.raises(Conflict, match="trial"):
        shop.start(user.id, trial=True)
    name, _, domain = user.email.partition("@")
    same_mailbox = person(f"{name}+again@{domain}")  # type: ignore[operator]
    with pytest.raises(Conflict, match="trial"):
        shop.start(same_mailbox.id, trial=True)
    assert shop.start(same_mailbox.id, trial=False)


def test_a_second_trial_with_the_same_card_is_ended(
    shop: Shop, user: User, person: object, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(trials, "TEST_CARD_MODES", frozenset())
    shop.buy(user.id, trial=True)
    other = person()  # type: ignore[operator]
    shop.finish(other.id, shop.pay(shop.start(other.id, trial=True)))
    shop.settle()
    assert shop.entitled(other.id) == ("free", "full")
    assert not shop.living(other.id)
    assert subjects(other) == ["Your trial couldn't be started"]
    assert not [row for row in shop.invoices(other.id) if row.amount_paid]


def test_two_tabs_share_one_checkout_session(shop: Shop, user: User) -> None:
    first, second = shop.start(user.id), shop.start(user.id)
    assert first == second
    other = shop.start(user.id, "enterprise")
    assert other != first
    assert not shop.pay(first)  # expired
    shop.finish(user.id, shop.pay(other))
    with pytest.raises(Conflict):
        shop.start(user.id)
    assert len(shop.living(user.id)) == 1


def test_another_users_checkout_session_is_not_found(
    shop: Shop, user: User, person: object
) -> None:
    back = shop.pay(shop.start(user.id))
    other = person()  # type: ignore[operator]
    shop.start(other.id)
    for buyer, where in ((other, back), (other, "session_id=cs_never"), (user, "session_id=x")):
        with pytest.raises(NotFound):
            shop.finish(buyer.id, where)
    assert shop.finish(user.id, back).subscribed


def test_a_deleted_customer_loses_the_plan_and_can_subscribe_again(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    first = shop.customer(user.id).stripe_id
    shop.stripe().customers.delete(first)
    shop.settle()
    assert shop.entitled(user.id) == ("free", "full")
    shop.buy(user.id)
    assert shop.customer(user.id).stripe_id != first
    assert shop.entitled(user.id) == ("pro", "full")
    with transaction() as session:
        rows = session.exec(select(Subscription).where(Subscription.user_id == user.id)).all()
    assert sorted(row.status for row in rows) == ["active", "canceled"]


def test_an_upgrade_during_a_trial_ends_it_and_is_paid_in_full(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True)
    with transaction() as session:
        preview = proration_preview.preview_change(session, user.id, Tier.ENTERPRISE)
    assert preview.due_today == 9900
    with transaction() as session:
        subscriptions.change_plan(
            session, user.id, Tier.ENTERPRISE, preview.proration_date
        ).ensure_paid()
    shop.settle()
    assert shop.subscription(user.id).status == "active"
    assert sum(row.amount_paid for row in shop.invoices(user.id)) == 9900


def test_a_stale_or_forged_proration_date_is_refused(shop: Shop, user: User) -> None:
    bought = shop.buy(user.id)
    shop.advance(user.id, days=10)
    now = int(entitlements.customer_now(shop.customer(user.id)).timestamp())
    for stamp in (0, now - DAY, now + DAY, int(bought.period_end.timestamp())):
        with transaction() as session, pytest.raises(Conflict, match="out of date"):
            subscriptions.change_plan(session, user.id, Tier.ENTERPRISE, stamp)
    assert shop.entitled(user.id) == ("pro", "full")


def test_closing_the_account_expires_open_checkout_sessions(shop: Shop, user: User) -> None:
    url = shop.start(user.id, trial=True)
    with transaction() as session:
        subscriptions.end_all_billing(session, user.id)
    assert not shop.pay(url)
    assert not shop.living(user.id)
    shop.stripe().customers.delete(shop.customer(user.id).stripe_id)
    with transaction() as session:
        subscriptions.end_all_billing(session, user.id)


def test_a_preview_warns_when_stored_samples_exceed_the_new_limit(
    shop: Shop, user: User, keep: Keep
) -> None:
    sample = keep()
    with transaction() as session:
        session.get_one(Sample, sample).size = 5121 * MB
    with transaction() as session:  # also before the first purchase
        assert proration_preview.preview_change(session, user.id, Tier.PRO).excess_bytes == MB
        assert proration_preview.preview_change(session, user.id, Tier.ENTERPRISE).excess_bytes == 0
    shop.buy(user.id, "enterprise")
    for tier, excess, shown in ((Tier.PRO, 1, "1 MB"), (Tier.FREE, 5021, "4.9 GB")):
        with transaction() as session:
            preview = proration_preview.preview_change(session, user.id, tier)
        assert preview.excess_bytes == excess * MB
        assert f"You're using {shown} more than" in proration_preview.excess_warning(preview)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.PRO)
    shop.advance(user.id, days=32)
    assert shop.entitled(user.id)[0] == "pro"
    with transaction() as session:
        assert session.get_one(Sample, sample).deleted_at is None
        with pytest.raises(QuotaExceeded):
            quotas.ensure_storage(session, user.id, 1)


def test_an_existing_subscription_keeps_its_price_when_the_list_price_rises(
    shop: Shop, user: User
) -> None:
    shop.buy(user.id, "enterprise")
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.PRO)
    with transaction() as session:
        session.exec(update(StripeObject).values(amount=19900))
    with transaction() as session:
        preview = proration_preview.preview_change(session, user.id, Tier.ENTERPRISE)
    assert (preview.kind, preview.next_amount) == (proration_preview.ChangeKind.KEEP, 9900)


def test_cancelling_a_past_due_subscription_is_previewed_as_immediate(
    shop: Shop, user: User
) -> None:
    shop.buy(user.id)
    with transaction() as session:
        preview = proration_preview.preview_change(session, user.id, Tier.FREE)
    assert (preview.immediate, preview.next_at) == (False, shop.subscription(user.id).period_end)
    shop.card(user.id, "pm_card_chargeCustomerFail")
    shop.advance(user.id, days=32)
    with transaction() as session:
        preview = proration_preview.preview_change(session, user.id, Tier.FREE)
    assert (preview.kind, preview.immediate, preview.next_at) == (
        proration_preview.ChangeKind.CANCEL,
        True,
        None,
    )
    dialog = plans_view.change_dialog(preview, Tier.PRO, trial=False)
    assert dialog.title == "Cancel your plan now"
    assert "won't have to pay" in dialog.next_charge
    with transaction() as session:
        card = billing_view.load_billing_page(session, user.id).card
        assert "ends immediately" in card.question
        subscriptions.change_plan(session, user.id, Tier.FREE)
    assert (
        plans_view.change_confirmation(dialog)
        == "Your subscription has ended. All your sounds are still there."
    )
    assert shop.entitled(user.id) == ("free", "full")
    with transaction() as session:
        assert billing_view.load_billing_page(session, user.id).card.question == ""


def test_a_recovered_subscription_sends_one_email(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True, card=FAILS_LATER)
    shop.advance(user.id, days=14, hours=3)
    assert shop.subscription(user.id).status == "past_due"
    title = "Your Pro subscription is active again"
    assert title not in subjects(user)
    shop.card(user.id, "pm_card_visa")
    due = next(row for row in shop.invoices(user.id) if row.status == "open")
    shop.stripe().invoices.pay(due.stripe_id)
    shop.settle()
    shop.settle()
    assert subjects(user).count(title) == 1
    shop.advance(user.id, days=32)  # a normal renewal sends none
    assert subjects(user).count(title) == 1


def test_an_ended_subscription_cannot_be_changed(shop: Shop, user: User) -> None:
    actions = (
        subscriptions.resume_subscription,
        subscriptions.cancel_subscription,
        subscriptions.keep_plan,
        lambda session, user_id: subscriptions.change_plan(session, user_id, Tier.ENTERPRISE),
    )
    for action in actions:  # without any subscription
        with transaction() as session, pytest.raises(NotFound):
            action(session, user.id)
    shop.buy(user.id)
    with transaction() as session:
        subscriptions.cancel_subscription(session, user.id)
    shop.advance(user.id, days=32)
    for action in actions:
        with transaction() as session, pytest.raises(Conflict, match="has ended"):
            action(session, user.id)


def test_an_invoice_paid_from_the_balance_says_so(shop: Shop, user: User) -> None:
    shop.buy(user.id, "enterprise")
    customer = shop.customer(user.id).stripe_id
    shop.control("settings", after_retries="unpaid")
    shop.stripe().customers.update(customer, {"balance": -10_900})
    for days_after in (1, 0, 0):  # always a day after the renewal: receipts wait for three days
        now = shop.subscription(user.id)
        shop.advance(user.id, days=(now.period_end - now.period_start).days + days_after)
    with transaction() as session:
        rows = billing_view.load_billing_page(session, user.id).rows
    assert [row.status for row in rows] == [
        "Paid",
        "Paid, $10.00 from your balance",
        "Paid from your balance",
        "Paid",
    ]
    assert sum(s.startswith("Receipt") for s in subjects(user)) == 3
