"""Who runs this installation: people the settings name, who proved a moment ago that it is them."""

import uuid
from contextlib import suppress

from sqlmodel import Session

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import User
from sp404_app.services.auth import reauthentication
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.infra import email_addresses, unsent_emails
from sp404_app.services.infra.unsent_emails import Unsent
from sp404_app.settings import settings


def ensure_named(session: Session, user_id: uuid.UUID) -> None:
    """Check that the settings name a person, by an address that they confirmed.

    The demo account, whose password everybody knows, is never one of them.

    Raises:
        NotFound: If not: for everybody else there is nothing here.
    """
    user = session.get(User, user_id)
    known = user is not None and user.email_verified_at is not None and not user.is_demo
    if not known or user is None or user.email.lower() not in _named():
        raise NotFound("There is nothing at this address.")


def mails_not_sent(session: Session, who: SignedIn) -> list[Unsent]:
    """List the mails that did not leave, the newest first.

    Raises:
        NotFound: If it is nobody the settings name.
        ReauthenticationRequired: If the password was not proved lately.
    """
    ensure(session, who)
    return unsent_emails.newest(session)


def ensure(session: Session, who: SignedIn) -> None:
    """Check that an operator asks, and that they proved their password a short while ago.

    Raises:
        NotFound: If it is nobody the settings name.
        ReauthenticationRequired: If the password was not proved lately.
    """
    ensure_named(session, who.user_id)
    reauthentication.ensure_fresh(session, who)


def _named() -> set[str]:
    """Return the addresses of operators in the form in which accounts keep theirs."""
    found = set()
    for address in settings().operators:
        with suppress(ValidationFailed):  # it names nobody
            found.add(email_addresses.canonical(address))
    return found
