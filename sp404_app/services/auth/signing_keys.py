"""RSA keys that sign access tokens: PEM files named by `kid` in a folder all hosts share."""

import re
import secrets
import threading
import time
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

BITS = 4096
SMALLEST = 2048
REREAD_AFTER = 10.0
UNKNOWN_AFTER = 1.0  # seconds: another process may sign with a key that it has just found
KID = re.compile(r"\d{14}-[0-9a-f]{8}")


log = structlog.get_logger()


class UnusableKeys(RuntimeError):
    """The keys on disk cannot be used; the message says which one and why."""


class Ring:
    """The keys in memory. A `kid` is only ever looked up here, never as a path."""

    def __init__(self) -> None:
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._folder: Path | None = None
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def keys(self, within: float | None = None) -> dict[str, rsa.RSAPrivateKey]:
        """Return the keys by `kid`, the oldest first.

        Args:
            within: How old, in seconds, what was read of the folder may be; 10 if not given, and
                less than 0 for whoever just changed it.

        A file that is not an RSA key of at least 2048 bits is left out; `ensure` refuses it.
        """
        folder = settings().secrets
        with self._lock:
            age = time.monotonic() - self._read_at
            if age > (REREAD_AFTER if within is None else within) or folder != self._folder:
                self._keys = _read(folder, self._keys if folder == self._folder else {})
                self._folder, self._read_at = folder, time.monotonic()
            return self._keys


_ring = Ring()
NOW = -1.0


def ensure(bits: int = BITS) -> str:
    """Make the first key unless there is one; return the `kid` that signs.

    Called when the product starts, so this is where each key is checked to the last number.

    Raises:
        UnusableKeys: If a key that is there is weak or broken.
    """
    for path in _paths(settings().secrets):
        _load(path, checked=True)
    keys = _ring.keys(NOW)
    return max(keys) if keys else rotate(bits)


def rotate(bits: int = BITS) -> str:
    """Add a key that signs from now on and return its `kid`; the older ones go on verifying."""
    _refuse_weak(bits, "a new key")
    folder = settings().secrets
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kid = f"{now():%Y%m%d%H%M%S}-{secrets.token_hex(4)}"
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_secret(folder / f"{kid}.pem", pem)
    _ring.keys(NOW)
    return kid


def retire(kid: str) -> None:
    """Remove a key, so that nothing it signed is believed any more.

    Raises:
        UnusableKeys: If there is no such key, or it is the one that signs.
    """
    keys = _ring.keys(NOW)
    if kid not in keys:
        raise UnusableKeys(f"There is no key {kid!r}.")
    if kid == max(keys):
        raise UnusableKeys("This key signs now. Rotate first, and retire it an hour later.")
    (settings().secrets / f"{kid}.pem").unlink()
    _ring.keys(NOW)


def signing() -> tuple[str, rsa.RSAPrivateKey]:
    """Return the newest key and its `kid`.

    Raises:
        UnusableKeys: If there is none; `ensure` makes one when the product starts.
    """
    keys = _ring.keys()
    if not keys:
        raise UnusableKeys("There is no signing key. Start the product with `make run`.")
    kid = max(keys)
    return kid, keys[kid]


def public(kid: object) -> rsa.RSAPublicKey | None:
    """Return the public half of a key, or None for what is not the name of one in memory."""
    if not isinstance(kid, str) or not KID.fullmatch(kid):
        return None
    key = _ring.keys().get(kid) or _ring.keys(UNKNOWN_AFTER).get(kid)
    return key.public_key() if key else None


def all_public() -> dict[str, rsa.RSAPublicKey]:
    """Return the public halves of all keys by `kid`, the oldest first."""
    return {kid: key.public_key() for kid, key in _ring.keys().items()}


def public_pem() -> str:
    """Return the public half of the key that signs, as PEM."""
    _, key = signing()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def _read(folder: Path, known: dict[str, rsa.RSAPrivateKey]) -> dict[str, rsa.RSAPrivateKey]:
    """Read what is new; a file that is half there, or just gone, must not close all doors."""
    found = {}
    for path in _paths(folder):
        try:
            found[path.stem] = known.get(path.stem) or _load(path)
        except (UnusableKeys, OSError):
            log.exception("a key cannot be used", file=path.name)
    return found


def _paths(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.pem") if KID.fullmatch(path.stem))


def _load(path: Path, *, checked: bool = False) -> rsa.RSAPrivateKey:
    """Read a key; to check that its numbers belong together takes a quarter of a second.

    No page must wait for that, and the folder is as trusted as our code.
    """
    try:
        key = load_pem_private_key(
            path.read_bytes(), password=None, unsafe_skip_rsa_key_validation=not checked
        )
    except ValueError as error:
        raise UnusableKeys(f"{path.name} is not a private key in PEM format.") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableKeys(f"{path.name} is not an RSA key.")
    _refuse_weak(key.key_size, path.name)
    return key


def _refuse_weak(bits: int, name: str) -> None:
    if bits < SMALLEST:
        raise UnusableKeys(f"{name} has {bits} bits; RSA keys need at least {SMALLEST}.")
