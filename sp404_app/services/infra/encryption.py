"""Encryption at rest (AES-256-GCM) for values the app must read back: TOTP secrets, e-mail bodies.

The key is derived from the pepper, a secret file outside the database.
"""

import hashlib
import hmac
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sp404_app.services.infra.secret_files import write_secret
from sp404_app.settings import settings

NONCE_BYTES = 12
PEPPER_BYTES = 32


def pepper() -> bytes:
    """Return the server's secret, created on first use.

    Password hashes, token hashes and the encryption key all depend on it: a copy of the database
    without this file is useless.
    """
    return _read_pepper(settings().secrets)


@lru_cache
def _read_pepper(folder: Path) -> bytes:
    path = folder / "pepper"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_secret(path, secrets.token_bytes(PEPPER_BYTES))  # the first process to write wins
    return path.read_bytes()


def encrypt(plaintext: bytes, context: bytes) -> bytes:
    """Encrypt a value, bound to its context, such as the id of the row it belongs to."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, plaintext, context)


def decrypt(ciphertext: bytes, context: bytes) -> bytes:
    """Decrypt what `encrypt` returned for the same context.

    Raises:
        InvalidTag: If the context or the server's secret is another one.
    """
    return _cipher().decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], context)


def _cipher() -> AESGCM:
    return AESGCM(hmac.new(pepper(), b"sealed\0", hashlib.sha256).digest())
