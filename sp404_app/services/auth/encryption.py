"""Encrypt small secrets such as TOTP keys with AES-GCM, bound to their owner."""

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sp404_app.services.auth import passwords

NONCE_BYTES = 12


def encrypt(secret: bytes, owner: bytes) -> bytes:
    """Encrypt a secret; the key derives from the pepper, which is not in the database."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, secret, owner)


def decrypt(sealed: bytes, owner: bytes) -> bytes:
    """Decrypt a secret that was encrypted for this owner.

    Raises:
        InvalidTag: If it was encrypted for another owner or with another pepper.
    """
    return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner)


def _cipher() -> AESGCM:
    return AESGCM(hmac.new(passwords.pepper(), b"sealed\0", hashlib.sha256).digest())
