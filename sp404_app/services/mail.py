"""Sending mail: by SMTP, or into the development outbox; after the commit, never in its way."""

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
from sqlmodel import Session

from sp404_app.db import after_commit
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.keys import write_secret
from sp404_app.services.letters import Letter, as_html, as_text
from sp404_app.settings import settings

PAUSES = (1.0, 5.0, 20.0)
PATIENCE = 20.0
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


def to_address(session: Session, address: str, letter: Letter) -> None:
    """Send a letter once the transaction is committed; returns at once."""
    after_commit(session, lambda: _start(_message(address, letter)))


def to_user(session: Session, user_id: uuid.UUID, letter: Letter) -> None:
    """Send a letter to a person's present address once the transaction is committed."""
    user = session.get(User, user_id)
    if user is not None:
        to_address(session, user.email, letter)


def flush(seconds: float = 10.0) -> bool:
    """Wait until everything handed over is sent; say whether it is. For tests and commands."""
    return not wait(set(_sender().pending), seconds).not_done


def _start(message: EmailMessage) -> None:
    sender = _sender()
    future = sender.threads.submit(_deliver, message)
    sender.pending.add(future)
    future.add_done_callback(sender.pending.discard)


def _message(address: str, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings().mail_from
    message["To"] = address
    message["Subject"] = letter.subject
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=urlsplit(settings().origin).hostname)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(as_text(letter))
    message.add_alternative(as_html(letter), subtype="html")
    return message


def _deliver(message: EmailMessage) -> None:
    for pause in (*PAUSES, None):
        try:
            _send(message)
        except (OSError, smtplib.SMTPException) as error:
            log.warning("mail not sent", subject=message["Subject"], error=type(error).__name__)
            if pause is None:
                log.error("mail given up", subject=message["Subject"])  # noqa: TRY400 - no body
                return
            time.sleep(pause)
        else:
            log.info("mail sent", subject=message["Subject"])
            return


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
