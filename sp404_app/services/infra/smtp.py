"""Send one message by SMTP, and distinguish temporary from permanent failures."""

import math
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from redis.exceptions import RedisError

from sp404_app.services.infra.events import connection

CONNECT_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 20.0
PERMANENT_CODE = 500  # SMTP 5xx: the server will never accept this message (RFC 5321, 4.2.1)
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
PAUSE_KEY = "sp404:smtp:paused"
# After a failed connection all workers pause for three times as long as the attempt took, so that
# a mail server that does not respond takes at most a quarter of a worker's time.
PAUSE_FACTOR = 3


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """Why a message was not accepted; a permanent failure is not tried again."""

    reason: str
    permanent: bool = False


NO_ANSWER = DeliveryFailure("The mail server did not answer.")
UNSUPPORTED = DeliveryFailure(
    "The mail server does not support what this mail needs.", permanent=True
)


def send_by_smtp(url: str, message: EmailMessage) -> DeliveryFailure | None:
    """Send a message; return why it failed, or None once the server has accepted it.

    Args:
        url: `smtp://user:password@host:port` (STARTTLS if offered) or `smtps://…` (TLS).
        message: The message with all its headers.
    """
    if _is_paused():
        return NO_ANSWER
    started = time.monotonic()
    try:
        _send(urlsplit(url), message)
    except (smtplib.SMTPNotSupportedError, ValueError):  # ValueError: a header or body not ASCII
        return UNSUPPORTED
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=0)
        reason = f"The mail server refused this address ({code})."
        return DeliveryFailure(reason, permanent=code >= PERMANENT_CODE)
    except smtplib.SMTPResponseException as error:
        return DeliveryFailure(f"The mail server refused the mail ({error.smtp_code}).")
    except OSError:  # includes all other errors of smtplib
        _pause(time.monotonic() - started)
        return NO_ANSWER
    return None


def _is_paused() -> bool:
    with suppress(RedisError):
        return bool(connection().exists(PAUSE_KEY))
    return False


def _pause(attempt_s: float) -> None:
    with suppress(RedisError):
        connection().set(PAUSE_KEY, "1", ex=max(1, math.ceil(PAUSE_FACTOR * attempt_s)))


def _send(server: SplitResult, message: EmailMessage) -> None:
    with connect(server, CONNECT_TIMEOUT_S, COMMAND_TIMEOUT_S) as smtp:
        smtp.send_message(message)


@contextmanager
def connect(
    server: SplitResult, connect_timeout_s: float, command_timeout_s: float | None = None
) -> Iterator[smtplib.SMTP]:
    """Open a session with the server, with TLS and a sign-in if they are possible and needed.

    Raises:
        SMTPNotSupportedError: If the server offers no TLS to send the password through.
        OSError: If it does not answer, or refuses the password.
    """
    host, tls = server.hostname or "localhost", ssl.create_default_context()
    if server.scheme == "smtps":
        smtp = smtplib.SMTP_SSL(host, server.port or 465, timeout=connect_timeout_s, context=tls)
    else:
        smtp = smtplib.SMTP(host, server.port or 25, timeout=connect_timeout_s)
    with smtp:
        if smtp.sock:
            smtp.sock.settimeout(command_timeout_s or connect_timeout_s)
        smtp.ehlo()
        if server.scheme != "smtps" and smtp.has_extn("starttls"):
            smtp.starttls(context=tls)
            smtp.ehlo()
        elif server.scheme != "smtps" and server.username and host not in LOOPBACK_HOSTS:
            raise smtplib.SMTPNotSupportedError("no STARTTLS: the password is not sent")
        if server.username:
            smtp.login(unquote(server.username), unquote(server.password or ""))
        yield smtp
