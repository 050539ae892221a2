"""Stripe's customer has the address and the name of the account, so receipts reach the person."""

from unittest.mock import patch

import pytest
from redis.exceptions import RedisError
from sqlmodel import update

from sp404_app.db import transaction
from sp404_app.jobs import billing_contact
from sp404_app.models import BillingCustomer, Purpose, User
from sp404_app.services.auth import email_change, one_time_tokens, users
from sp404_app.services.billing import customer_contact
from sp404_app.services.infra import queue
from tests.accounts import CLIENT, Somebody, mails, somebody, token_in
from tests.shop import Shop


@pytest.fixture
def ada(shop: Shop) -> Somebody:
    """Somebody on Pro."""
    person = somebody("ada@example.org")
    rename(person, "Ada", "Lovelace")
    shop.buy(person.id)
    return person


def rename(person: Somebody, first: str, last: str) -> None:
    with transaction() as session:
        users.rename(session, person.id, first, last)


def change_address(person: Somebody, address: str) -> None:
    with transaction() as session:
        email_change.ask(session, person.id, address, CLIENT)
    token = token_in(mails(address)[-1])
    with transaction() as session:
        email_change.confirm(session, token, CLIENT)


def at_stripe(shop: Shop, person: Somebody) -> tuple[str, str]:
    found = shop.stripe().customers.retrieve(shop.customer(person.id).stripe_id)
    return found.email, found.name


def work() -> int:
    """Do the jobs that wait, as a worker does; return how many there were."""
    done = 0
    for name in (queue.MONEY, queue.LOW):
        for job in queue.queue(name).jobs:
            if job.func_name.startswith("sp404_app.jobs.billing_contact."):
                job.func(*job.args)
                done += 1
        queue.queue(name).empty()
    return done


def due() -> int:
    with transaction() as session:
        return len(customer_contact.find_users_due(session))


def test_a_new_customer_has_address_and_name(shop: Shop, ada: Somebody) -> None:
    assert at_stripe(shop, ada) == ("ada@example.org", "Ada Lovelace")
    assert due() == 0


def test_a_change_of_address_reaches_stripe(shop: Shop, ada: Somebody) -> None:
    change_address(ada, "new@example.org")
    assert work() == 1
    assert at_stripe(shop, ada) == ("new@example.org", "Ada Lovelace")
    with transaction() as session:
        back = one_time_tokens.make(session, ada.id, Purpose.REVERT_EMAIL, "ada@example.org")
    with transaction() as session:
        email_change.revert(session, back, CLIENT)
    assert work() == 1
    assert at_stripe(shop, ada) == ("ada@example.org", "Ada Lovelace")


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Grace", "Hopper", "Grace Hopper"), ("", "Hopper", "Hopper"), ("Ada", "", "Ada")],
)
def test_a_change_of_name_reaches_stripe(
    shop: Shop, ada: Somebody, first: str, last: str, name: str
) -> None:
    rename(ada, first, last)
    assert work() == 1
    assert at_stripe(shop, ada) == ("ada@example.org", name)
    assert due() == 0


def test_a_name_can_be_taken_away(shop: Shop, ada: Somebody) -> None:
    rename(ada, "", "")
    work()
    assert at_stripe(shop, ada)[1] == "ada@example.org"
    assert due() == 0


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_outage_of_stripe_delays_it(shop: Shop, ada: Somebody, status: int) -> None:
    shop.weather.status = status
    rename(ada, "Grace", "Hopper")
    assert work() == 1
    assert due() == 1
    shop.weather.status = 0
    with transaction() as session:
        assert customer_contact.call_for_due(session) == 1
    assert work() == 1
    assert at_stripe(shop, ada)[1] == "Grace Hopper"
    assert due() == 0


def test_an_answer_that_was_lost_is_asked_for_again(shop: Shop, ada: Somebody) -> None:
    shop.weather.status, shop.weather.after = 500, True
    rename(ada, "Grace", "Hopper")
    work()
    shop.weather.status = 0
    assert billing_contact.update_due_contacts() == 1
    assert at_stripe(shop, ada)[1] == "Grace Hopper"


def test_without_redis_the_name_is_changed_and_stripe_told_later(shop: Shop, ada: Somebody) -> None:
    with patch.object(queue, "queue", side_effect=RedisError("away")):
        rename(ada, "Grace", "Hopper")
    assert work() == 0
    assert due() == 1
    assert billing_contact.update_due_contacts() == 1
    assert at_stripe(shop, ada)[1] == "Grace Hopper"


def test_who_was_never_told_is_told(shop: Shop, ada: Somebody) -> None:
    """Customers from before we remembered what Stripe was told."""
    with transaction() as session:
        session.exec(update(BillingCustomer).values(told_email=None, told_name=None))
        session.exec(update(User).values(email="older@example.org"))
    assert billing_contact.update_due_contacts() == 1
    assert at_stripe(shop, ada)[0] == "older@example.org"
    assert billing_contact.update_due_contacts() == 0


def test_who_bought_nothing_is_no_work(shop: Shop) -> None:
    rename(somebody(), "Grace", "Hopper")
    assert (work(), due()) == (0, 0)


def test_a_job_for_somebody_who_is_gone_just_ends(shop: Shop) -> None:
    billing_contact.update_contact("01a204c0-82ec-769a-8e34-995e038227bd")


def test_a_customer_that_stripe_has_no_more_does_not_hold_up_others(
    shop: Shop, ada: Somebody
) -> None:
    bob = somebody("bob@example.org")
    shop.buy(bob.id)
    shop.stripe().customers.delete(shop.customer(ada.id).stripe_id)
    for person in (ada, bob):
        rename(person, "Grace", "Hopper")
    billing_contact.update_due_contacts()
    assert at_stripe(shop, bob)[1] == "Grace Hopper"
    assert due() == 0
