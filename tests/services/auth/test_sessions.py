import datetime as dt
import hashlib
import uuid

import pytest
from sqlmodel import Session, select

from sp404_app.db import transaction
from sp404_app.errors import NotFound, Unauthenticated
from sp404_app.models import SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth import authentication, session_cache, sessions
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.infra import events, redis_counters
from sp404_app.services.infra.client_info import Client
from sp404_app.settings import settings
from tests.accounts import CLIENT, cookie, sign_in_api_client, sign_up_user

pytestmark = pytest.mark.usefixtures("services")


def test_a_session_cookie_has_256_random_bits_and_only_its_hash_is_stored(session: Session) -> None:
    value = cookie(sign_up_user().id)
    assert len(value) == 43
    row = session.exec(select(SignIn)).one()
    assert row.cookie_hash == hashlib.sha256(value.encode()).digest()


def test_a_session_cookie_identifies_its_user(session: Session) -> None:
    ada = sign_up_user()
    assert sessions.find_browser_session(session, cookie(ada.id)).user_id == ada.id


@pytest.mark.parametrize("value", ["", "x", "\0", "\ud83e", "x" * 100_000])
def test_unknown_cookies_are_refused(session: Session, value: str) -> None:
    sign_up_user()
    sign_in_api_client(sign_up_user().id)  # an API session has no cookie
    with pytest.raises(Unauthenticated):
        sessions.find_browser_session(session, value)


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": now()},
        {"expires_at": now() - dt.timedelta(seconds=1)},
        {"last_seen_at": now() - dt.timedelta(days=7, seconds=1)},
    ],
)
def test_a_revoked_or_expired_session_is_refused(
    session: Session, changes: dict[str, dt.datetime]
) -> None:
    value = cookie(sign_up_user().id)
    session.exec(select(SignIn)).one().sqlmodel_update(changes)
    session.commit()
    with pytest.raises(Unauthenticated):
        sessions.find_browser_session(session, value)


def test_using_a_session_extends_its_idle_timeout(session: Session) -> None:
    value = cookie(sign_up_user().id)
    row = session.exec(select(SignIn)).one()
    row.last_seen_at = now() - dt.timedelta(days=6)
    session.commit()
    sessions.find_browser_session(session, value)
    session.commit()
    session.refresh(row)
    assert now() - row.last_seen_at < dt.timedelta(minutes=1)


async def test_a_revoked_session_is_refused_at_once_although_it_was_cached() -> None:
    ada = sign_up_user()
    value = cookie(ada.id)
    who = await authentication.authenticate_cookie(value)
    assert await authentication.authenticate_cookie(value) == who
    assert await session_cache.cached_owner(who.sign_in_id) == str(ada.id).encode()
    with transaction() as session:
        sessions.revoke_session(session, ada.id, who.sign_in_id)
    with pytest.raises(Unauthenticated):
        await authentication.authenticate_cookie(value)


async def test_an_emptied_cache_does_not_restore_a_revoked_session() -> None:
    ada = sign_up_user()
    value, token = cookie(ada.id), sign_in_api_client(ada.id).token
    await authentication.authenticate_cookie(value)
    with transaction() as session:
        sessions.revoke_all_sessions(session, ada.id)
    events.connection().flushdb()
    for ask in (
        authentication.authenticate_cookie(value),
        authentication.authenticate_token(token),
    ):
        with pytest.raises(Unauthenticated):
            await ask


async def test_a_slow_reader_does_not_restore_a_revoked_session() -> None:
    ada = sign_up_user()
    value = cookie(ada.id)
    who = await authentication.authenticate_cookie(value)
    with transaction() as session:
        sessions.revoke_all_sessions(session, ada.id)
    await session_cache.cache_owner(who.sign_in_id, ada.id)
    with pytest.raises(Unauthenticated):
        await authentication.authenticate_cookie(value)


async def test_without_redis_sessions_work_and_can_be_revoked(
    environment: pytest.MonkeyPatch,
) -> None:
    ada = sign_up_user()
    value, token = cookie(ada.id), sign_in_api_client(ada.id).token
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    events.connection.cache_clear()
    assert (await authentication.authenticate_cookie(value)).user_id == ada.id
    assert (await authentication.authenticate_token(token)).user_id == ada.id
    with transaction() as session:
        sessions.revoke_all_sessions(session, ada.id)
    for ask in (
        authentication.authenticate_cookie(value),
        authentication.authenticate_token(token),
    ):
        with pytest.raises(Unauthenticated):
            await ask
    events.connection.cache_clear()


async def test_a_token_that_names_another_users_session_is_refused() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    who = await authentication.authenticate_token(sign_in_api_client(ada.id).token)
    with transaction() as session, pytest.raises(Unauthenticated):
        sessions.ensure_session_active(session, SignedIn(bob.id, who.sign_in_id))
    with transaction() as session, pytest.raises(Unauthenticated):
        sessions.ensure_session_active(session, SignedIn(bob.id, uuid.uuid4()))


def test_a_user_lists_and_revokes_their_own_devices(session: Session) -> None:
    ada, bob = sign_up_user(), sign_up_user()
    mine = sessions.find_browser_session(session, cookie(ada.id))
    sign_in_api_client(ada.id)
    theirs = sessions.find_browser_session(session, cookie(bob.id))
    listed = sessions.list_devices(session, ada.id, mine.sign_in_id)
    assert {device.kind for device in listed} == {"browser", "api"}
    assert [device.id for device in listed if device.current] == [str(mine.sign_in_id)]
    for stranger in (theirs.sign_in_id, uuid.uuid4()):
        with pytest.raises(NotFound):
            sessions.revoke_session(session, ada.id, stranger)
    sessions.revoke_session(session, ada.id, mine.sign_in_id)
    with pytest.raises(NotFound):
        sessions.revoke_session(session, ada.id, mine.sign_in_id)
    assert len(sessions.list_devices(session, ada.id, None)) == 1


def test_all_sessions_but_the_current_one_can_be_revoked() -> None:
    ada = sign_up_user()
    with transaction() as session:
        mine = sessions.find_browser_session(session, cookie(ada.id))
        cookie(ada.id), sign_in_api_client(ada.id)
        assert sessions.revoke_all_sessions(session, ada.id, keep=mine.sign_in_id) == 2


def test_a_long_user_agent_is_truncated(session: Session) -> None:
    ada = sign_up_user()
    sessions.start_browser_session(session, ada.id, Client(ip="x" * 100, user_agent="y\0" * 1000))
    row = session.exec(select(SignIn)).one()
    assert (len(row.ip), len(row.user_agent)) == (45, 400)


@pytest.mark.parametrize(
    ("agent", "kind", "name"),
    [
        (CLIENT.user_agent, "browser", "Firefox on Linux"),
        ("Mozilla/5.0 (Macintosh; Mac OS X) Chrome/140 Safari/5", "browser", "Chrome on Mac"),
        ("Mozilla/5.0 (iPhone; CPU) Version/19 Safari/604", "browser", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/1 Safari/5 Edg/1", "browser", "Edge on Windows"),
        ("curl/8.5.0", "api", "curl"),
        ("", "api", "API client"),
        ("", "browser", "Browser"),
        ("Firefox/1", "browser", "Firefox"),
    ],
)  # fmt: skip
def test_devices_are_described_by_their_user_agent(agent: str, kind: str, name: str) -> None:
    assert sessions.describe_device(agent, kind) == name


def test_the_cookie_name_depends_on_scheme_and_port(environment: pytest.MonkeyPatch) -> None:
    assert sessions.cookie_name() == f"sp404_session_{settings().port}"
    environment.setenv("SP404_PUBLIC_URL", "https://crate.example")
    settings.cache_clear()
    assert sessions.cookie_name() == "__Host-sp404_session"


@pytest.mark.parametrize(
    "header", ["", "x", "a=b", ";;;", "sp404_session_3000", "\x00", "=;=", "é=ü"]
)
def test_malformed_cookie_headers_hold_no_cookie(header: str) -> None:
    assert authentication.read_cookie(header) == ""


async def test_each_event_loop_has_one_redis_connection() -> None:
    assert redis_counters.redis_batcher() is redis_counters.redis_batcher()
