"""/api/projects/{id}/pads and banks: hostile requests, revisions, scopes and limits."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api as app
from sp404_app.api.app import wrap_in_middleware
from sp404_app.db import transaction
from sp404_app.models import User
from sp404_app.services.auth import personal_access_tokens
from sp404_app.services.auth.sessions import cookie_name
from sp404_app.settings import Settings
from tests.accounts import CLIENT, bearer, cookie
from tests.ids import UNKNOWN_ID
from tests.sounds import Keep

ANY = {"If-Match": "*"}
NOT_JSON = {"Content-Type": "application/json"} | ANY


@pytest.fixture
def project(client: TestClient, keep: Keep) -> str:
    """The path of an MKII project with sounds on A1 and A2."""
    ids = [str(keep("Kick.wav")), str(keep("Snare.wav"))]
    made = client.post("/api/projects", json={"name": "Night set", "sample_ids": ids})
    assert made.status_code == 201, made.text
    return f"/api/projects/{made.json()['project']['id']}"


def place(bank: object = "A", pad: object = 1) -> dict[str, object]:
    return {"bank": bank, "pad": pad}


@pytest.mark.parametrize("bad", [place("K"), place(pad=0), place(pad=17), place(pad="1"),
                                 place(pad=True), place(pad=1.5), place(None), place("a"),
                                 place(["A"]), {"bank": "A"}, {}, "A1", None])  # fmt: skip
def test_a_place_that_the_device_lacks_is_422_in_every_body(
    bad: object, client: TestClient, project: str
) -> None:
    before = client.get(project).json()
    bodies: dict[str, dict[str, object]] = {
        "fill": {**(bad if isinstance(bad, dict) else {"bank": bad}), "sample_ids": []},
        "move": {"from": bad, "to": place()},
        "move ": {"from": place(), "to": bad},
    }
    for path, body in bodies.items():
        refused = client.post(f"{project}/pads/{path.strip()}", json=body, headers=ANY)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid"), refused.text
    assert client.get(project).json() == before


@pytest.mark.parametrize("bank", ["K", "a", "AB", "%00", "é", "0"])
def test_an_unknown_bank_is_422(bank: str, client: TestClient, project: str) -> None:
    assert client.delete(f"{project}/banks/{bank}", headers=ANY).status_code == 422
    body = {"from": "A", "to": bank}
    assert client.post(f"{project}/banks/move", json=body, headers=ANY).status_code == 422
    assert client.get(f"{project}/pads/{bank}/1").status_code == 422


def test_the_sx_has_no_pad_13(client: TestClient, keep: Keep) -> None:
    made = client.post(
        "/api/projects", json={"name": "x", "device": "sx", "sample_ids": [str(keep())]}
    ).json()
    path = f"/api/projects/{made['project']['id']}"
    assert client.get(f"{path}/pads/A/13").status_code == 422
    body = {"from": place(), "to": place(pad=13)}
    assert client.post(f"{path}/pads/move", json=body, headers=ANY).status_code == 422
    body = place(pad=13) | {"sample_ids": []}
    assert client.post(f"{path}/pads/fill", json=body, headers=ANY).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        '{"settings": {"level": NaN}}',
        '{"settings": {"level": Infinity}}',
        '{"settings": {"level": 1e9}}',
        '{"settings": {"level": 1' + "0" * 400 + "}}",
        '{"settings": {"level": 1' + "0" * 5000 + "}}",
        '{"settings": {"level": "127"}}',
        '{"settings": {"\\ud800": 1}}',
        '{"settings": {"\\u0000": 1}}',
        '{"settings": {"play_mode": "\\u0000"}}',
        '{"settings": []}',
        '{"settings": ' + "[" * 50_000 + "}",
        '{"settings": {' + ",".join(f'"s{n}": 1' for n in range(100)) + "}}",
        '{"edit": {"gain_db": NaN}}',
        '{"edit": {"gain_db": -1e400}}',
        '{"edit": {"trim": [0, 1' + "0" * 400 + "]}}",
        '{"edit": {"\\ud800": 1}}',
        '{"edit": {"normalise": {"to": "peak", "value": NaN}}}',
        '{"edit": {"stretch_to_bpm": {"from": 0, "to": 100}}}',
        '{"chops": [NaN]}',
        '{"chops": [-1]}',
        '{"chops": [1e9]}',
        '{"chops": [' + ",".join(map(str, range(17))) + "]}",
        '{"name": 5}',
        '{"name": "' + "x" * 401 + '"}',
        '{"sample_id": "1 or 1=1"}',
        '{"sample_id": ["' + UNKNOWN_ID + '"]}',
        '{"revision": 1}',
        '{"user_id": "' + UNKNOWN_ID + '"}',
        "[]",
        "null",
        "{",
        "",
    ],
    ids=lambda body: body[:40],
)
def test_a_hostile_change_is_refused_and_changes_nothing(
    body: str, client: TestClient, project: str
) -> None:
    before = client.get(project).json()
    refused = client.put(f"{project}/pads/A/1", content=body, headers=NOT_JSON)
    assert refused.status_code in (400, 422), refused.text
    assert refused.json()["code"] in ("invalid", "bad_request")
    assert client.get(project).json() == before


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a\x00b"},
        {"banks": [{"bank": "A", "name": "a\x00b"}]},
        {"name": "סט \u202eלילה"},
        {"tempo": 200, "tempo_source": "bank"},
    ],
)
def test_any_text_can_be_a_name(body: dict[str, Any], client: TestClient, project: str) -> None:
    changed = client.put(project, json=body, headers=ANY)
    assert changed.status_code == 200, changed.text
    assert "\x00" not in changed.json()["name"] + changed.json()["banks"][0]["name"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tempo": 39}, "tempo"),
        ({"tempo": "fast"}, "tempo"),
        ({"tempo_source": "pad"}, "tempo_source"),
        ({"device": "sx"}, "device"),
        ({"banks": [{"bank": "K"}]}, "banks.bank"),
        ({"banks": [{"bank": "A", "volume": 128}]}, "banks.volume"),
        ({"banks": [{"bank": "A"}] * 11}, "banks"),
    ],
)
def test_a_hostile_change_of_the_project_is_422(
    body: dict[str, Any], field: str, client: TestClient, project: str
) -> None:
    refused = client.put(project, json=body, headers=ANY)
    assert refused.status_code == 422
    assert [name.replace(".0", "") for name in refused.json()["details"]] == [field]


CHANGES: dict[str, tuple[str, str, object]] = {
    "project": ("PUT", "", {"name": "new"}),
    "trash": ("DELETE", "", None),
    "pad": ("PUT", "/pads/A/1", {"name": "new"}),
    "clear": ("DELETE", "/pads/A/1", None),
    "fill": ("POST", "/pads/fill", place() | {"sample_ids": []}),
    "move": ("POST", "/pads/move", {"from": place(), "to": place("B")}),
    "bank": ("POST", "/banks/move", {"from": "A", "to": "B"}),
    "clear bank": ("DELETE", "/banks/A", None),
    "undo": ("POST", "/undo", None),
    "redo": ("POST", "/redo", None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_needs_the_revision_that_was_seen(
    change: str, client: TestClient, project: str
) -> None:
    method, path, body = CHANGES[change]
    client.put(f"{project}/pads/A/1", json={"name": "other"}, headers=ANY)
    if change == "redo":
        client.post(f"{project}/undo", headers=ANY)
    before = client.get(project).json()
    missing = client.request(method, project + path, json=body)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    stale = client.request(method, project + path, json=body, headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    shown = client.get(f"{project}/pads/A/1") if "/pads/A/1" in path else client.get(project)
    assert stale.json()["details"] == {"revision": shown.json()["revision"]}
    assert shown.headers["etag"] == f'"{shown.json()["revision"]}"'
    assert client.get(project).json() == before
    fresh = {"If-Match": shown.headers["etag"]}
    assert client.request(method, project + path, json=body, headers=fresh).status_code < 300


@pytest.mark.parametrize(
    "value", ["", '""', "W/", "x", "1.5", "-1", '"1", "2"', "1" * 40, "0x1", "\xb2", "**", '"1'],
)  # fmt: skip
def test_a_revision_that_is_none_is_refused(value: str, client: TestClient, project: str) -> None:
    before = client.get(project).json()
    headers = {"If-Match": value.encode("latin-1")}
    refused = client.put(project, json={"name": "x"}, headers=headers)  # type: ignore[arg-type]
    assert refused.status_code in (409, 422)
    assert client.get(project).json() == before


def test_of_two_requests_that_change_a_pad_at_once_one_is_refused(
    client: TestClient, project: str
) -> None:
    seen = {"If-Match": client.get(f"{project}/pads/A/1").headers["etag"]}

    def set_level(level: int) -> int:
        body = {"settings": {"level": level}}
        return client.put(f"{project}/pads/A/1", json=body, headers=seen).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(set_level, range(4))) == [200, 409, 409, 409]


def test_a_foreign_sample_is_like_an_unknown_one_in_every_body(
    client: TestClient, project: str, keep: Keep, person: Callable[..., User]
) -> None:
    before = client.get(project).json()
    answers = []
    for bad in (str(keep(owner=person().id)), str(uuid.uuid4())):
        requests: list[tuple[str, str, dict[str, Any]]] = [
            ("PUT", f"{project}/pads/A/1", {"sample_id": bad}),
            ("PUT", f"{project}/pads/B/1", {"sample_id": bad}),
            ("POST", f"{project}/pads/fill", place("B") | {"sample_ids": [bad]}),
            ("POST", "/api/projects", {"name": "x", "sample_ids": [bad]}),
        ]
        sent = [client.request(way, url, json=body, headers=ANY) for way, url, body in requests]
        answers.append([answer.text for answer in sent])
        assert [answer.status_code for answer in sent] == [404] * 4
    assert answers[0] == answers[1]
    assert client.get(project).json() == before


def test_one_drop_fills_160_pads_and_its_answer_names_the_rest(
    client: TestClient, project: str, keep: Keep
) -> None:
    ids = [str(keep()), str(keep())] * 80
    body = place() | {"sample_ids": ids}
    done = client.post(f"{project}/pads/fill", json=body, headers=ANY).json()
    assert (len(done["filled"]), done["not_placed"]) == (158, ids[158:])
    assert done["project"]["pad_count"] == len(done["project"]["pads"]) == 160
    too_many = place() | {"sample_ids": ids[:1] * 2_001}
    refused = client.post(f"{project}/pads/fill", json=too_many, headers=ANY)
    assert refused.status_code == 422


def test_a_body_above_1_mb_is_413(services: Settings, user: User) -> None:
    outside = TestClient(wrap_in_middleware(app), base_url=services.origin)
    path = f"/api/projects/{uuid.uuid4()}/pads/A/1"
    large = outside.put(path, json={"name": "x" * 2**20}, headers=ANY | bearer(user.id))
    assert large.status_code == 413


def test_a_repeated_deletion_does_not_delete_for_good(client: TestClient, project: str) -> None:
    seen = {"If-Match": client.get(project).headers["etag"]}
    assert client.delete(project, headers=seen).status_code == 204
    assert client.delete(project, headers=seen).status_code == 409
    restored = client.post(f"{project}/restore")
    assert (restored.status_code, restored.json()["deleted_at"]) == (200, None)


def test_a_token_needs_the_scope_of_projects(client: TestClient, user: User, project: str) -> None:
    def token(*scopes: str) -> dict[str, str]:
        with transaction() as session:
            made = personal_access_tokens.create_personal_token(
                session, user.id, "script", list(scopes), None, CLIENT
            )
        return {"Authorization": f"Bearer {made.token}"}

    reader, other = token("projects:read"), token("samples:read", "samples:write")
    writer = token("projects:write")
    assert client.get(project, headers=reader).status_code == 200
    body = {"name": "new"}
    refused = client.put(project, json=body, headers=ANY | reader)
    assert (refused.status_code, refused.json()["details"]) == (403, {"ability": "projects:write"})
    assert client.put(project, json=body, headers=ANY | writer).status_code == 200
    assert client.get(project, headers=other).json()["details"] == {"ability": "projects:read"}


def test_another_site_cannot_change_a_project_with_the_cookie(
    services: Settings, user: User, project: str
) -> None:
    browser = TestClient(wrap_in_middleware(app), base_url=services.origin)
    headers = ANY | {"Cookie": f"{cookie_name()}={cookie(user.id)}"}
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = browser.put(project, json={"name": "x"}, headers=headers | foreign)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    same = headers | {"Origin": services.origin}
    assert browser.put(project, json={"name": "x"}, headers=same).status_code == 200


def test_requests_count_against_the_rate_limit(
    services: Settings, user: User, project: str
) -> None:
    outside = TestClient(wrap_in_middleware(app), base_url=services.origin)
    path, headers = f"{project}/pads/A/1", ANY | bearer(user.id)
    left = [
        int(outside.put(path, json={}, headers=headers).headers["ratelimit-remaining"])
        for _ in range(2)
    ]
    assert left[0] == left[1] + 1


def test_the_api_description_names_the_missing_revision(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()["paths"]
    put = described["/api/projects/{project_id}/pads/{bank}/{pad}"]["put"]
    assert "If-Match" in put["responses"]["428"]["description"]
    assert "428" not in described["/api/projects"]["post"]["responses"]
