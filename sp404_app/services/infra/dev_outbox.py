"""The development outbox: mails as files, for a machine that sends none."""

import email
import email.policy
import re
from dataclasses import dataclass
from pathlib import Path

from sp404_app.errors import NotFound
from sp404_app.settings import settings

NEWEST = 50
LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class OutboxMail:
    """One mail as a developer reads it."""

    id: str
    recipient: str
    subject: str
    at: str
    text: str
    link: str


def newest() -> list[OutboxMail]:
    """Return the newest mails, the latest first.

    Raises:
        NotFound: In production, where mails go to people and to nobody else.
    """
    if settings().in_production:
        raise NotFound("There is nothing at this address.")
    paths = sorted(settings().outbox.glob("*.eml"), reverse=True)[:NEWEST]
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
