"""See which password checks are really made: what they cost, and where they run."""

import threading
from dataclasses import dataclass

import bcrypt
import pytest


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: the cost in the hash, and the thread that paid it."""

    cost: str
    thread: str


def watch(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    """Note every comparison that bcrypt makes from now on; each is made all the same."""
    seen: list[Check] = []
    compare = bcrypt.checkpw

    def noted(password: bytes, hashed: bytes) -> bool:
        seen.append(Check(hashed[:7].decode(), threading.current_thread().name))
        return compare(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", noted)
    return seen


def watch_hashing(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Note the salt of every new hash that bcrypt makes from now on; each is made all the same."""
    seen: list[bytes] = []
    make = bcrypt.hashpw

    def noted(password: bytes, salt: bytes) -> bytes:
        seen.append(salt)
        return make(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", noted)
    return seen
