"""Refunds and disputes are emailed and shown, and never change the plan."""

import pytest

from sp404_app.db import transaction
from sp404_app.jobs import billing
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.billing import reconcile, refunds
from sp404_app.state.billing import billing_view
from tests.accounts import mails
from tests.shop import Shop

DISPUTED = "4000000000000259"


def subjects(user: User) -> list[str]:
    return [str(email["Subject"]) for email in mails(user.email)]


def statuses(user: User) -> list[str]:
    with transaction() as session:
        return [row.status for row in billing_view.load_billing_page(session, user.id).rows]


def refund(shop: Shop, user: User, amount: int) -> None:
    customer = shop.customer(user.id).stripe_id
    (charge,) = shop.stripe().charges.list({"customer": customer}).data
    shop.stripe().refunds.create({"charge": charge.id, "amount": amount})
    shop.settle()


def test_each_refund_sends_one_email_and_keeps_the_plan(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    refund(shop, user, 1000)
    assert statuses(user) == ["Paid, $10.00 refunded"]
    refund(shop, user, 1900)
    shop.settle()
    assert statuses(user) == ["Refunded"]
    assert shop.entitled(user.id) == ("pro", "full")
    sent = [s for s in subjects(user) if s.endswith("refunded")]
    assert sorted(sent) == ["$10.00 refunded", "$19.00 refunded"]
    number = shop.invoices(user.id)[0].number
    emails = {str(email["Subject"]): email.as_string() for email in mails(user.email)}
    assert number in emails["$19.00 refunded"]


def test_a_dispute_is_emailed_and_reported_as_a_problem(shop: Shop, user: User) -> None:
    shop.buy(user.id, card=DISPUTED)
    assert shop.entitled(user.id) == ("pro", "full")
    assert subjects(user).count("A charge of $29.00 is disputed") == 1
    assert statuses(user) == ["Disputed"]
    _, _, problems = billing.reconcile()
    assert len(problems) == 1
    assert "disputes ch_" in problems[0]
    assert "over $29.00" in problems[0]
    with transaction() as session:
        report = reconcile.latest_report(session)
        assert report
        assert report.day == now().date()
        assert report.problems == problems
    assert subjects(user).count("A charge of $29.00 is disputed") == 1


@pytest.mark.parametrize(("status", "shown"), [("won", "Paid"), ("lost", "Disputed")])
def test_a_closed_dispute_is_not_reported_as_a_problem(
    shop: Shop, user: User, status: str, shown: str
) -> None:
    shop.buy(user.id, card=DISPUTED)
    with shop.emulator.store.writing() as connection:
        connection.execute(
            "update objects set body = replace(body, 'needs_response', ?) where kind = 'dispute'",
            (status,),
        )
    assert billing.reconcile()[2] == []
    assert statuses(user) == [shown]


def test_reconcile_finds_a_refund_without_an_event(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    shop.control("settings", drop=1.0)
    refund(shop, user, 2900)
    assert statuses(user) == ["Paid"]
    billing.reconcile()
    assert statuses(user) == ["Refunded"]


@pytest.mark.usefixtures("shop")
def test_a_user_without_a_customer_has_no_refunds(user: User) -> None:
    with transaction() as session:
        assert refunds.sync_refunds(session, user.id) == []
