"""One free trial per user, ever: recognised by account, email address and card."""

import hashlib
import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.models import BillingCustomer, Subscription, TrialClaim, User
from sp404_app.services.billing import entitlements, notifications, stripe_client, stripe_parsing
from sp404_app.services.billing.stripe_client import stripe_errors
from sp404_app.services.billing.stripe_snapshot import StripeSnapshot

# All users pay with the same test cards in these modes, so a card does not identify a user.
TEST_CARD_MODES = frozenset({"emulator", "test"})


def is_trial_eligible(session: Session, user_id: uuid.UUID) -> bool:
    """Return whether neither the account nor its email had a trial; the card is not known yet."""
    keys = _user_keys(session.get_one(User, user_id))
    claimed = select(TrialClaim.key).where(
        col(TrialClaim.key).in_(keys), TrialClaim.realm == stripe_client.stripe_mode()
    )
    return session.exec(claimed).first() is None


def enforce_one_trial(
    session: Session, customer: BillingCustomer, snapshot: StripeSnapshot
) -> None:
    """Record a running trial; cancel it, uncharged, if its user, email or card had one before."""
    row = entitlements.find_current_subscription(session, customer.user_id)
    if row is None or row.trial_end is None:
        return
    user = session.get_one(User, customer.user_id)
    cards: list[str] = []
    if customer.realm not in TEST_CARD_MODES:
        cards = stripe_parsing.card_fingerprints(snapshot.payment_methods)
    keys = [*_user_keys(user), *(_digest("card", card) for card in cards)]
    if _claim_trial(session, customer, keys, row.stripe_id) or row.status != "trialing":
        return
    _end_repeated_trial(session, customer, row)


def normalise_email(email: str) -> str:
    """Return an email address without a plus suffix and, for Gmail, without dots."""
    name, _, domain = email.lower().rpartition("@")
    name = name.partition("+")[0] or name
    if domain in {"gmail.com", "googlemail.com"}:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def _claim_trial(
    session: Session, customer: BillingCustomer, keys: list[str], subscription_id: str
) -> bool:
    """Insert the claims of a trial; return whether none belongs to another subscription."""
    rows: list[dict[str, Any]] = [
        {"key": key, "realm": customer.realm, "subscription_id": subscription_id} for key in keys
    ]
    # Sorted, so that concurrent claims that share a card cannot deadlock.
    rows.sort(key=lambda row: row["key"])
    session.execute(insert(TrialClaim).values(rows).on_conflict_do_nothing())
    others = select(TrialClaim.key).where(
        col(TrialClaim.key).in_(keys),
        TrialClaim.realm == customer.realm,
        TrialClaim.subscription_id != subscription_id,
    )
    return session.exec(others).first() is None


def _end_repeated_trial(session: Session, customer: BillingCustomer, row: Subscription) -> None:
    with stripe_errors():
        stripe_client.client().v1.subscriptions.cancel(row.stripe_id)
    row.status, row.ended_at = "canceled", entitlements.customer_now(customer)
    session.add(row)
    session.flush()
    notifications.notify_trial_refused(session, customer.user_id, row.stripe_id)


def _user_keys(user: User) -> list[str]:
    return [_digest("user", str(user.id)), _digest("email", normalise_email(user.email))]


def _digest(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()
