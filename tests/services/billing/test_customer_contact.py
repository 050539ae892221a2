"""Stripe customers keep the email and name of the user, so that receipts arrive."""

from typing import Any
from unittest.mock import patch

import pytest
from redis.exceptions import RedisError
from sqlmodel import update

from sp404_app.db import transaction
from sp404_app.jobs import billing_contact
from sp404_app.models import BillingCustomer, Purpose, User
from sp404_app.services.auth import email_change, one_time_tokens, users
from sp404_app.services.billing import customer_contact, subscriptions
from sp404_app.services.infra import queue
from tests.accounts import CLIENT, SignedUpUser, mailed_token, mails, sign_up_user
from tests.shop import Shop


@pytest.fixture
def ada(shop: Shop) -> SignedUpUser:
    """A user on Pro."""
    person = sign_up_user("ada@example.org")
    rename(person, "Ada", "Lovelace")
    shop.buy(person.id)
    return person


def rename(person: SignedUpUser, first: str, last: str) -> None:
    with transaction() as session:
        users.rename_user(session, person.id, first, last)


def change_email(person: SignedUpUser, email: str) -> None:
    with transaction() as session:
        email_change.request_email_change(session, person.id, email, CLIENT)
    token = mailed_token(mails(email)[-1])
    with transaction() as session:
        email_change.confirm_email_change(session, token, CLIENT)


def contact_at_stripe(shop: Shop, person: SignedUpUser) -> tuple[str, str]:
    found = shop.stripe().customers.retrieve(shop.customer(person.id).stripe_id)
    return found.email, found.name


def run_contact_jobs() -> int:
    """Run the queued contact jobs; return how many there were."""
    done = 0
    for name in (queue.HIGH, queue.LOW):
        for job in queue.rq_queue(name).jobs:
            if job.func_name.startswith("sp404_app.jobs.billing_contact."):
                job.func(*job.args)
                done += 1
        queue.rq_queue(name).empty()
    return done


def count_due() -> int:
    with transaction() as session:
        return len(customer_contact.find_users_due(session))


def test_a_new_customer_has_the_users_email_and_name(shop: Shop, ada: SignedUpUser) -> None:
    assert contact_at_stripe(shop, ada) == ("ada@example.org", "Ada Lovelace")
    assert count_due() == 0


def test_an_email_change_is_sent_to_stripe(shop: Shop, ada: SignedUpUser) -> None:
    change_email(ada, "new@example.org")
    assert run_contact_jobs() == 1
    assert contact_at_stripe(shop, ada) == ("new@example.org", "Ada Lovelace")
    with transaction() as session:
        back = one_time_tokens.create_one_time_token(
            session, ada.id, Purpose.REVERT_EMAIL, "ada@example.org"
        )
    with transaction() as session:
        email_change.revert_email_change(session, back, CLIENT)
    assert run_contact_jobs() == 1
    assert contact_at_stripe(shop, ada) == ("ada@example.org", "Ada Lovelace")


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Grace", "Hopper", "Grace Hopper"), ("", "Hopper", "Hopper"), ("Ada", "", "Ada")],
)
def test_a_name_change_is_sent_to_stripe(
    shop: Shop, ada: SignedUpUser, first: str, last: str, name: str
) -> None:
    rename(ada, first, last)
    assert run_contact_jobs() == 1
    assert contact_at_stripe(shop, ada) == ("ada@example.org", name)
    assert count_due() == 0


def test_a_cleared_name_is_replaced_by_the_email(shop: Shop, ada: SignedUpUser) -> None:
    rename(ada, "", "")
    run_contact_jobs()
    assert contact_at_stripe(shop, ada)[1] == "ada@example.org"
    assert count_due() == 0


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_stripe_outage_delays_the_update(shop: Shop, ada: SignedUpUser, status: int) -> None:
    shop.weather.status = status
    rename(ada, "Grace", "Hopper")
    assert run_contact_jobs() == 1
    assert count_due() == 1
    shop.weather.status = 0
    with transaction() as session:
        assert customer_contact.enqueue_if_contacts_due(session) == 1
    assert run_contact_jobs() == 1
    assert contact_at_stripe(shop, ada)[1] == "Grace Hopper"
    assert count_due() == 0


def test_a_lost_response_is_retried(shop: Shop, ada: SignedUpUser) -> None:
    shop.weather.status, shop.weather.after = 500, True
    rename(ada, "Grace", "Hopper")
    run_contact_jobs()
    shop.weather.status = 0
    assert billing_contact.update_due_contacts() == 1
    assert contact_at_stripe(shop, ada)[1] == "Grace Hopper"


def test_without_redis_the_update_is_sent_later(shop: Shop, ada: SignedUpUser) -> None:
    with patch.object(queue, "rq_queue", side_effect=RedisError("away")):
        rename(ada, "Grace", "Hopper")
    assert run_contact_jobs() == 0
    assert count_due() == 1
    assert billing_contact.update_due_contacts() == 1
    assert contact_at_stripe(shop, ada)[1] == "Grace Hopper"


def test_customers_without_sent_contact_are_updated(shop: Shop, ada: SignedUpUser) -> None:
    """Customers from a release without `told_email` and `told_name`."""
    with transaction() as session:
        session.exec(update(BillingCustomer).values(told_email=None, told_name=None))
        session.exec(update(User).values(email="older@example.org"))
    assert billing_contact.update_due_contacts() == 1
    assert contact_at_stripe(shop, ada)[0] == "older@example.org"
    assert billing_contact.update_due_contacts() == 0


def test_users_without_a_customer_are_not_due(shop: Shop) -> None:
    rename(sign_up_user(), "Grace", "Hopper")
    assert (run_contact_jobs(), count_due()) == (0, 0)


def test_a_job_for_a_deleted_user_does_nothing(shop: Shop) -> None:
    billing_contact.update_contact("01a204c0-82ec-769a-8e34-995e038227bd")


def test_a_deleted_customer_does_not_block_other_updates(shop: Shop, ada: SignedUpUser) -> None:
    bob = sign_up_user("bob@example.org")
    shop.buy(bob.id)
    shop.stripe().customers.delete(shop.customer(ada.id).stripe_id)
    for person in (ada, bob):
        rename(person, "Grace", "Hopper")
    billing_contact.update_due_contacts()
    assert contact_at_stripe(shop, bob)[1] == "Grace Hopper"
    assert count_due() == 0


def test_a_company_name_of_the_portal_stays(shop: Shop, ada: SignedUpUser) -> None:
    rename(ada, "Grace", "Hopper")
    run_contact_jobs()
    fields: Any = {"name": "Hopper Systems GmbH"}
    shop.stripe().customers.update(shop.customer(ada.id).stripe_id, fields)
    rename(ada, "Grace", "Murray")
    change_email(ada, "new@example.org")
    run_contact_jobs()
    assert contact_at_stripe(shop, ada) == ("new@example.org", "Hopper Systems GmbH")
    assert count_due() == 0


def test_the_portal_changes_name_and_address_but_no_email(shop: Shop, ada: SignedUpUser) -> None:
    with transaction() as session:
        url = subscriptions.open_portal(session, ada.id)
    form = {"action": "details", "name": "Lovelace Ltd", "line1": "1 St James's Square"}
    form |= {"city": "London", "country": "GB", "email": "eve@example.org"}
    assert shop.browser.post(url, data=form).status_code == 303
    assert contact_at_stripe(shop, ada) == ("ada@example.org", "Lovelace Ltd")
    vat = {"action": "add-tax-id", "type": "gb_vat", "value": "GB123456789"}
    assert shop.browser.post(url, data=vat).status_code == 303
