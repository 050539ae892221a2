"""Telling Stripe the addresses and names of its customers. Safe to run twice."""

import uuid

import structlog
from sqlalchemy.exc import OperationalError

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound
from sp404_app.services.billing import customer_contact

log = structlog.get_logger()


def tell(user_id: str) -> None:
    """Tell Stripe about one person; who cannot be told now stays due."""
    try:
        with transaction() as session:
            customer_contact.tell(session, uuid.UUID(user_id))
    except NotFound:
        return  # the account was deleted meanwhile
    except (AppError, OperationalError) as error:
        log.warning("stripe not told", user_id=user_id, error=type(error).__name__)


def tell_all(_: str = "") -> int:
    """Tell Stripe about everybody who is due, until it does not answer; return how many."""
    with transaction() as session:
        due = customer_contact.due(session)
    told = 0
    for user_id in due:
        try:
            with transaction() as session:
                told += customer_contact.tell(session, user_id)
        except NotFound:
            continue
        except (AppError, OperationalError) as error:
            log.warning("stripe not told", waiting=len(due) - told, error=type(error).__name__)
            break
    return told
