import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlmodel import Session, select

from sp404_app.db import transaction
from sp404_app.errors import Unauthenticated
from sp404_app.models import AuditEntry, RefreshToken, SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth import access_tokens, authentication, sessions, signing_keys
from sp404_app.services.auth.access_tokens import TokenPair
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.settings import settings
from tests.accounts import (
    CLIENT,
    SignedUpUser,
    active_sessions,
    mails,
    sign_in_api_client,
    sign_up_user,
)

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def ada() -> SignedUpUser:
    return sign_up_user("ada@example.org")


def rotate(refresh: str) -> TokenPair | None:
    with transaction() as session:
        return access_tokens.rotate_refresh_token(session, refresh, CLIENT)


def forged(changes: dict[str, Any], header: dict[str, Any] | None = None, key: Any = None) -> str:
    kid, real = signing_keys.current_signing_key()
    issued = int(now().timestamp())
    claims = {
        "iss": settings().origin,
        "aud": "sp404-api",
        "sub": str(uuid.uuid4()),
        "sid": str(uuid.uuid4()),
        "jti": "1",
        "iat": issued,
        "exp": issued + 60,
        "token_use": "access",
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    headers = {"kid": kid, "typ": "at+jwt"} | (header or {})
    return jwt.encode(claims, key or real, algorithm="RS256", headers=headers)


def encode_by_hand(header: dict[str, Any], claims: dict[str, Any], sign: Any = None) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    body = f"{part(header)}.{part(claims)}"
    signature = base64.urlsafe_b64encode(sign(body.encode()) if sign else b"").rstrip(b"=")
    return f"{body}.{signature.decode()}"


def test_an_access_token_names_user_and_session_and_lives_an_hour(ada: SignedUpUser) -> None:
    pair = sign_in_api_client(ada.id)
    claims = jwt.decode(pair.token, options={"verify_signature": False})
    header = jwt.get_unverified_header(pair.token)
    assert header == {"alg": "RS256", "kid": signing_keys.current_signing_key()[0], "typ": "at+jwt"}
    assert claims["exp"] - claims["iat"] == pair.expires_in == 3600
    assert claims["iss"] == settings().origin
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "token_use"}
    assert access_tokens.verify_access_token(pair.token).user_id == ada.id


def test_the_forging_helper_makes_a_valid_token_with_the_signing_key() -> None:
    assert isinstance(access_tokens.verify_access_token(forged({})), SignedIn)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-api"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": "admin"},
        {"sid": None},
        {"sid": "x"},
        {"sid": 7},
        {"jti": None},
        {"token_use": "refresh"},
        {"token_use": None},
        {"nbf": 4_000_000_000},
    ],
)
def test_every_jwt_claim_is_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        access_tokens.verify_access_token(forged(changes))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "reset+jwt"},
        {"kid": "20990101000000-00000000"},
        {"kid": "../../../../etc/hostname"},
        {"kid": ""},
        {"crit": ["exp"]},
        {"crit": []},
    ],
)
def test_every_jwt_header_is_checked(header: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        access_tokens.verify_access_token(forged({}, header))


def test_a_key_embedded_in_the_token_is_ignored() -> None:
    mine = rsa.generate_private_key(65537, 2048)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(mine.public_key(), as_dict=True)
    for header in ({"jwk": jwk}, {"jku": "https://evil.example/jwks.json"}, {"x5u": "x"}):
        with pytest.raises(Unauthenticated):
            access_tokens.verify_access_token(forged({}, header, key=mine))


def test_alg_none_and_hs256_with_the_public_key_are_refused() -> None:
    claims = jwt.decode(forged({}), options={"verify_signature": False})
    kid, pem = signing_keys.current_signing_key()[0], signing_keys.signing_public_key_pem().encode()
    for algorithm in ("none", "None", "NONE"):
        with pytest.raises(Unauthenticated):
            access_tokens.verify_access_token(
                encode_by_hand({"alg": algorithm, "typ": "at+jwt", "kid": kid}, claims)
            )
    header = {"alg": "HS256", "typ": "at+jwt", "kid": kid}
    with pytest.raises(Unauthenticated):
        access_tokens.verify_access_token(
            encode_by_hand(header, claims, lambda body: hmac.digest(pem, body, hashlib.sha256))
        )


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "....", "\0", "é.é.é", "a" * 100_000, "e30.e30.", "bnVsbA.bnVsbA.bnVsbA"],
)
def test_malformed_access_tokens_are_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        access_tokens.verify_access_token(token)


def test_a_rotated_signing_key_still_verifies_until_it_is_retired(ada: SignedUpUser) -> None:
    token = sign_in_api_client(ada.id).token
    signing_keys.rotate_signing_key(2048)
    assert access_tokens.verify_access_token(token).user_id == ada.id
    assert len(access_tokens.json_web_key_set()["keys"]) >= 2


def test_a_cached_token_is_refused_once_it_or_its_key_or_issuer_ends(
    ada: SignedUpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing_keys.rotate_signing_key(2048)
    kid, token = signing_keys.current_signing_key()[0], sign_in_api_client(ada.id).token
    for _ in range(2):
        assert access_tokens.verify_access_token(token).user_id == ada.id
    with monkeypatch.context() as patch:
        patch.setattr(access_tokens, "now", lambda: now() + dt.timedelta(seconds=3601))
        assert access_tokens._find_verified(token) is None
    with monkeypatch.context() as patch:
        patch.setenv("SP404_PUBLIC_URL", "https://elsewhere.example")
        settings.cache_clear()
        with pytest.raises(Unauthenticated):
            access_tokens.verify_access_token(token)
    settings.cache_clear()
    while signing_keys.current_signing_key()[0] == kid:
        signing_keys.rotate_signing_key(2048)
    signing_keys.retire_signing_key(kid)
    with pytest.raises(Unauthenticated):
        access_tokens.verify_access_token(token)


def test_the_cache_of_verified_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_tokens, "MAX_VERIFIED_TOKENS", 3)
    access_tokens._verified_tokens.clear()
    for number in range(10):
        access_tokens.verify_access_token(forged({"jti": str(number)}))
    assert len(access_tokens._verified_tokens) == 3


def test_the_jwks_holds_public_keys_only() -> None:
    for jwk in access_tokens.json_web_key_set()["keys"]:
        assert set(jwk) == {"kty", "n", "e", "kid", "use", "alg"}


def test_refreshing_returns_a_new_pair_of_the_same_session(ada: SignedUpUser) -> None:
    first = sign_in_api_client(ada.id)
    second = rotate(first.refresh_token)
    assert second is not None
    assert second.refresh_token != first.refresh_token
    assert access_tokens.verify_access_token(second.token) == access_tokens.verify_access_token(
        first.token
    )


def test_only_hashes_of_refresh_tokens_are_stored(ada: SignedUpUser, session: Session) -> None:
    refresh = sign_in_api_client(ada.id).refresh_token
    (row,) = session.exec(select(RefreshToken))
    assert row.hash == hashlib.sha256(refresh.encode()).digest()
    assert len(base64.urlsafe_b64decode(refresh + "==")) == 32


def test_racing_refreshes_get_the_same_successor(ada: SignedUpUser) -> None:
    first = sign_in_api_client(ada.id).refresh_token
    with ThreadPoolExecutor(10) as pool:
        pairs = list(pool.map(rotate, [first] * 10))
    assert {pair.refresh_token for pair in pairs if pair} == {pairs[0].refresh_token}  # type: ignore[union-attr]
    assert all(pairs)
    with transaction() as session:
        assert len(session.exec(select(RefreshToken)).all()) == 2


def test_a_refresh_token_reused_after_ten_seconds_revokes_the_family(
    ada: SignedUpUser, session: Session
) -> None:
    first = sign_in_api_client(ada.id)
    second = rotate(first.refresh_token)
    assert second is not None
    age_token(session, first.refresh_token, used=dt.timedelta(seconds=11))
    assert rotate(first.refresh_token) is None
    with pytest.raises(Unauthenticated):
        rotate(second.refresh_token)
    assert active_sessions(session, ada.id) == []
    assert [entry.action for entry in session.exec(select(AuditEntry))] == ["refresh_token_reused"]
    assert mails(ada.email)[-1]["Subject"] == "We signed out one of your devices"


def test_a_reused_refresh_token_whose_successor_was_used_revokes_the_family(
    ada: SignedUpUser,
) -> None:
    first = sign_in_api_client(ada.id)
    second = rotate(first.refresh_token)
    assert second is not None
    assert rotate(second.refresh_token) is not None
    assert rotate(first.refresh_token) is None


def test_revoking_one_token_family_leaves_the_others(ada: SignedUpUser, session: Session) -> None:
    stolen, other = sign_in_api_client(ada.id), sign_in_api_client(ada.id)
    rotate(stolen.refresh_token)
    age_token(session, stolen.refresh_token, used=dt.timedelta(seconds=11))
    assert rotate(stolen.refresh_token) is None
    assert rotate(other.refresh_token) is not None


@pytest.mark.parametrize("refresh", ["", "x", "\0", "\ud83e", "é" * 5000])
def test_unknown_refresh_tokens_are_refused(refresh: str) -> None:
    with pytest.raises(Unauthenticated):
        rotate(refresh)


def test_a_refresh_token_expires_after_a_week_without_use(
    ada: SignedUpUser, session: Session
) -> None:
    refresh = sign_in_api_client(ada.id).refresh_token
    (row,) = session.exec(select(RefreshToken))
    assert dt.timedelta(days=6, hours=23) < row.expires_at - now() <= dt.timedelta(days=7)
    row.expires_at = now()
    session.commit()
    with pytest.raises(Unauthenticated):
        rotate(refresh)


def test_a_session_expires_after_thirty_days(ada: SignedUpUser, session: Session) -> None:
    refresh = sign_in_api_client(ada.id).refresh_token
    (sign_in,) = active_sessions(session, ada.id)
    assert sign_in.expires_at - now() <= dt.timedelta(days=30)
    sign_in.expires_at = now() + dt.timedelta(hours=1)
    session.commit()
    pair = rotate(refresh)
    assert pair is not None
    newest = session.exec(select(RefreshToken).order_by(RefreshToken.id.desc())).first()  # type: ignore[attr-defined]
    assert newest is not None
    assert newest.expires_at <= sign_in.expires_at


async def test_the_access_token_of_a_revoked_session_is_refused_at_once(ada: SignedUpUser) -> None:
    token = sign_in_api_client(ada.id).token
    who = await authentication.authenticate_token(token)
    assert who == await authentication.authenticate_token(token)  # remembered now
    with transaction() as session:
        sessions.revoke_session(session, ada.id, who.sign_in_id)
    with pytest.raises(Unauthenticated):
        await authentication.authenticate_token(token)


def age_token(session: Session, refresh: str, used: dt.timedelta) -> None:
    """Move the use of a refresh token into the past."""
    digest = sessions.hash_token(refresh)
    row = session.exec(select(RefreshToken).where(RefreshToken.hash == digest)).one()
    session.refresh(row)
    assert row.used_at is not None
    row.used_at -= used
    session.commit()
    assert session.get(SignIn, row.sign_in_id) is not None
    session.commit()
