"""Password rules, and bcrypt hashing in a small thread pool that keeps the event loop free."""

import asyncio
import base64
import hashlib
import hmac
import os
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

import bcrypt

from sp404_app.errors import Unavailable, ValidationFailed
from sp404_app.services.infra.encryption import pepper
from sp404_app.services.infra.peppers import peppers

R = TypeVar("R")

MIN_LENGTH, MAX_LENGTH = 8, 1024
BCRYPT_COST = 12
MAX_WAITING = 100
# One for each thread of the pool, and one that has its hash ready for the next free thread.
MAX_CONCURRENT = 1 + max(1, (os.cpu_count() or 1) // 2)
TOO_BUSY = "Too many sign-ins right now. Try again in a moment."
# Verified when no account exists, so that the response takes as long (account enumeration).
DUMMY_HASH = "$2b$12$rOtz1OvToQDC0pUZodI1e.NlVvRkNG2oR0UIYeOOp2Iak044qBaBm"
# Context-specific words, refused with any digits and signs around them (ASVS 6.1.2).
PRODUCT_NAMES = frozenset(
    {"sp", "spmk", "spmkii", "sproland", "roland", "rolandsp", "crate", "sampler"}
)
COMMON_PASSWORDS_FILE = Path(__file__).with_name("common_passwords.txt")


@lru_cache
def common_passwords() -> frozenset[str]:
    """Return the list of common passwords, in lower case."""
    return frozenset(COMMON_PASSWORDS_FILE.read_text(encoding="utf-8").split())


def ensure_acceptable_password(password: str, email: str = "", field: str = "password") -> None:
    """Check a new password: its length, and that it is neither common nor our product's name.

    There are no rules about kinds of characters: they make passwords weaker.

    Raises:
        ValidationFailed: With a message for `field`.
    """
    problem = _password_problem(unicodedata.normalize("NFC", password), email.casefold())
    if problem:
        raise ValidationFailed(problem, {field: [problem]})


def _password_problem(password: str, email: str) -> str:
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        too_short = len(password) < MIN_LENGTH
        return f"Use at {f'least {MIN_LENGTH}' if too_short else f'most {MAX_LENGTH}'} characters."
    if any(unicodedata.category(character) == "Cs" for character in password):
        return "This password contains an incomplete character. Type it again."
    if password.casefold() in common_passwords() or len(set(password)) == 1:
        return "This is a common password. Choose another one."
    if is_product_name(password):
        return "This is the name of our product. Choose another password."
    if email and password.casefold() in (email, email.partition("@")[0]):
        return "Don't use your email as your password."
    return ""


def is_product_name(password: str) -> bool:
    """Return whether a password is a product name, whatever digits and signs surround it."""
    return "".join(filter(str.isalpha, password.casefold())) in PRODUCT_NAMES


def hash_password_blocking(password: str) -> str:
    """Return the salted bcrypt hash of a password; takes a quarter of a second of CPU."""
    return bcrypt.hashpw(_prehash(password, pepper()), bcrypt.gensalt(BCRYPT_COST)).decode()


def verify_password_blocking(password: str, hashed: str) -> bool:
    """Return whether a password matches a bcrypt hash, which a former pepper may have made.

    As slow as hashing, times the number of peppers.
    """
    return any(_matches(password, hashed, key) for key in peppers())


def _matches(password: str, hashed: str, key: bytes) -> bool:
    try:
        return bcrypt.checkpw(_prehash(password, key), hashed.encode())
    except ValueError:  # not a bcrypt hash: the account has no password
        return False


def needs_rehash(hashed: str) -> bool:
    """Return whether a hash was made with another bcrypt cost than today's."""
    return not hashed.startswith(f"$2b${BCRYPT_COST:02}$")


def _prehash(password: str, key: bytes) -> bytes:
    """Return an HMAC of the password in 44 bytes: bcrypt takes at most 72, and no NUL."""
    text = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest())


async def hash_password(password: str) -> str:
    """Hash a password in the thread pool."""
    return await _run_in_pool(lambda: hash_password_blocking(password))


async def verify_password(password: str, hashed: str | None) -> bool:
    """Verify a password in the thread pool.

    None, or a value that is no hash, matches nothing and takes as long as a real hash.
    """
    real_hash = hashed if hashed and hashed.startswith("$2b$") else None
    same = await _run_in_pool(lambda: verify_password_blocking(password, real_hash or DUMMY_HASH))
    return same and real_hash is not None


async def matches_present_pepper(password: str, hashed: str) -> bool:
    """Return whether a password matches a hash that the present pepper made; as slow as hashing."""
    return await _run_in_pool(lambda: _matches(password, hashed, pepper()))


async def needs_present_pepper(password: str, hashed: str) -> bool:
    """Return whether a former pepper made the hash of a right password."""
    return len(peppers()) > 1 and not await matches_present_pepper(password, hashed)


class _BcryptPool:
    """Low-priority threads, and a bound on how many callers may wait for them."""

    def __init__(self) -> None:
        threads = max(1, (os.cpu_count() or 1) // 2)
        self.executor = ThreadPoolExecutor(threads, "bcrypt", initializer=_lower_priority)
        self.slots = threading.BoundedSemaphore(MAX_WAITING)


@lru_cache
def _bcrypt_pool() -> _BcryptPool:
    return _BcryptPool()


def _lower_priority() -> None:
    """Lower the priority of a pool thread, so that the event loop runs first."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


class _SignInLimiter:
    """How many sign-ins of one event loop may run at once, and how many wait."""

    def __init__(self) -> None:
        self.slots = asyncio.Semaphore(MAX_CONCURRENT)
        self.waiting = 0


_limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, _SignInLimiter] = WeakKeyDictionary()


@asynccontextmanager
async def sign_in_slot() -> AsyncIterator[None]:
    """Limit how many sign-ins look up and verify hashes at once; the others wait here.

    So a burst of sign-ins does not slow down other requests. The sign-ins do not become slower,
    because hashing takes far longer than the rest.

    Raises:
        Unavailable: If too many are waiting.
    """
    limiter = _limiters.setdefault(asyncio.get_running_loop(), _SignInLimiter())
    if limiter.waiting >= MAX_WAITING:
        raise Unavailable(TOO_BUSY)
    limiter.waiting += 1
    try:
        async with limiter.slots:
            yield
    finally:
        limiter.waiting -= 1


async def _run_in_pool(work: Callable[[], R]) -> R:
    pool = _bcrypt_pool()
    if not pool.slots.acquire(blocking=False):
        raise Unavailable(TOO_BUSY)
    try:
        return await asyncio.get_running_loop().run_in_executor(pool.executor, work)
    finally:
        pool.slots.release()
