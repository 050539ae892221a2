"""Caching of API responses."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse, Response

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.settings import Settings
from tests.accounts import bearer
from tests.security import world
from tests.security.routes import every_route, operations

# The same for every user.
PUBLIC = {"/api/auth/public-key", "/.well-known/jwks.json", "/sitemap.xml"}
PUBLIC |= {"/terms", "/privacy", "/contact"}
PUBLIC |= {"/offline", "/offline.js", "/service-worker.js"}
ENDLESS = "/api/events"


def varies(answer: Response) -> set[str]:
    return {name.strip() for name in answer.headers.get("vary", "").split(",")}


def test_every_response_is_uncacheable_or_varies_with_the_credentials(
    services: Settings, tmp_path: Path
) -> None:
    person = world.person(tmp_path)
    client = TestClient(wrap_in_middleware(api), base_url=services.origin, client=("127.0.0.1", 1))
    headers, cached = bearer(person.who.id), set()
    answers = {
        each.path: each.send(client, person.ids, headers)
        for each in operations()
        if each.method == "GET" and each.path != ENDLESS
    }
    answers |= {path: client.get(path) for path in every_route() if "{" not in path}
    for path, answer in answers.items():
        cache_control = answer.headers.get("cache-control", "")
        if path in PUBLIC or "no-store" in cache_control:
            continue
        assert "private" in cache_control, path
        assert {"Cookie", "Authorization"} <= varies(answer), path
        cached.add(path)
    assert "/api/samples/{sample_id}/audio" in cached


@pytest.mark.parametrize(
    ("given", "vary"),
    [
        ({"Cache-Control": "private, max-age=60"}, "Cookie, Authorization"),
        (
            {"Cache-Control": "max-age=60, private", "Vary": "Accept"},
            "Accept, Cookie, Authorization",
        ),
        ({"Cache-Control": "private, no-store"}, None),
        ({"Cache-Control": "public, max-age=60"}, None),
        ({}, None),
    ],
)
def test_a_private_response_varies_with_the_credentials(
    services: Settings, given: dict[str, str], vary: str | None
) -> None:
    inside = PlainTextResponse("mine", headers=given)
    assert TestClient(wrap_in_middleware(inside)).get("/somewhere").headers.get("vary") == vary
