"""`SP404_BILLING=off`: one plan for everybody, and no word to or from Stripe."""

import asyncio
from collections.abc import Callable

import pytest
from sqlmodel import Session, select, update
from structlog.testing import capture_logs

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, QuotaExceeded, Unavailable
from sp404_app.jobs import billing, billing_contact
from sp404_app.models import BillingCustomer, Invoice, MailLog, Subscription, UnsentMail, User
from sp404_app.services.account import deletion
from sp404_app.services.auth import customer_update
from sp404_app.services.billing import entitlements, quotas, stripe_client
from sp404_app.services.billing.access_rules import Access
from sp404_app.services.infra import queue
from sp404_app.services.sharing import share_saving
from sp404_app.settings import settings
from sp404_app.state.billing.billing import BillingState
from sp404_app.state.billing.plans import PlansState
from tests.shop import Shop


def turn_off(environment: pytest.MonkeyPatch, **extra: str) -> None:
    for name, value in {"SP404_BILLING": "off", **extra}.items():
        environment.setenv(name, value)
    settings.cache_clear()


def plan_of(user: User) -> tuple[str, str]:
    with transaction() as session:
        found = entitlements.get_entitlement(session, user.id)
        return found.plan.tier, found.access


@pytest.mark.parametrize("plan", ["free", "pro", "enterprise"])
def test_everybody_has_the_plan_of_the_operators_choice(
    person: Callable[..., User], environment: pytest.MonkeyPatch, plan: str
) -> None:
    turn_off(environment, SP404_PLAN=plan)
    assert {plan_of(person()), plan_of(person(is_demo=True))} == {(plan, Access.FULL)}


def test_without_a_choice_nothing_is_limited(user: User, environment: pytest.MonkeyPatch) -> None:
    turn_off(environment)
    assert plan_of(user) == ("enterprise", Access.FULL)


def test_a_subscription_counts_again_once_billing_is_on(
    shop: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    shop.buy(user.id, "pro")
    turn_off(environment, SP404_PLAN="free")
    assert plan_of(user) == ("free", Access.FULL)
    turn_off(environment, SP404_BILLING="on")
    assert plan_of(user) == ("pro", Access.FULL)


def test_a_full_storage_does_not_offer_a_plan(
    user: User, session: Session, environment: pytest.MonkeyPatch
) -> None:
    turn_off(environment, SP404_PLAN="free")
    with pytest.raises(QuotaExceeded) as refusal:
        quotas.ensure_storage(session, user.id, 1 << 40)
    assert str(refusal.value) == "Your storage is full. Delete sounds to make room."
    assert refusal.value.details["upgrade_url"] is None
    assert "plan" not in share_saving.problem_text("storage_quota_exceeded")


def test_stripe_is_not_called(shop: Shop, user: User, environment: pytest.MonkeyPatch) -> None:
    shop.buy(user.id, "pro")
    turn_off(environment, SP404_STRIPE_SECRET_KEY="sk_test_1")
    shop.weather.calls.clear()
    while queue.next_rq_job(queue.HIGH):  # e-mails about the purchase
        pass
    with pytest.raises(Unavailable, match="turned off"):
        stripe_client.client()
    billing.handle_due_events()
    assert billing.reconcile() == (0, [], [])
    billing_contact.update_contact(str(user.id))
    assert billing_contact.update_due_contacts() == 0
    with transaction() as session:
        customer_update.queue_customer_update(session, user.id)
    assert shop.weather.calls == []
    assert queue.next_rq_job(queue.HIGH) is None


@pytest.mark.parametrize("state", [BillingState, PlansState])
async def test_handlers_of_the_pages_that_are_gone_answer_not_found(
    environment: pytest.MonkeyPatch, state: type[BillingState] | type[PlansState]
) -> None:
    turn_off(environment)
    with pytest.raises(NotFound):
        await state()._user_id()


def move_to_test_mode(shop: Shop, environment: pytest.MonkeyPatch) -> None:
    """Let the emulator stand for Stripe in test mode, and the user's rows be of that mode."""
    with transaction() as session:
        for table in (Subscription, BillingCustomer, Invoice):
            session.exec(update(table).values(realm="test"))
    environment.setattr(stripe_client, "API_BASE", shop.base)
    environment.setattr(stripe_client, "EMULATOR_KEY_PREFIX", "none")


def delete(user: User) -> list[dict[str, object]]:
    with capture_logs() as logs:
        asyncio.run(deletion.delete_account(user.id))
    with transaction() as session:
        assert session.get(User, user.id) is None
    return [dict(line) for line in logs if "subscription" in line]


def living(shop: Shop, customer_id: str) -> int:
    found = shop.stripe().subscriptions.list({"customer": customer_id})
    return len([one for one in found.data if one.status != "canceled"])


def test_a_deleted_account_is_not_charged_any_more_if_there_is_a_key(
    shop: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    stripe_id = shop.buy(user.id, "pro").stripe_id
    customer_id = str(shop.customer(user.id).stripe_id)
    move_to_test_mode(shop, environment)
    turn_off(environment, SP404_STRIPE_SECRET_KEY=shop.emulator.keys.api_key)
    (line,) = delete(user)
    assert (line["subscription"], line["log_level"]) == (stripe_id, "info")
    assert "cancelled at stripe" in str(line["event"])
    turn_off(environment, SP404_BILLING="on", SP404_STRIPE_SECRET_KEY="")
    assert living(shop, customer_id) == 0


def test_without_a_key_the_log_names_the_subscription_that_goes_on(
    shop: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    stripe_id = shop.buy(user.id, "pro").stripe_id
    customer_id = str(shop.customer(user.id).stripe_id)
    turn_off(environment)
    (line,) = delete(user)
    assert (line["subscription"], line["log_level"]) == (stripe_id, "warning")
    assert "not cancelled" in str(line["event"])
    turn_off(environment, SP404_BILLING="on")
    assert living(shop, customer_id) == 1


def test_an_account_is_kept_if_stripe_does_not_answer(
    shop: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    shop.buy(user.id, "pro")
    move_to_test_mode(shop, environment)
    turn_off(environment, SP404_STRIPE_SECRET_KEY=shop.emulator.keys.api_key)
    shop.weather.status = 500
    with pytest.raises(AppError):
        asyncio.run(deletion.delete_account(user.id))
    with transaction() as session:
        assert session.get(User, user.id)


def test_no_mail_is_about_money(shop: Shop, user: User, environment: pytest.MonkeyPatch) -> None:
    stripe_id = shop.buy(user.id, "pro").stripe_id
    with transaction() as session:
        for row in (*session.exec(select(UnsentMail)), *session.exec(select(MailLog))):
            session.delete(row)
    move_to_test_mode(shop, environment)
    turn_off(environment, SP404_STRIPE_SECRET_KEY=shop.emulator.keys.api_key)
    assert stripe_id
    delete(user)
    with transaction() as session:
        subjects = [row.subject for row in session.exec(select(UnsentMail))]
        assert subjects == ["Your account is deleted"]
        assert session.exec(select(MailLog)).all() == []
