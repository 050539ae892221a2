"""Refunds and disputes are said to everybody, and take no plan away."""

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
    return [str(letter["Subject"]) for letter in mails(user.email)]


def statuses(user: User) -> list[str]:
    with transaction() as session:
        return [row.status for row in billing_view.load_billing_page(session, user.id).rows]


def refund(shop: Shop, user: User, amount: int) -> None:
    customer = shop.customer(user.id).stripe_id
    (charge,) = shop.stripe().charges.list({"customer": customer}).data
    shop.stripe().refunds.create({"charge": charge.id, "amount": amount})
    shop.settle()


def test_a_refund_is_said_once_and_leaves_the_plan(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    refund(shop, user, 1000)
    assert statuses(user) == ["Paid, $10.00 refunded"]
    refund(shop, user, 1900)
    shop.settle()
    assert statuses(user) == ["Refunded"]
    assert shop.entitled(user.id) == ("pro", "full")
    told = [s for s in subjects(user) if s.endswith("refunded")]
    assert sorted(told) == ["$10.00 refunded", "$19.00 refunded"]
    number = shop.invoices(user.id)[0].number
    letters = {str(letter["Subject"]): letter.as_string() for letter in mails(user.email)}
    assert number in letters["$19.00 refunded"]


def test_a_dispute_is_said_to_the_person_and_to_the_operator(shop: Shop, user: User) -> None:
    shop.buy(user.id, card=DISPUTED)
    assert shop.entitled(user.id) == ("pro", "full")
    assert subjects(user).count("A charge of $29.00 is disputed") == 1
    assert statuses(user) == ["Disputed"]
    _, _, problems = billing.reconcile()
    assert len(problems) == 1
    assert "disputes ch_" in problems[0]
    assert "over $29.00" in problems[0]
    with transaction() as session:
        night = reconcile.latest_report(session)
        assert night
        assert night.day == now().date()
        assert night.problems == problems
    assert subjects(user).count("A charge of $29.00 is disputed") == 1


@pytest.mark.parametrize(("status", "shown"), [("won", "Paid"), ("lost", "Disputed")])
def test_a_dispute_that_is_closed_leaves_the_operator_alone(
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


def test_what_no_event_told_is_found_at_night(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    shop.control("settings", drop=1.0)
    refund(shop, user, 2900)
    assert statuses(user) == ["Paid"]
    billing.reconcile()
    assert statuses(user) == ["Refunded"]


@pytest.mark.usefixtures("shop")
def test_who_never_paid_has_nothing_to_return(user: User) -> None:
    with transaction() as session:
        assert refunds.sync_refunds(session, user.id) == []
