"""End the billing of an account that is deleted, also where billing was turned off meanwhile."""

import uuid

import structlog
from sqlmodel import Session, col, delete, select

from sp404_app.models import BillingCustomer, MailLog, StripeEvent, Subscription
from sp404_app.models.billing import BILLABLE
from sp404_app.services.billing import stripe_client, subscriptions
from sp404_app.settings import settings

log = structlog.get_logger()


@stripe_client.allowed_without_billing
def end_billing(session: Session, user_id: uuid.UUID) -> None:
    """Cancel the user's subscriptions at Stripe, before the account is deleted.

    With `SP404_BILLING=off`, a subscription of earlier is cancelled if a Stripe key is set. The log
    says what became of each; one that is still alive has to be cancelled in Stripe's dashboard.

    Raises:
        AppError: If Stripe does not answer; then the account must not be deleted.
    """
    if settings().billing:
        subscriptions.end_all_billing(session, user_id)
        return
    alive = _list_billable(session, user_id)
    if settings().stripe_secret_key:  # a checkout may have been paid since the last event arrived
        subscriptions.end_all_billing(session, user_id)
    left = {row.stripe_id for row in _list_billable(session, user_id)}
    for row in alive:
        about = {"subscription": row.stripe_id, "stripe_mode": row.realm, "user_id": str(user_id)}
        if row.stripe_id in left:
            log.warning("subscription of a deleted account not cancelled: no key for it", **about)
        else:
            log.info("subscription of a deleted account cancelled at stripe", **about)


def _list_billable(session: Session, user_id: uuid.UUID) -> list[Subscription]:
    query = select(Subscription).where(
        Subscription.user_id == user_id, col(Subscription.status).in_(BILLABLE)
    )
    return list(session.exec(query.execution_options(populate_existing=True)))


def delete_billing_records(session: Session, user_id: uuid.UUID) -> None:
    """Delete what names a user without a foreign key: the log of e-mails, and events of Stripe.

    Call it before the user's row is deleted. Events that arrive later name nobody, and are deleted
    with all others of their age.
    """
    session.exec(delete(MailLog).where(col(MailLog.user_id) == user_id))
    customers = select(BillingCustomer.stripe_id).where(
        BillingCustomer.user_id == user_id, col(BillingCustomer.stripe_id).is_not(None)
    )
    session.exec(delete(StripeEvent).where(col(StripeEvent.customer_id).in_(customers)))
