"""The fast paths of GET /api/samples and of one sample return what the declared routes return."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select, update

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.middleware import sample_list as routes
from sp404_app.db import NotQuick, quick_reads, transaction
from sp404_app.models import PersonalToken, ProcessingJob, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.auth import personal_access_tokens, sessions
from sp404_app.services.infra import events
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library import sample_list, samples, search
from sp404_app.services.library.key_words import key_search_words
from sp404_app.services.library.search_cursor import encode_cursor
from sp404_app.services.library.search_terms import search_words
from sp404_app.services.processing import jobs, quota_backlog
from sp404_app.settings import Settings, settings
from sp404_app.telemetry import metrics
from tests.accounts import CLIENT, bearer, cookie, sign_in_api_client
from tests.sounds import write

NAMES = ("Dusty kick", "dusty snare", "Warm pad", "É\"\\ ü'x", "Zeit 🥁", "Last")
GROUPS = [uuid.UUID(int=number) for number in (1, 2, 3)]
COPIES = (GROUPS[1], None, GROUPS[0], GROUPS[1], GROUPS[2], GROUPS[2])  # the last is in the trash
KEYS = ("A minor", "C major", "F# minor", None, "E minor", "D# major")


@pytest.fixture
def client(services: Settings) -> Iterator[TestClient]:
    """The API with the fast path enabled, as in a web process."""
    with TestClient(wrap_in_middleware(api), base_url=services.origin) as client:
        assert client.portal is not None
        with client.portal.wrap_async_context_manager(quick_reads()):
            yield client


@pytest.fixture
def library(user: User) -> User:
    with transaction() as session:
        session.add_all(_sample(user, number) for number in range(len(NAMES)))
    return user


def _sample(user: User, number: int) -> Sample:
    name, loop = NAMES[number], number % 2 == 0
    tags = ["drums", "a b"] if number < 3 else []
    return Sample(
        user_id=user.id,
        name=name,
        filename=f"{name}.wav",
        folder="a/b",
        storage_key=f"{user.id}/{number}",
        size=1000 * number,
        digest=str(number),
        format="WAV",
        duration=[0.1, 2.0, 1e-7, None, 1.5, 2.0][number],
        sample_rate=44_100,
        channels=2,
        status="ready" if number else "failed",
        error="" if number else "No sound in it.",
        kind="loop" if loop else "one_shot",
        sound_class="break" if loop else "tom",
        root_note=None if loop else 45,
        bpm=90.5 if loop else None,
        bpm_confidence=0.25 if loop else None,
        key=KEYS[number],
        favourite=number == 1,
        rating=number % 6,
        note='line\nbreak "quoted"',
        tags=tags,
        search_text=f"{key_search_words(KEYS[number])} {search_words(name, *tags)}",
        sort_key=sort_key(name),
        duplicate_group_id=COPIES[number],
        deleted_at=now() if number == 5 else None,
    )


def forbidden(*_: object, **__: object) -> Any:
    raise AssertionError("this path must not be used")


async def closed(*_: object) -> bytes:
    raise NotQuick


def both(client: TestClient, user: User, address: str) -> tuple[Any, Any]:
    """Return the answers of the fast path and of the declared route, with the other disabled."""
    headers, answers = bearer(user.id), []
    for module, name, substitute in (
        (search, "search_page", forbidden),
        (sample_list, "fetch_sample_page", closed),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, name, substitute)
            answer = client.get(f"/api/samples{address}", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert int(answer.headers["ratelimit-remaining"]) >= 0
        answers.append(answer.json())
    return answers[0], answers[1]


ADDRESSES = [
    *("", "?limit=2", "?limit=200", "?nothing=known", "?limit=1&limit=3"),
    *(f"?sort={mark}{name}&limit=2" for name in search.SORTS for mark in ("", "-")),
    *("?q=dusty", "?q=dust%20-snare", f"?q={quote('é')}", "?q=F%23m", "?trash=true"),
    *("?q=minor%20-F%23&sort=name", "?q=DUSTY", "?sort=-name&limit=1"),
    *("?bpm_min=90&bpm_max=91", "?key=A%20minor", "?compatible_key=A%20minor", "?kind=loop"),
    *("?tag=drums&tag=a%20b", "?favourite=1", "?status=failed", "?duration_min=1.5"),
    *("?has_copies=true", "?has_copies=1&sort=copies&limit=1", "?has_copies=1&trash=1"),
    *("?rating_min=3", "?rating_min=0&favourite=1"),
    *("?duration_max=2&kind=one_shot&sort=-duration", "?sound_class=tom&kind=one_shot"),
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_fast_path_and_route_answer_the_same(
    client: TestClient, library: User, address: str
) -> None:
    quick, declared = both(client, library, address)
    assert quick == declared
    assert quick["samples"]
    assert list(quick["samples"][0]) == list(declared["samples"][0])
    for name in ("created_at", "updated_at"):
        assert dt.datetime.fromisoformat(quick["samples"][0][name]).utcoffset() == dt.timedelta()


def test_a_query_of_symbols_finds_nothing(client: TestClient, library: User) -> None:
    answer = client.get("/api/samples?q=%22%27", headers=bearer(library.id))
    assert (answer.status_code, answer.json()["total"]) == (200, 0)


@pytest.mark.parametrize("sort", [f"{m}{name}" for name in search.SORTS for m in ("", "-")])
def test_fast_path_cursors_lead_through_every_sample_once(
    client: TestClient, library: User, sort: str
) -> None:
    seen, cursor = set(), ""
    for _ in range(5):
        page, declared = both(client, library, f"?sort={sort}&limit=1&cursor={quote(cursor)}")
        assert page == declared
        assert page["total"] == 5
        seen |= {row["id"] for row in page["samples"]}
        cursor = page["next_cursor"]
    assert (cursor, len(seen)) == (None, 5)


@pytest.mark.parametrize(
    "address",
    [
        *("?limit=0", "?limit=201", "?limit=x", "?sort=evil", "?key=H", "?bpm_min=-1", "?q=%00"),
        *(
            "?bpm_min=",
            "?favourite=perhaps",
            "?cursor=x",
            f"?q={'x' * 401}",
            "?kind=%F0%9F",
            "?sound_class=cowbell",
        ),
        *("?sort=size&cursor=" + encode_cursor("size", uuid.UUID(int=1), 1.5),),
        *("?sort=copies&cursor=" + encode_cursor("copies", uuid.UUID(int=1), "x"),),
        *("?sort=copies&cursor=" + encode_cursor("copies", uuid.UUID(int=1), 7),),
        *("?has_copies=perhaps", "?rating_min=6", "?rating_min=2.5", "?rating_min=nan"),
        *("?" + "&".join(f"tag={number}" for number in range(31)),),
    ],
)
def test_invalid_requests_get_the_same_error_from_both(
    client: TestClient, library: User, address: str
) -> None:
    headers = bearer(library.id)
    with_quick = client.get(f"/api/samples{address}", headers=headers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routes, "_answer_list", closed_route)
        declared = client.get(f"/api/samples{address}", headers=headers)
    assert (with_quick.status_code, with_quick.json()) == (declared.status_code, declared.json())


async def closed_route(_: object) -> None:
    return None


def test_one_sample_is_the_same_from_the_fast_path_and_the_route(
    client: TestClient, library: User
) -> None:
    with transaction() as session:
        ids = session.exec(select(Sample.id).order_by(col(Sample.id))).all()
    headers = bearer(library.id)
    for sample_id in ids:  # one of them is in the trash
        address = f"/api/samples/{sample_id}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(samples, "get_sample", forbidden)
            quick = client.get(address, headers=headers)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sample_list, "fetch_sample", closed)
            declared = client.get(address, headers=headers)
        assert (quick.status_code, quick.json()) == (200, declared.json())
        assert list(quick.json()) == list(declared.json())
        for name in ("content-type", "cache-control", "ratelimit-limit"):
            assert quick.headers[name] == declared.headers[name]
    spelt = client.get(f"/api/samples/{str(ids[0]).upper()}", headers=headers)
    assert spelt.json()["id"] == str(ids[0])


def test_one_sample_of_nobody_or_of_another_user_is_not_found(
    client: TestClient, library: User, person: Any
) -> None:
    with transaction() as session:
        sample_id = session.exec(select(Sample.id)).first()
    theirs = client.get(f"/api/samples/{sample_id}", headers=bearer(person().id))
    nobody_s = client.get(f"/api/samples/{uuid.uuid4()}", headers=bearer(library.id))
    assert (theirs.status_code, nobody_s.status_code) == (404, 404)
    assert theirs.json()["error"] == nobody_s.json()["error"] == "There is no such sample."
    assert client.get(f"/api/samples/{sample_id}").status_code == 401
    assert client.get("/api/samples/no-id", headers=bearer(library.id)).status_code == 422


def test_one_sample_has_the_name_of_its_route_in_the_metrics(
    client: TestClient, library: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[object, ...]] = []
    monkeypatch.setattr(metrics, "count_response", lambda *values: counted.append(values))
    with transaction() as session:
        sample_id = session.exec(select(Sample.id)).first()
    client.get(f"/api/samples/{sample_id}", headers=bearer(library.id))
    assert counted[0][:3] == ("GET", "/api/samples/{sample_id}", 200)


def test_spelling_is_corrected_by_the_declared_route(client: TestClient, library: User) -> None:
    answer = client.get("/api/samples?q=dsuty", headers=bearer(library.id)).json()
    assert [row["name"] for row in answer["samples"]] == ["dusty snare", "Dusty kick"]
    nothing = client.get("/api/samples?q=zzzzzz", headers=bearer(library.id)).json()
    assert (nothing["samples"], nothing["total"]) == ([], 0)


def test_the_fast_path_lists_only_the_users_samples(
    client: TestClient, library: User, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = person()
    mine = client.get("/api/samples", headers=bearer(library.id)).json()
    assert len(mine["samples"]) == 5
    theirs = client.get("/api/samples", headers=bearer(stranger.id)).json()
    assert (theirs["samples"], theirs["total"]) == ([], 0)
    assert client.get("/api/samples").status_code == 401
    mine_again = client.get("/api/samples", headers=bearer(library.id)).json()
    assert mine_again == mine


def test_has_copies_ignores_duplicates_in_the_trash(client: TestClient, library: User) -> None:
    page = client.get("/api/samples?has_copies=true&sort=copies", headers=bearer(library.id)).json()
    assert [row["name"] for row in page["samples"]] == [NAMES[0], NAMES[3]]
    assert {row["copy_group"] for row in page["samples"]} == {str(GROUPS[1])}
    trash = client.get("/api/samples?has_copies=1&trash=1", headers=bearer(library.id)).json()
    assert [row["name"] for row in trash["samples"]] == ["Last"]


def test_the_fast_path_rejects_a_revoked_session(client: TestClient, library: User) -> None:
    token = {"Authorization": f"Bearer {sign_in_api_client(library.id).token}"}
    browser = {"Cookie": f"{sessions.cookie_name()}={cookie(library.id)}"}
    for headers in (token, browser):
        assert client.get("/api/samples", headers=headers).json()["total"] == 5
    with transaction() as session:
        sessions.revoke_all_sessions(session, library.id)
    for headers in (token, browser):
        assert client.get("/api/samples", headers=headers).status_code == 401


def test_personal_tokens_are_checked_at_each_request(client: TestClient, library: User) -> None:
    def made(scope: personal_access_tokens.Scope) -> personal_access_tokens.MadeToken:
        with transaction() as session:
            return personal_access_tokens.create_personal_token(
                session, library.id, "mine", [scope], 30, CLIENT
            )

    def answer(token: str) -> httpx.Response:
        return client.get("/api/samples", headers={"Authorization": f"Bearer {token}"})

    reader = made(personal_access_tokens.Scope.SAMPLES_READ)
    first, second = answer(reader.token), answer(reader.token)  # the first notes its use
    usual = client.get("/api/samples", headers=bearer(library.id))
    assert (first.json(), second.json()) == (usual.json(), usual.json())
    with transaction() as session:
        row = session.get_one(PersonalToken, uuid.UUID(reader.id))
        assert row.last_used_at
        row.expires_at = now()
    assert answer(reader.token).status_code == 401
    other = made(personal_access_tokens.Scope.PROJECTS_READ)
    for _ in range(2):
        refused = answer(other.token)
        assert refused.status_code == 403
        assert refused.json()["details"] == {"ability": "samples:read"}
    another = made(personal_access_tokens.Scope.SAMPLES_READ)
    assert answer(another.token).status_code == 200
    with transaction() as session:
        personal_access_tokens.revoke_personal_token(
            session, library.id, uuid.UUID(another.id), CLIENT
        )
    assert answer(another.token).status_code == 401


def test_each_request_is_counted_once(
    client: TestClient, library: User, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "5")
    settings.cache_clear()
    headers = bearer(library.id)
    addresses = ["", "?q=dsuty", "?limit=0", "", ""]  # plain, misspelt, invalid
    left = [
        client.get(f"/api/samples{address}", headers=headers).headers["ratelimit-remaining"]
        for address in addresses
    ]
    assert left == ["4", "3", "2", "1", "0"]
    refused = client.get("/api/samples", headers=headers)
    assert (refused.status_code, refused.headers["ratelimit-remaining"]) == (429, "0")


CHANGES = [
    ("PATCH", "/{id}", {"name": "New"}),
    ("PATCH", "/{id}", {"tags": ["fresh"]}),
    ("DELETE", "/{id}", None),
    ("POST", "/{id}/analyze", None),
    *(
        ("POST", "/bulk", {"action": action, "ids": ["{id}"], "tags": tags})
        for action, tags in (("favourite", []), ("tag", ["x"]), ("delete", []))
    ),
    ("POST", "/bulk", {"action": "delete", "filter": {"kind": "loop"}}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_page_is_cached_until_the_library_changes(
    client: TestClient, library: User, method: str, path: str, body: Any
) -> None:
    headers = bearer(library.id)
    client.get("/api/samples", headers=headers)  # creates the first cache version
    before = client.get("/api/samples", headers=headers).json()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_list, "_query_page", forbidden)
        assert client.get("/api/samples", headers=headers).json() == before
    row = before["samples"][0]
    sent = json.loads(json.dumps(body).replace("{id}", row["id"]))
    changed = client.request(
        method, f"/api/samples{path.format(id=row['id'])}", headers=headers, json=sent
    )
    assert changed.status_code < 300, changed.text
    quick, declared = both(client, library, "")
    assert quick == declared
    assert quick != before


def test_restores_uploads_and_analyses_invalidate_the_cache(
    client: TestClient, library: User, tmp_path: Path
) -> None:
    headers = bearer(library.id)

    def listed() -> Any:
        quick, declared = both(client, library, "")
        assert quick == declared
        return quick["samples"]

    sample_id = listed()[0]["id"]
    client.delete(f"/api/samples/{sample_id}", headers=headers)
    assert sample_id not in [row["id"] for row in listed()]
    client.post(f"/api/samples/{sample_id}/restore", headers=headers)
    assert sample_id in [row["id"] for row in listed()]
    click = write(tmp_path / "click.wav", np.zeros(4410, np.float32)).read_bytes()
    sent = client.post("/api/samples", headers=headers, files={"file": ("click.wav", click)})
    added = listed()[0]
    assert (added["id"], added["status"]) == (sent.json()["samples"][0]["id"], "queued")
    with transaction() as session:
        job = session.exec(
            select(ProcessingJob).where(ProcessingJob.sample_id == uuid.UUID(added["id"]))
        ).one()
        jobs.cancel_job(session, library.id, job.id)
    assert listed()[0]["status"] == "failed"


def test_scheduled_changes_invalidate_the_cache(client: TestClient, library: User) -> None:
    with transaction() as session:
        old = session.exec(select(Sample).where(col(Sample.deleted_at).is_not(None))).one()
        old.deleted_at = now() - dt.timedelta(days=31)
        other = session.exec(select(Sample).where(Sample.name == "Warm pad")).one()
        other.status = "waiting_for_quota"
    for _ in range(2):
        client.get("/api/samples", headers=bearer(library.id))
        client.get("/api/samples?trash=true", headers=bearer(library.id))
    with transaction() as session:
        assert samples.purge_old_trash(session, now()) == 1
    assert client.get("/api/samples?trash=true", headers=bearer(library.id)).json()["total"] == 0
    with transaction() as session:
        assert quota_backlog.enqueue_waiting_samples(session) == 1
    quick, declared = both(client, library, "?status=queued")
    assert quick == declared
    assert [row["name"] for row in quick["samples"]] == ["Warm pad"]


def test_an_emptied_redis_starts_a_new_cache_version(client: TestClient, library: User) -> None:
    for _ in range(2):
        client.get("/api/samples", headers=bearer(library.id))
    events.connection().flushdb()
    with transaction() as session:  # publishes no event
        session.exec(update(Sample).values(name="New"))
    quick, declared = both(client, library, "")
    assert quick == declared


def test_the_cache_is_not_used_while_redis_is_unavailable(
    client: TestClient, library: User, environment: pytest.MonkeyPatch
) -> None:
    headers = bearer(library.id)
    for _ in range(2):
        client.get("/api/samples", headers=headers)
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    with transaction() as session:
        session.exec(update(Sample).values(name="New"))
    names = [row["name"] for row in client.get("/api/samples", headers=headers).json()["samples"]]
    assert set(names) == {"New"}
