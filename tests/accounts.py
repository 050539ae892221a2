"""Users, sessions and mails for the tests of accounts."""

import email
import email.policy
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import Session, select

from sp404_app import db
from sp404_app.db import transaction
from sp404_app.jobs.email import send_email
from sp404_app.models import SignIn, User
from sp404_app.models.columns import now
from sp404_app.services.auth import access_tokens, login, passwords, sessions
from sp404_app.services.auth.access_tokens import TokenPair
from sp404_app.services.infra import unsent_emails
from sp404_app.services.infra.client_info import Client
from sp404_app.settings import settings

PASSWORD = "tape delay and dust"
CLIENT = Client(ip="203.0.113.7", user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0")


@dataclass(frozen=True, slots=True)
class SignedUpUser:
    """A user with a known password."""

    id: uuid.UUID
    email: str
    password: str = PASSWORD


def sign_up_user(address: str = "", *, verified: bool = True) -> SignedUpUser:
    """Create a user with the password `PASSWORD`; an unverified one cannot sign in."""
    address = address or f"{uuid.uuid4().hex[:12]}@example.org"
    user = User(
        email=address,
        password_hash=_hash(passwords.pepper(), passwords.BCRYPT_COST),
        email_verified_at=now() if verified else None,
    )
    with transaction() as session:
        session.add(user)
    return SignedUpUser(user.id, address)


@lru_cache
def _hash(_pepper: bytes, _cost: int) -> str:
    """Return the hash of the test users' password, cached: hashing takes a quarter of a second."""
    return passwords.hash_password_blocking(PASSWORD)


def sign_in_api_client(user_id: uuid.UUID) -> TokenPair:
    """Start an API session and return its tokens."""
    with transaction() as session:
        return access_tokens.start_token_family(session, user_id, CLIENT)


def bearer(user_id: uuid.UUID) -> dict[str, str]:
    """Return the Authorization header of a new API session."""
    return {"Authorization": f"Bearer {sign_in_api_client(user_id).token}"}


def cookie(user_id: uuid.UUID) -> str:
    """Start a browser session and return its cookie."""
    with transaction() as session:
        return sessions.start_browser_session(session, user_id, CLIENT)


async def reset(person: SignedUpUser) -> None:
    """Reset the user's password by a mailed link."""
    await login.forgot_password(person.email, CLIENT)
    await login.reset_password(mailed_token(mails(person.email)[-1]), "a brand new one", CLIENT)


@contextmanager
def run_after(
    module: ModuleType,
    function: Callable[..., Awaitable[Any]],
    action: Callable[[], Awaitable[None]],
) -> Iterator[None]:
    """Run an action right after the next call of a module's function, to simulate a race."""

    async def call_then_act(*args: Any) -> Any:
        patch.undo()  # only once
        result = await function(*args)
        await action()
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, function.__name__, call_then_act)
        yield


def deliver_mails() -> None:
    """Send every email that is due, as a worker would."""
    while True:
        with transaction() as session:
            email_id = unsent_emails.next_due(session, now())
        if email_id is None:
            return
        send_email(str(email_id))


def mails(recipient: str = "") -> list[EmailMessage]:
    """Return the mails in the outbox, oldest first, once all are delivered."""
    deliver_mails()
    paths = sorted(settings().outbox.glob("*.eml"))
    found = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths
    ]
    return [letter for letter in found if not recipient or letter["To"] == recipient]


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return body.get_content()


def mailed_token(letter: EmailMessage) -> str:
    found = re.search(r"token=([\w-]+)", text_of(letter))
    assert found, text_of(letter)
    return found[1]


@contextmanager
def without_database() -> Iterator[None]:
    """Make the database unreachable."""
    db.engine().dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SP404_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        settings.cache_clear()
        db.engine.cache_clear()
        yield
    settings.cache_clear()
    db.engine.cache_clear()


def active_sessions(session: Session, user_id: uuid.UUID) -> list[SignIn]:
    query = select(SignIn).where(SignIn.user_id == user_id)
    return [row for row in session.exec(query) if row.revoked_at is None]
