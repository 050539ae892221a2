"""RSA keys that sign access tokens: PEM files named by `kid`, shared by all hosts; rotation."""

import fcntl
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sp404_app.models.columns import now
from sp404_app.services.infra.secret_files import write_secret
from sp404_app.settings import settings

KEY_BITS = 4096
MIN_KEY_BITS = 2048
REREAD_AFTER_S = 10.0
REREAD_FOR_UNKNOWN_S = 1.0  # for an unknown `kid`: another process may have added the key
KID_PATTERN = re.compile(r"\d{14}-[0-9a-f]{8}")


log = structlog.get_logger()


class UnusableKeys(RuntimeError):
    """A key on disk cannot be used; the message says which and why."""


class KeyRing:
    """The keys in memory. A `kid` is only looked up here, never used as a path."""

    def __init__(self) -> None:
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._folder: Path | None = None
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def keys(self, within: float | None = None) -> dict[str, rsa.RSAPrivateKey]:
        """Return the keys by `kid`, oldest first.

        A file that is not an RSA key of at least 2048 bits is skipped; startup refuses it.

        Args:
            within: Maximum age of the last read of the folder in seconds: 10 by default, negative
                to read it now.
        """
        folder = settings().secrets
        with self._lock:
            age = time.monotonic() - self._read_at
            if age > (REREAD_AFTER_S if within is None else within) or folder != self._folder:
                self._keys = _read_keys(folder, self._keys if folder == self._folder else {})
                self._folder, self._read_at = folder, time.monotonic()
            return self._keys


_key_ring = KeyRing()
REREAD_NOW = -1.0


def ensure_signing_key(bits: int = KEY_BITS) -> str:
    """Create the first key if there is none; return the `kid` that signs.

    Called at startup, and the only place where keys are validated in full.

    Raises:
        UnusableKeys: If a key is weak or broken.
    """
    folder = settings().secrets
    for path in _key_files(folder):
        _load_key(path, checked=True)
    if keys := _key_ring.keys(REREAD_NOW):
        return max(keys)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(folder):  # another process may start for the first time, too
        keys = _key_ring.keys(REREAD_NOW)
        return max(keys) if keys else rotate_signing_key(bits)


def rotate_signing_key(bits: int = KEY_BITS) -> str:
    """Add a key that signs from now on and return its `kid`; older keys still verify."""
    _ensure_strong(bits, "a new key")
    folder = settings().secrets
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kid = f"{now():%Y%m%d%H%M%S}-{secrets.token_hex(4)}"
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_secret(folder / f"{kid}.pem", pem)
    _key_ring.keys(REREAD_NOW)
    return kid


def retire_signing_key(kid: str) -> None:
    """Delete a key: tokens that it signed are no longer accepted.

    Raises:
        UnusableKeys: If there is no such key, or it is the one that signs.
    """
    keys = _key_ring.keys(REREAD_NOW)
    if kid not in keys:
        raise UnusableKeys(f"There is no key {kid!r}.")
    if kid == max(keys):
        raise UnusableKeys("This key signs now. Rotate first, and retire it an hour later.")
    (settings().secrets / f"{kid}.pem").unlink()
    _key_ring.keys(REREAD_NOW)


def current_signing_key() -> tuple[str, rsa.RSAPrivateKey]:
    """Return the newest key and its `kid`.

    Raises:
        UnusableKeys: If there is none; the first start creates one.
    """
    keys = _key_ring.keys()
    if not keys:
        raise UnusableKeys("There is no signing key. Start the product with `make run`.")
    kid = max(keys)
    return kid, keys[kid]


def find_public_key(kid: object) -> rsa.RSAPublicKey | None:
    """Return the public key of a `kid`, or None if there is no such key."""
    if not isinstance(kid, str) or not KID_PATTERN.fullmatch(kid):
        return None
    key = _key_ring.keys().get(kid) or _key_ring.keys(REREAD_FOR_UNKNOWN_S).get(kid)
    return key.public_key() if key else None


def list_public_keys() -> dict[str, rsa.RSAPublicKey]:
    """Return all public keys by `kid`, oldest first."""
    return {kid: key.public_key() for kid, key in _key_ring.keys().items()}


def signing_public_key_pem() -> str:
    """Return the public key of the signing key, as PEM."""
    _, key = current_signing_key()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def _read_keys(folder: Path, known: dict[str, rsa.RSAPrivateKey]) -> dict[str, rsa.RSAPrivateKey]:
    """Load new key files; log and skip one that is incomplete or was just deleted."""
    found = {}
    for path in _key_files(folder):
        try:
            found[path.stem] = known.get(path.stem) or _load_key(path)
        except (UnusableKeys, OSError):
            log.exception("signing key cannot be used", file=path.name)
    return found


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which ends with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _key_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.pem") if KID_PATTERN.fullmatch(path.stem))


def _load_key(path: Path, *, checked: bool = False) -> rsa.RSAPrivateKey:
    """Load a key; `checked` also validates its numbers, which takes a quarter of a second.

    Requests skip the validation, because the folder is as trusted as the code.
    """
    try:
        key = load_pem_private_key(
            path.read_bytes(), password=None, unsafe_skip_rsa_key_validation=not checked
        )
    except ValueError as error:
        raise UnusableKeys(f"{path.name} is not a private key in PEM format.") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableKeys(f"{path.name} is not an RSA key.")
    _ensure_strong(key.key_size, path.name)
    return key


def _ensure_strong(bits: int, name: str) -> None:
    if bits < MIN_KEY_BITS:
        raise UnusableKeys(f"{name} has {bits} bits; RSA keys need at least {MIN_KEY_BITS}.")
