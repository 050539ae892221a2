"""Transactional e-mail: `send_email_to_address` queues a message, `deliver_email` sends it.

The message is a row (`unsent_emails`) written in the caller's transaction; an RQ job
(`jobs/email.py`) delivers it by SMTP, or to the development outbox if no server is configured.
"""

import uuid
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from sqlmodel import Session

from sp404_app.models import User
from sp404_app.services.infra import dev_outbox, email_addresses, smtp, unsent_emails
from sp404_app.services.infra.email_templates import EmailContent, as_html, as_text
from sp404_app.services.infra.smtp import DeliveryFailure
from sp404_app.services.infra.unsent_emails import ClaimedEmail, EmailBody
from sp404_app.settings import settings

TOO_OLD = DeliveryFailure("It waited for more than a day.", permanent=True)
# Tried again: a worker on another machine may have the right pepper file.
UNREADABLE = DeliveryFailure("It cannot be decrypted with the pepper file of this machine.")


def send_email_to_address(session: Session, address: str, content: EmailContent) -> None:
    """Queue an e-mail; it is sent only if and after the transaction commits."""
    body = EmailBody(as_text(content), as_html(content))
    unsent_emails.add_email(session, address, content.subject, body)


def send_email_to_user(session: Session, user_id: uuid.UUID, content: EmailContent) -> None:
    """Queue an e-mail to a user's current address; do nothing if the account is gone."""
    user = session.get(User, user_id)
    if user is not None:
        send_email_to_address(session, user.email, content)


def deliver_email(claimed: ClaimedEmail) -> DeliveryFailure | None:
    """Make one attempt to send an e-mail; return why it failed, or None once it was accepted."""
    if claimed.is_too_old:
        return TOO_OLD
    try:
        message = build_message(claimed.id, claimed.recipient, claimed.subject, claimed.body())
    except InvalidTag:
        return UNREADABLE
    except ValueError:  # a header is invalid
        return smtp.UNSUPPORTED
    if settings().smtp_url:
        return smtp.send_by_smtp(settings().smtp_url, message)
    try:
        dev_outbox.save_to_outbox(message)
    except OSError:
        return dev_outbox.NOT_WRITTEN
    return None


def build_message(
    email_id: uuid.UUID, recipient: str, subject: str, body: EmailBody
) -> EmailMessage:
    """Return the MIME message; its Message-ID is the same in every attempt."""
    message = EmailMessage()
    message["From"] = email_addresses.sender(settings().mail_from)
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=False)
    host = email_addresses.ascii_host(urlsplit(settings().origin).hostname or "localhost")
    message["Message-ID"] = f"<{email_id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.text)
    message.add_alternative(body.html, subtype="html")
    return message
