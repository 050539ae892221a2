"""One free trial for each person, for life: by account, by address, by card."""

import hashlib
import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.models import BillingCustomer, Subscription, TrialClaim, User
from sp404_app.services.billing import entitlements, notifications, stripe_client, stripe_parsing
from sp404_app.services.billing.stripe_client import stripe_errors
from sp404_app.services.billing.stripe_snapshot import StripeSnapshot

# Test cards belong to everybody, so there a card says nothing about a person.
SHARED_CARDS = frozenset({"emulator", "test"})


def eligible(session: Session, user_id: uuid.UUID) -> bool:
    """Say whether a person may still have a trial, as far as we can know before we see a card."""
    keys = _keys_of(session.get_one(User, user_id))
    taken = select(TrialClaim.key).where(
        col(TrialClaim.key).in_(keys), TrialClaim.realm == stripe_client.stripe_mode()
    )
    return session.exec(taken).first() is None


def settle(session: Session, customer: BillingCustomer, truth: StripeSnapshot) -> None:
    """Note whose trial runs now; one on a card that had one before ends at once, uncharged."""
    row = entitlements.current_subscription(session, customer.user_id)
    if row is None or row.trial_end is None:
        return
    user = session.get_one(User, customer.user_id)
    cards = [] if customer.realm in SHARED_CARDS else stripe_parsing.fingerprints(truth.methods)
    keys = [*_keys_of(user), *(_digest("card", card) for card in cards)]
    if _claim(session, customer, keys, row.stripe_id) or row.status != "trialing":
        return
    _refuse(session, customer, row)


def normalised(email: str) -> str:
    """Return the mailbox an address leads to: dots and what follows a plus are decoration."""
    name, _, domain = email.lower().rpartition("@")
    name = name.partition("+")[0] or name
    if domain in {"gmail.com", "googlemail.com"}:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def _claim(session: Session, customer: BillingCustomer, keys: list[str], subscription: str) -> bool:
    """Take all of these for a subscription; say whether none belongs to another one."""
    rows: list[dict[str, Any]] = [
        {"key": key, "realm": customer.realm, "subscription_id": subscription} for key in keys
    ]
    # In one order, so that two people with one card never wait for each other in a circle.
    rows.sort(key=lambda row: row["key"])
    session.execute(insert(TrialClaim).values(rows).on_conflict_do_nothing())
    others = select(TrialClaim.key).where(
        col(TrialClaim.key).in_(keys),
        TrialClaim.realm == customer.realm,
        TrialClaim.subscription_id != subscription,
    )
    return session.exec(others).first() is None


def _refuse(session: Session, customer: BillingCustomer, row: Subscription) -> None:
    with stripe_errors():
        stripe_client.client().v1.subscriptions.cancel(row.stripe_id)
    row.status, row.ended_at = "canceled", entitlements.customer_now(customer)
    session.add(row)
    session.flush()
    notifications.trial_refused(session, customer.user_id, row.stripe_id)


def _keys_of(user: User) -> list[str]:
    return [_digest("user", str(user.id)), _digest("email", normalised(user.email))]


def _digest(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()
