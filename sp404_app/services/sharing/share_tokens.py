"""Tokens of public links, and the tickets that a right password earns."""

import hashlib
import hmac
import re
import secrets
import time
import uuid
from typing import Final

from cryptography.exceptions import InvalidTag
from sqlmodel import Session, select

from sp404_app.models import Share
from sp404_app.services.infra import encryption
from sp404_app.services.infra.peppers import peppers

TOKEN_BYTES: Final = 24  # 192 random bits, 32 characters
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{32}")
TICKET_LIFETIME_S: Final = 12 * 3600
COOKIE_PREFIX: Final = "sp404_share_"


def new_token() -> str:
    """Return a random URL-safe token."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Return the hash by which a link is found; the token is too random to need a salt."""
    return hashlib.sha256(token.encode()).digest()


def encrypt_token(token: str, share_id: uuid.UUID) -> bytes:
    """Encrypt a token for the row of its link."""
    return encryption.encrypt(token.encode(), _context(share_id))


def decrypt_token(share: Share) -> str:
    """Return the token of a link.

    Raises:
        InvalidTag: If the server's secret is another one.
    """
    return encryption.decrypt(share.token_encrypted, _context(share.id)).decode()


def reencrypt_tokens(session: Session) -> int:
    """Encrypt all tokens with the present pepper; return how many no pepper can decrypt."""
    lost = 0
    for share in session.exec(select(Share).with_for_update()):
        try:
            share.token_encrypted = encryption.reencrypt(share.token_encrypted, _context(share.id))
        except InvalidTag:
            lost += 1
    return lost


def cookie_name(share_id: uuid.UUID) -> str:
    """Return the name of the cookie that holds the ticket for a link with a password."""
    return f"{COOKIE_PREFIX}{share_id.hex}"


def make_ticket(share: Share) -> str:
    """Return a ticket for a link, which ends after 12 hours or with a change of the password."""
    return _signed(share, int(time.time()) + TICKET_LIFETIME_S, peppers()[0])


def is_valid_ticket(share: Share, ticket: str) -> bool:
    """Return whether a ticket was made for this link and its present password, and is not over."""
    ends = ticket.partition(".")[0]
    if not ends.isascii() or not ends.isdigit() or len(ends) > 12 or int(ends) < time.time():
        return False
    return any(
        hmac.compare_digest(_signed(share, int(ends), key).encode(), ticket.encode())
        for key in peppers()
    )


def _signed(share: Share, ends: int, key: bytes) -> str:
    text = f"share\0{share.id}\0{share.password_hash}\0{ends}"
    digest = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"{ends}.{digest}"


def _context(share_id: uuid.UUID) -> bytes:
    return b"share " + share_id.bytes
