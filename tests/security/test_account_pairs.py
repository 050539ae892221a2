"""Concurrent operations on one account are serialized and cause no server error.

Each pair of operations runs on its own user, in two threads, with a pause before every statement so
that the transactions overlap. A few pairs run at a time, since most of the time is spent in pauses.
"""

import io
import os
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations_with_replacement
from threading import Barrier, Event
from typing import Any

import pytest
import segno
from fastapi.testclient import TestClient
from PIL import Image
from pyotp.totp import TOTP
from sqlalchemy import event
from sqlmodel import select

from sp404_app import db
from sp404_app.models import PersonalToken, Purpose, SignIn
from sp404_app.services.auth import (
    access_tokens,
    one_time_tokens,
    passwords,
    personal_access_tokens,
    sessions,
    two_factor,
)
from sp404_app.services.infra import rate_limits
from sp404_app.settings import Settings, settings
from tests.accounts import CLIENT, PASSWORD, SignedUpUser, sign_up_user
from tests.security.routes import operations

ROUNDS = int(os.environ.get("SP404_PAIR_ROUNDS", "1"))
PAUSE = 0.003  # seconds, the longest pause before a statement
AT_ONCE = 3  # pairs; each request needs a thread of the event loop's pool, which has six or more
NEW = "a brand new one"
LIMITS = ("SP404_SIGN_INS_PER_MINUTE", "SP404_REQUESTS_PER_MINUTE")


@dataclass(frozen=True, slots=True)
class Account:
    """A user with everything an account can have, and its credentials."""

    who: SignedUpUser
    refresh_tokens: tuple[str, str]
    headers: tuple[dict[str, str], dict[str, str]]
    challenges: tuple[str, str]
    links: dict[Purpose, str]
    recovery_codes: list[str]
    secret: str
    cookie: str


Request = tuple[str, str, dict[str, Any]]
Operation = Callable[[Account, int], Request]


def account(*, verified: bool = True) -> Account:
    ada = sign_up_user(verified=verified)
    with db.transaction() as session:
        pairs = (
            access_tokens.start_token_family(session, ada.id, CLIENT),
            access_tokens.start_token_family(session, ada.id, CLIENT),
        )
        setup = two_factor.begin_totp_setup(session, ada.id)
        codes = two_factor.confirm_totp_setup(session, ada.id, TOTP(setup.secret).now(), CLIENT)
        personal_access_tokens.create_personal_token(
            session, ada.id, "One", ["samples:read"], None, CLIENT
        )
        links = {
            purpose: one_time_tokens.create_one_time_token(
                session, ada.id, purpose, f"new-{ada.email}"
            )
            for purpose in Purpose
        }
        other = one_time_tokens.create_one_time_token(session, ada.id, Purpose.TWO_FACTOR)
        browser = sessions.start_browser_session(session, ada.id, CLIENT)
    return Account(
        who=ada,
        refresh_tokens=(pairs[0].refresh_token, pairs[1].refresh_token),
        headers=tuple({"Authorization": f"Bearer {pair.token}"} for pair in pairs),  # type: ignore[arg-type]
        challenges=(links[Purpose.TWO_FACTOR], other),
        links=links,
        recovery_codes=codes,
        secret=setup.secret,
        cookie=browser,
    )


def public(path: str, body: Callable[[Account, int], dict[str, Any]]) -> Operation:
    return lambda ada, side: ("POST", f"/api/auth/{path}", {"json": body(ada, side)})


def own(method: str, path: str, **body: Any) -> Operation:
    return lambda ada, side: (method, f"/api{path}", {"headers": ada.headers[side], **body})


def link(path: str, purpose: Purpose, **more: str) -> Operation:
    return public(path, lambda ada, _: {"token": ada.links[purpose], **more})


def of_row(path: str, table: type[PersonalToken | SignIn]) -> Operation:
    def request(ada: Account, side: int) -> Request:
        with db.transaction() as session:
            row = session.exec(select(table.id).where(table.user_id == ada.who.id)).first()
        return "DELETE", f"/api/me/{path}/{row}", {"headers": ada.headers[side]}

    return request


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, "PNG")
    return target.getvalue()


OPERATIONS: dict[str, Operation] = {
    "register": public("register", lambda ada, _: {"email": ada.who.email, "password": NEW}),
    "resend": public("resend-verification", lambda ada, _: {"email": ada.who.email}),
    "forgot": public("forgot-password", lambda ada, _: {"email": ada.who.email}),
    "sign in": public("login", lambda ada, _: {"email": ada.who.email, "password": PASSWORD}),
    "recovery code": public(
        "two-factor",
        lambda ada, side: {"challenge": ada.challenges[side], "code": ada.recovery_codes[side]},
    ),
    "same recovery code": public(
        "two-factor",
        lambda ada, side: {"challenge": ada.challenges[side], "code": ada.recovery_codes[0]},
    ),
    "code of the app": public(
        "two-factor",
        lambda ada, _: {
            "challenge": ada.challenges[0],
            "code": TOTP(ada.secret).at(int(time.time()) + 30),
        },
    ),
    "refresh": public("refresh", lambda ada, side: {"refresh_token": ada.refresh_tokens[side]}),
    "same refresh": public("refresh", lambda ada, _: {"refresh_token": ada.refresh_tokens[0]}),
    "verify": link("verify-email", Purpose.VERIFY_EMAIL),
    "reset": link("reset-password", Purpose.RESET_PASSWORD, password=NEW),
    "confirm address": link("change-email", Purpose.CHANGE_EMAIL),
    "revert address": link("revert-email", Purpose.REVERT_EMAIL),
    "sign out": own("POST", "/auth/logout"),
    "sign out all": own("POST", "/auth/logout-all"),
    "end a device": of_row("sessions", SignIn),
    "names": own("PATCH", "/me", json={"first_name": "Ada"}),
    "preferences": own("PATCH", "/me/preferences", json={"theme": "light"}),
    "new password": own(
        "PUT", "/me/password", json={"current_password": PASSWORD, "password": NEW}
    ),
    "prove password": own("POST", "/me/confirm", json={"password": PASSWORD}),
    "new address": own("PUT", "/me/email", json={"email": "other@example.org"}),
    "new recovery codes": own("POST", "/me/two-factor/recovery-codes"),
    "second step off": own("DELETE", "/me/two-factor"),
    "second step begun": own("POST", "/me/two-factor"),
    "second step on": own("POST", "/me/two-factor/confirm", json={"code": "123456"}),
    "new token": own("POST", "/me/tokens", json={"name": "Two", "abilities": ["samples:read"]}),
    "revoke token": of_row("tokens", PersonalToken),
    "picture": own("PUT", "/me/avatar", content=picture()),
    "no picture": own("DELETE", "/me/avatar"),
    "export": own("POST", "/me/export"),
    "delete account": own("DELETE", "/me"),
}
UNCONFIRMED = {"register", "resend", "verify"}  # these matter before the email is verified
CODE = segno.make("otpauth://totp/any", error="m", micro=False)
at_work = Event()  # set while a pair runs: creating its user must not be slowed down
PAIRS = list(combinations_with_replacement(OPERATIONS, 2))


@pytest.fixture
def slow(
    services: Settings, environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Disable rate limits, use cheap hashes and one QR code, and pause before each statement."""
    for name in LIMITS:
        environment.setenv(name, "100000")
    settings.cache_clear()
    monkeypatch.setattr(rate_limits, "_mailbox", lambda _: uuid.uuid4().hex)
    monkeypatch.setattr(passwords, "BCRYPT_COST", 4)
    monkeypatch.setattr(two_factor.segno, "make", lambda *_, **__: CODE)

    def pause(*_: object) -> None:
        if not at_work.is_set():
            return
        time.sleep(random.uniform(0, PAUSE))  # noqa: S311 - no secret

    event.listen(db.engine(), "before_cursor_execute", pause)
    yield
    event.remove(db.engine(), "before_cursor_execute", pause)


def together(client: TestClient, ada: Account, names: tuple[str, str]) -> list[int]:
    """Send two requests concurrently and return their status codes."""
    (statuses,) = all_together(client, [(ada, names)])
    return statuses


def all_together(
    client: TestClient, pairs: list[tuple[Account, tuple[str, str]]]
) -> list[list[int]]:
    """Send the two requests of each pair at once, a few pairs at a time; return the statuses."""

    def both(pair: tuple[Account, tuple[str, str]]) -> list[int]:
        ada, names = pair
        start = Barrier(2)

        def send(side: int) -> int:
            method, path, more = OPERATIONS[names[side]](ada, side)
            start.wait(10)
            return client.request(method, path, **more).status_code

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(send, (0, 1)))

    at_work.set()
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(both, pairs))
    finally:
        at_work.clear()


def test_every_operation_on_an_account_is_covered(slow: None) -> None:
    ada = account()
    sent = {operation(ada, 0)[:2] for operation in OPERATIONS.values()}
    sent = {(method, re.sub(r"[0-9a-f-]{36}$", "{}", path)) for method, path in sent}
    served = {
        (operation.method, re.sub(r"{\w+}", "{}", operation.path))
        for operation in operations()
        if operation.path.startswith(("/api/auth/", "/api/me")) and operation.method != "GET"
    }
    assert served == sent


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", OPERATIONS)
def test_concurrent_pairs_of_operations_cause_no_server_error(
    api: TestClient, slow: None, first: str
) -> None:
    pairs = [
        (account(verified=UNCONFIRMED.isdisjoint(pair) or number % 2 == 1), pair)
        for pair in PAIRS
        if pair[0] == first
        for number in range(ROUNDS)
    ]
    answers = zip(pairs, all_together(api, pairs), strict=True)
    # A request that a rate limit refuses does not run concurrently with the other.
    broken = [(pair, codes) for (_, pair), codes in answers if max(codes) >= 500 or 429 in codes]
    assert not broken


@pytest.mark.parametrize("same", [True, False])
def test_each_valid_code_signs_in_once_for_two_concurrent_challenges(
    api: TestClient, slow: None, same: bool
) -> None:
    for _ in range(3):
        name = "same recovery code" if same else "recovery code"
        statuses = sorted(together(api, account(), (name, name)))
        assert statuses == [200, 401 if same else 200]


def test_one_code_sent_concurrently_signs_in_once(api: TestClient, slow: None) -> None:
    ada = account()
    body = {"challenge": ada.challenges[0], "code": ada.recovery_codes[0]}

    def send(_: int) -> int:
        return api.post("/api/auth/two-factor", json=body).status_code

    with ThreadPoolExecutor(5) as pool:
        statuses = sorted(pool.map(send, range(5)))
    assert statuses == [200, 401, 401, 401, 401]
