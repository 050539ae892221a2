"""Passwords: what we accept, and how we keep and compare them without stalling anybody."""

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

R = TypeVar("R")

SHORTEST, LONGEST = 8, 1024
COST = 12
WAITING = 100
AT_ONCE = 1 + max(1, (os.cpu_count() or 1) // 2)  # as many as compare, and one that comes next
MANY = "Very many people are signing in. Please try again in a moment."
# A hash of nobody's password: comparing with it takes as long as with a real one.
NOBODY = "$2b$12$rOtz1OvToQDC0pUZodI1e.NlVvRkNG2oR0UIYeOOp2Iak044qBaBm"
# What everybody here thinks of first, whatever digits and signs stand around it (ASVS 6.1.2).
OF_OURS = frozenset({"sp", "spmk", "spmkii", "sproland", "roland", "rolandsp", "crate", "sampler"})
COMMON_FILE = Path(__file__).with_name("common_passwords.txt")


@lru_cache
def common() -> frozenset[str]:
    """Return the passwords everybody tries first, in lower case."""
    return frozenset(COMMON_FILE.read_text(encoding="utf-8").split())


def ensure_good(password: str, email: str = "", field: str = "password") -> None:
    """Check a new password: its length, and that it is not among the first ones tried.

    There are no rules about kinds of characters: they make passwords worse.

    Raises:
        ValidationFailed: With a message for `field`.
    """
    problem = _problem(unicodedata.normalize("NFC", password), email.casefold())
    if problem:
        raise ValidationFailed(problem, {field: [problem]})


def _problem(password: str, email: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        few = len(password) < SHORTEST
        return f"Use at {f'least {SHORTEST}' if few else f'most {LONGEST}'} characters."
    if any(unicodedata.category(character) == "Cs" for character in password):
        return "This password holds half a character. Please type it again."
    if password.casefold() in common() or len(set(password)) == 1:
        return "This is one of the passwords tried first. Please choose another."
    if of_ours(password):
        return "This is the name of what we do here. Please choose another password."
    if email and password.casefold() in (email, email.partition("@")[0]):
        return "Your address is easy to guess. Please choose another password."
    return ""


def of_ours(password: str) -> bool:
    """Say whether a password is one of our own words, with whatever else stands around them."""
    return "".join(filter(str.isalpha, password.casefold())) in OF_OURS


def hash_now(password: str) -> str:
    """Return the salted hash of a password; takes a quarter of a second of one core."""
    return bcrypt.hashpw(_prepared(password), bcrypt.gensalt(COST)).decode()


def matches_now(password: str, hashed: str) -> bool:
    """Say whether a password is the one that was hashed; as slow as `hash_now`."""
    try:
        return bcrypt.checkpw(_prepared(password), hashed.encode())
    except ValueError:  # not a bcrypt hash, such as the mark of an account without a password
        return False


def outdated(hashed: str) -> bool:
    """Say whether a hash was made at another cost than today's."""
    return not hashed.startswith(f"$2b${COST:02}$")


def _prepared(password: str) -> bytes:
    """Shorten any password to 44 bytes: bcrypt takes 72 at most, and none that are zero."""
    text = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.new(pepper(), text, hashlib.sha256).digest())


async def hashed(password: str) -> str:
    """Hash a password in the pool, off the event loop."""
    return await _in_pool(lambda: hash_now(password))


async def matches(password: str, hashed: str | None) -> bool:
    """Compare in the pool; None, or a mark that is no hash, matches nothing and takes as long."""
    real = hashed if hashed and hashed.startswith("$2b$") else None
    same = await _in_pool(lambda: matches_now(password, real or NOBODY))
    return same and real is not None


class _Pool:
    """A few threads of low priority, and a bound on how many may wait for them."""

    def __init__(self) -> None:
        threads = max(1, (os.cpu_count() or 1) // 2)
        self.executor = ThreadPoolExecutor(threads, "bcrypt", initializer=_step_back)
        self.places = threading.BoundedSemaphore(WAITING)


@lru_cache
def _pool() -> _Pool:
    return _Pool()


def _step_back() -> None:
    """Let the event loop run first: hashing is the one thing here that eats whole cores."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


class _Door:
    """How many of one event loop may compare at once, and how many wait for that."""

    def __init__(self) -> None:
        self.inside = asyncio.Semaphore(AT_ONCE)
        self.outside = 0


_doors: WeakKeyDictionary[asyncio.AbstractEventLoop, _Door] = WeakKeyDictionary()


@asynccontextmanager
async def turn() -> AsyncIterator[None]:
    """Let a few at once look up and compare hashes; the others wait, and slow down no page.

    Comparing takes far longer than all the rest of a sign-in, so nobody is later for it.

    Raises:
        Unavailable: If very many wait.
    """
    door = _doors.setdefault(asyncio.get_running_loop(), _Door())
    if door.outside >= WAITING:
        raise Unavailable(MANY)
    door.outside += 1
    try:
        async with door.inside:
            yield
    finally:
        door.outside -= 1


async def _in_pool(work: Callable[[], R]) -> R:
    pool = _pool()
    if not pool.places.acquire(blocking=False):
        raise Unavailable(MANY)
    try:
        return await asyncio.get_running_loop().run_in_executor(pool.executor, work)
    finally:
        pool.places.release()
