"""Small secrets we must be able to read again: sealed with the server's own, for one owner."""

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sp404_app.services.auth import passwords

NONCE = 12


def encrypt(secret: bytes, owner: bytes) -> bytes:
    """Encrypt a secret; a copy of the database alone tells nothing of it."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + _cipher().encrypt(nonce, secret, owner)


def decrypt(sealed: bytes, owner: bytes) -> bytes:
    """Return what was sealed for this owner.

    Raises:
        InvalidTag: If it was sealed for somebody else, or with another server's secret.
    """
    return _cipher().decrypt(sealed[:NONCE], sealed[NONCE:], owner)


def _cipher() -> AESGCM:
    return AESGCM(hmac.new(passwords.pepper(), b"sealed\0", hashlib.sha256).digest())
