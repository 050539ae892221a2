"""Jobs that send changed emails and names of customers to Stripe. Idempotent."""

import uuid

import structlog
from sqlalchemy.exc import OperationalError

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound
from sp404_app.services.billing import customer_contact
from sp404_app.settings import settings

log = structlog.get_logger()


def update_contact(user_id: str) -> None:
    """Update one customer; if that fails, or billing is off, the user stays due."""
    if not settings().billing:
        return
    try:
        with transaction() as session:
            customer_contact.update_stripe_contact(session, uuid.UUID(user_id))
    except NotFound:
        return  # the account was deleted in the meantime
    except (AppError, OperationalError) as error:
        log.warning("stripe contact not updated", user_id=user_id, error=type(error).__name__)


def update_due_contacts(_: str = "") -> int:
    """Update all due customers until Stripe fails; return how many were updated."""
    if not settings().billing:
        return 0
    with transaction() as session:
        due = customer_contact.find_users_due(session)
    updated = 0
    for user_id in due:
        try:
            with transaction() as session:
                updated += customer_contact.update_stripe_contact(session, user_id)
        except NotFound:
            continue
        except (AppError, OperationalError) as error:
            waiting = len(due) - updated
            log.warning("stripe contact not updated", waiting=waiting, error=type(error).__name__)
            break
    return updated


# The names in jobs that an earlier release enqueued.
tell, tell_all = update_contact, update_due_contacts
