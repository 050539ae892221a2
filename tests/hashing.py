"""Record bcrypt calls: their cost and the thread in which they run."""

import threading
from dataclasses import dataclass

import bcrypt
import pytest


@dataclass(frozen=True, slots=True)
class Check:
    """One password check: the cost prefix of the hash, and the name of the thread."""

    cost: str
    thread: str


def record_password_checks(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    """Record every password check from now on, and perform it."""
    seen: list[Check] = []
    compare = bcrypt.checkpw

    def recorded(password: bytes, hashed: bytes) -> bool:
        seen.append(Check(hashed[:7].decode(), threading.current_thread().name))
        return compare(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", recorded)
    return seen


def record_password_hashes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Record the salt of every new hash from now on, and compute it."""
    seen: list[bytes] = []
    make = bcrypt.hashpw

    def recorded(password: bytes, salt: bytes) -> bytes:
        seen.append(salt)
        return make(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", recorded)
    return seen
