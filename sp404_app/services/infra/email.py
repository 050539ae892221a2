"""Sending mail: by SMTP, or into the development outbox; after the commit, never in its way.

`unsent_mails` knows of every mail until it is sent, so none is lost without somebody seeing it.
"""

import secrets
import smtplib
import ssl
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from sp404_app.db import after_commit, transaction
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.infra import email_addresses, unsent_emails
from sp404_app.services.infra.email_templates import EmailContent, as_html, as_text
from sp404_app.services.infra.secret_files import write_secret
from sp404_app.settings import settings

PAUSES = (1.0, 5.0, 20.0)
PATIENCE = 20.0
PERMANENT = 500  # from here on, a mail server says that it will never take this mail
NEAR = ("localhost", "127.0.0.1", "::1")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sender:
    """Two threads that send, and what they have not sent yet."""

    threads: ThreadPoolExecutor
    pending: set[Future[None]]


@lru_cache
def _sender() -> Sender:
    return Sender(ThreadPoolExecutor(2, "mail"), set())


def send_to_address(session: Session, address: str, letter: EmailContent) -> None:
    """Send a letter once the transaction is committed; returns at once."""
    mail_id = unsent_emails.note(session, address, letter.subject)
    after_commit(session, lambda: _start(mail_id, address, letter))


def send_to_user(session: Session, user_id: uuid.UUID, letter: EmailContent) -> None:
    """Send a letter to a person's present address once the transaction is committed."""
    user = session.get(User, user_id)
    if user is not None:
        send_to_address(session, user.email, letter)


def flush(seconds: float = 40.0) -> bool:
    """Wait until everything handed over is sent, in all attempts; return whether it is.

    For processes that end with their job, whose threads would end in the middle of a mail.
    """
    return not wait(set(_sender().pending), seconds).not_done


def _start(mail_id: uuid.UUID, address: str, letter: EmailContent) -> None:
    sender = _sender()
    future = sender.threads.submit(_deliver, mail_id, address, letter)
    sender.pending.add(future)
    future.add_done_callback(sender.pending.discard)


def _message(address: str, letter: EmailContent) -> EmailMessage:
    message = EmailMessage()
    message["From"] = email_addresses.sender(settings().mail_from)
    message["To"] = address
    message["Subject"] = letter.subject
    message["Date"] = formatdate(localtime=False)
    host = urlsplit(settings().origin).hostname or "localhost"
    message["Message-ID"] = make_msgid(domain=email_addresses.ascii_host(host))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(as_text(letter))
    message.add_alternative(as_html(letter), subtype="html")
    return message


def _deliver(mail_id: uuid.UUID, address: str, letter: EmailContent) -> None:
    problem = _try(address, letter)
    if problem:
        log.error("mail given up", subject=letter.subject, reason=problem)
    else:
        log.info("mail sent", subject=letter.subject)
    try:
        with transaction() as session:
            if problem:
                unsent_emails.is_refused(session, mail_id, problem)
            else:
                unsent_emails.is_sent(session, mail_id)
    except SQLAlchemyError as error:  # the row stays, as of a mail that may not have been sent
        log.warning("mail not noted", subject=letter.subject, error=type(error).__name__)


def _try(address: str, letter: EmailContent) -> str:
    """Send a mail, in several attempts; return why it could not be sent, or nothing."""
    for pause in (*PAUSES, None):
        try:
            _send(_message(address, letter))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            log.warning("mail not sent", subject=letter.subject, error=type(error).__name__)
            if pause is None or _is_final(error):
                return _reason(error)
            time.sleep(pause)
        else:
            return ""
    return ""


def _is_final(error: Exception) -> bool:
    """Return whether no later attempt can go better."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _code(error) >= PERMANENT
    return isinstance(error, (smtplib.SMTPNotSupportedError, ValueError))


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"The mail server refused this address ({_code(error)})."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server refused the mail ({error.smtp_code})."
    if isinstance(error, (smtplib.SMTPNotSupportedError, ValueError)):
        return "The mail server does not support what this mail needs."
    return "The mail server did not answer."


def _code(error: smtplib.SMTPRecipientsRefused) -> int:
    return max((code for code, _ in error.recipients.values()), default=0)


def _send(message: EmailMessage) -> None:
    if settings().smtp_url:
        _by_smtp(urlsplit(settings().smtp_url), message)
    else:
        _to_outbox(message)


def _to_outbox(message: EmailMessage) -> None:
    folder = settings().outbox
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{now():%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.eml"
    write_secret(folder / name, message.as_bytes())


def _by_smtp(server: SplitResult, message: EmailMessage) -> None:
    """Send by `smtp://user:password@host:port` (STARTTLS when offered) or `smtps://…`."""
    host, tls = server.hostname or "localhost", ssl.create_default_context()
    if server.scheme == "smtps":
        connection = smtplib.SMTP_SSL(host, server.port or 465, timeout=PATIENCE, context=tls)
    else:
        connection = smtplib.SMTP(host, server.port or 25, timeout=PATIENCE)
    with connection as smtp:
        smtp.ehlo()
        if server.scheme != "smtps" and smtp.has_extn("starttls"):
            smtp.starttls(context=tls)
            smtp.ehlo()
        elif server.scheme != "smtps" and server.username and host not in NEAR:
            raise smtplib.SMTPNotSupportedError("no STARTTLS: the password stays here")
        if server.username:
            smtp.login(unquote(server.username), unquote(server.password or ""))
        smtp.send_message(message)
