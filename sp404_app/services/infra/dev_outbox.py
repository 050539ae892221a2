"""Development outbox: without `SP404_SMTP_URL`, e-mails become files that `/dev/outbox` shows."""

import email
import email.policy
import re
import secrets
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from sp404_app.errors import NotFound
from sp404_app.models.columns import now
from sp404_app.services.infra.secret_files import write_secret
from sp404_app.services.infra.smtp import DeliveryFailure
from sp404_app.settings import settings

SHOWN_MAX = 50
LINK = re.compile(r"https?://\S+")
NOT_WRITTEN = DeliveryFailure("The outbox could not be written.")


@dataclass(frozen=True, slots=True)
class OutboxMail:
    """One e-mail as `/dev/outbox` shows it."""

    id: str
    recipient: str
    subject: str
    at: str
    text: str
    link: str


def save_to_outbox(message: EmailMessage) -> None:
    """Write an e-mail to a file that only the owner may read; its name sorts by time.

    Raises:
        OSError: If it cannot be written.
    """
    folder = settings().outbox
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{now():%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.eml"
    write_secret(folder / name, message.as_bytes())


def list_outbox() -> list[OutboxMail]:
    """Return the newest e-mails, latest first.

    Raises:
        NotFound: In production.
    """
    if settings().in_production:
        raise NotFound("Page not found.")
    paths = sorted(settings().outbox.glob("*.eml"), reverse=True)[:SHOWN_MAX]
    return [_read(path) for path in paths]


def _read(path: Path) -> OutboxMail:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    link = LINK.search(text)
    return OutboxMail(
        id=path.stem,
        recipient=str(message["To"]),
        subject=str(message["Subject"]),
        at=str(message["Date"]),
        text=text,
        link=link[0] if link else "",
    )
