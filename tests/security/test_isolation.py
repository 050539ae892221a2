"""Users cannot read or change data of others: every route, with every kind of credential."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, update

from sp404_app import db
from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.models import SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth import access_tokens
from sp404_app.settings import Settings
from tests.accounts import PASSWORD, bearer, sign_up_user
from tests.security import world
from tests.security.routes import Operation, every_route, normal, operations
from tests.security.world import Person, dump, never, untouched

# Operations without authentication. A new one must be added here deliberately.
PUBLIC = frozenset(
    {
        "GET /.well-known/jwks.json",
        "GET /api/auth/public-key",
        "GET /api/billing/plans",
        "GET /api/health",
        "GET /api/health/live",
        "GET /api/health/ready",
        "POST /api/auth/change-email",
        "POST /api/auth/forgot-password",
        "POST /api/auth/login",
        "POST /api/auth/refresh",
        "POST /api/auth/register",
        "POST /api/auth/resend-verification",
        "POST /api/auth/reset-password",
        "POST /api/auth/revert-email",
        "POST /api/auth/two-factor",
        "POST /api/auth/verify-email",
        "POST /api/webhooks/stripe",
    }
)
# Routes without an OpenAPI description: HTML forms, pages of public links (tests/api/routes/
# test_share_pages.py), and the fallback for unknown paths.
HIDDEN = frozenset(
    {
        "/api",
        "/api/docs",
        "/api/docs/{name}",
        "/api/{path}",
        "/auth/account/end",
        "/auth/avatar",
        "/auth/session",
        "/auth/session/code",
        "/auth/session/confirmed",
        "/auth/session/end",
        "/contact",
        "/metrics",
        "/offline",
        "/offline.js",
        "/privacy",
        "/s/scripts/{version}/{name}",
        "/s/{token}",
        "/s/{token}/audio/{number}",
        "/s/{token}/download",
        "/s/{token}/download/{number}",
        "/s/{token}/embed",
        "/s/{token}/oembed",
        "/s/{token}/pads/{bank}/{pad}/audio",
        "/s/{token}/password",
        "/s/{token}/picture.png",
        "/s/{token}/plays",
        "/s/{token}/report",
        "/s/{token}/save",
        "/s/{token}/save/{number}",
        "/service-worker.js",
        "/share-target",
        "/status",
        "/terms",
        "/sitemap.xml",
    }
)
ENDLESS = frozenset({"GET /api/events"})  # see tests/api/routes/test_events.py
# Operations on a generated row that fail even for its owner, and why.
UNPROVEN = {
    "POST /api/shares": "a link has one target, and three are named",
    "PUT /api/collections/{collection_id}": "the generated collection is manual and takes no rules",
    "GET /api/conversions/{job_id}": "an invented job has made no archive",
    "GET /api/exports/{export_id}": "an invented export has no file",
    "GET /api/exports/{export_id}/files/{path}": "an invented export has no file",
    "POST /api/projects/{project_id}/compare": "an invented export has no files",
    "GET /api/billing/invoices/{invoice_id}": "its PDF comes from Stripe, who never made it",
    "POST /api/projects/{project_id}/redo": "the only step of the history is in force",
    "POST /api/projects/{project_id}/pads/{bank}/{pad}/swap": "the library has one sound only",
}

ALL = operations()
PRIVATE = [each for each in ALL if str(each) not in PUBLIC]


@pytest.fixture
def client(services: Settings) -> Iterator[TestClient]:
    app = wrap_in_middleware(api)
    with TestClient(app, base_url=services.origin, raise_server_exceptions=False) as client:
        assert client.portal is not None
        with client.portal.wrap_async_context_manager(db.quick_reads()):
            yield client


@pytest.fixture
def owner(services: Settings, tmp_path: Path) -> Person:
    return world.person(tmp_path)


def expired(person: Person) -> Iterator[dict[str, str]]:
    """Yield credentials that are no longer valid: an expired token, old and revoked sessions."""
    with patch.object(access_tokens, "now", lambda: now() - dt.timedelta(hours=2)):
        yield bearer(person.who.id)
    for values in ({"expires_at": now()}, {"revoked_at": now()}):
        pair = access_tokens.verify_access_token(bearer(person.who.id)["Authorization"].split()[1])
        headers = {"Authorization": f"Bearer {access_tokens.sign_access_token(pair)}"}
        with db.transaction() as session:
            row = update(SignIn).where(col(SignIn.id) == pair.sign_in_id).values(**values)
            session.exec(row)
        yield headers


# Optional query parameters that are ids of rows in these tables; a cursor is a place, not a row.
QUERY_IDS = {"like": "samples", "collection": "collections"}


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (operation, part["name"])
        for operation in PRIVATE
        for part in operation.description.get("parameters", [])
        if part["in"] == "query" and part["name"] != "cursor" and "uuid" in str(part["schema"])
    ],
    ids=str,
)
def test_another_users_id_in_a_query_is_answered_like_an_unknown_one(
    operation: Operation, name: str, client: TestClient, owner: Person
) -> None:
    def ask(ids: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
        asked = {name: ids[QUERY_IDS[name]]}
        answer = client.request(operation.method, operation.path, params=asked, headers=headers)
        return answer.status_code, answer.text

    stranger = bearer(sign_up_user().id)
    assert ask(owner.ids, stranger) == ask(never(), stranger)
    assert ask(owner.ids, stranger)[0] == 404
    assert ask(owner.ids, bearer(owner.who.id))[0] == 200


@pytest.mark.parametrize("operation", PRIVATE, ids=str)
def test_another_users_id_is_answered_like_an_unknown_one(
    operation: Operation, client: TestClient, owner: Person
) -> None:
    stranger = sign_up_user()
    before = dump(without=stranger.id)
    if str(operation) not in ENDLESS:
        theirs = normal(operation.send(client, owner.ids, bearer(stranger.id)), owner.ids)
        nobody_s = never()
        if operation.takes_ids:
            answer = operation.send(client, nobody_s, bearer(stranger.id))
            assert theirs == normal(answer, nobody_s)
        assert theirs[0] < 500 or theirs[0] == 503
        assert theirs[0] == 404 or "{" not in operation.path
        assert dump(without=stranger.id) == before
    stale = [{}, {"Authorization": "Bearer x"}, *expired(owner)]
    before = dump()
    for headers in stale:
        answer = operation.send(client, owner.ids, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert dump() == before
    if operation.takes_ids and str(operation) not in UNPROVEN:
        mine = operation.send(client, owner.ids, bearer(owner.who.id))
        assert mine.status_code < 300, mine.text  # otherwise a refusal would prove nothing


@pytest.mark.parametrize(
    ("operation", "foreign"),
    [(each, table) for each in PRIVATE if len(each.tables()) > 1 for table in each.tables()],
    ids=str,
)
def test_another_users_id_among_own_ids_is_answered_like_an_unknown_one(
    operation: Operation, foreign: str, client: TestClient, owner: Person, tmp_path: Path
) -> None:
    stranger = world.person(tmp_path)
    headers = bearer(stranger.who.id)
    before = dump()
    theirs, nobody_s = ({**stranger.ids, foreign: ids[foreign]} for ids in (owner.ids, never()))
    answer = normal(operation.send(client, theirs, headers), theirs)
    assert answer == normal(operation.send(client, nobody_s, headers), nobody_s)
    assert answer[0] == 404
    assert dump() == before
    if str(operation) not in UNPROVEN:
        assert operation.send(client, stranger.ids, headers).status_code < 300


@pytest.mark.parametrize("operation", [each for each in ALL if str(each) in PUBLIC], ids=str)
def test_public_routes_reveal_no_private_data(
    operation: Operation, client: TestClient, owner: Person
) -> None:
    before = dump()
    theirs = normal(operation.send(client, owner.ids, {}), owner.ids)
    assert untouched(before, dump())
    assert theirs[0] < 500 or theirs[0] == 503
    assert owner.who.email not in theirs[1]


def test_an_unverified_email_cannot_sign_in(client: TestClient) -> None:
    nobody = sign_up_user(verified=False)
    before = dump()["sign_ins"]
    body = {"email": nobody.email, "password": PASSWORD}
    answer = client.post("/api/auth/login", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
    form = client.post("/auth/session", data=body, follow_redirects=False)
    assert "error=email_not_verified" in form.headers["location"]
    assert dump()["sign_ins"] == before == {}


def test_every_route_is_covered() -> None:
    described = {operation.path for operation in ALL}
    served = set(every_route())
    assert described <= served
    assert served - described <= HIDDEN
    assert len(ALL) == len(set(map(str, ALL)))
