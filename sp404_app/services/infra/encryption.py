"""Encryption at rest (AES-256-GCM) for values the app must read back: TOTP secrets, e-mail bodies.

The key is derived from the pepper, a secret file outside the database.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sp404_app.services.infra.peppers import peppers

NONCE_BYTES = 12


def pepper() -> bytes:
    """Return the server's secret, created on first use.

    Password hashes, token hashes and the encryption key all depend on it: a copy of the database
    without this file is useless.
    """
    return peppers()[0]


def encrypt(plaintext: bytes, context: bytes) -> bytes:
    """Encrypt a value, bound to its context, such as the id of the row it belongs to."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(pepper()).encrypt(nonce, plaintext, context)


def decrypt(ciphertext: bytes, context: bytes) -> bytes:
    """Decrypt what `encrypt` returned for the same context.

    Raises:
        InvalidTag: If the context is another one, or no pepper is the one it was encrypted with.
    """
    *others, last = peppers()
    for key in others:
        try:
            return _decrypt_with(key, ciphertext, context)
        except InvalidTag:
            continue
    return _decrypt_with(last, ciphertext, context)


def reencrypt(ciphertext: bytes, context: bytes) -> bytes:
    """Return a value encrypted with the present pepper; the same bytes if it is already.

    Raises:
        InvalidTag: As `decrypt`.
    """
    try:
        _decrypt_with(pepper(), ciphertext, context)
    except InvalidTag:
        return encrypt(decrypt(ciphertext, context), context)
    return ciphertext


def _decrypt_with(key: bytes, ciphertext: bytes, context: bytes) -> bytes:
    return _cipher(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], context)


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(hmac.new(key, b"sealed\0", hashlib.sha256).digest())
