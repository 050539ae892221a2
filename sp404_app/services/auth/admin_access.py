"""Access of operators: users named in the settings, with a recent re-authentication."""

import uuid
from contextlib import suppress

from sqlmodel import Session

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import User
from sp404_app.services.auth import reauthentication
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.infra import email_addresses, unsent_emails
from sp404_app.services.infra.unsent_emails import UnsentEmail
from sp404_app.settings import settings


def ensure_operator(session: Session, user_id: uuid.UUID) -> None:
    """Check that the settings name this user as an operator, by a verified email.

    The demo account is never an operator: its password is public.

    Raises:
        NotFound: If the user is no operator: the operator pages do not exist for others.
    """
    user = session.get(User, user_id)
    eligible = user is not None and user.email_verified_at is not None and not user.is_demo
    if not eligible or user is None or user.email.lower() not in _operator_emails():
        raise NotFound("Page not found.")


def list_unsent_emails(session: Session, who: SignedIn) -> list[UnsentEmail]:
    """List the mails that could not be sent, newest first.

    Raises:
        NotFound: If the user is no operator.
        ReauthenticationRequired: If the session has not re-authenticated recently.
    """
    ensure_reauthenticated_operator(session, who)
    return unsent_emails.list_unsent_emails(session)


def ensure_reauthenticated_operator(session: Session, who: SignedIn) -> None:
    """Check that the user is an operator and has re-authenticated recently.

    Raises:
        NotFound: If the user is no operator.
        ReauthenticationRequired: If the session has not re-authenticated recently.
    """
    ensure_operator(session, who.user_id)
    reauthentication.ensure_reauthenticated(session, who)


def _operator_emails() -> set[str]:
    """Return the operators' emails in canonical form, as accounts store them."""
    found = set()
    for address in settings().operators:
        with suppress(ValidationFailed):  # not an email, so no account has it
            found.add(email_addresses.canonical_address(address))
    return found
