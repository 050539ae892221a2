"""Service worker, offline page and share target, as the server gives them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.components.theme import THEME_SCRIPT
from sp404_app.settings import Settings
from tests.security.world import dump

MAX_WORKER_LINES = 250
FONTS = ("geist-basic-wght-1.woff2", "geist-latin-wght-1.woff2")
BROWSER = {"Accept": "text/html,*/*;q=0.8"}
FROM_ELSEWHERE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def client(services: Settings) -> Iterator[TestClient]:
    app = wrap_in_middleware(api)
    with TestClient(app, base_url=services.origin, follow_redirects=False) as client:
        yield client


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of built pages with a font of each subset."""
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    client = tmp_path / "build" / "client"
    (client / "assets").mkdir(parents=True)
    for name in (*FONTS, "geist-cyrillic-wght-1.woff2", "a-1.js"):
        (client / "assets" / name).touch()
    for name in ("404.html", "app.css", "offline.css"):
        (client / name).touch()
    return client


def constants(client: TestClient) -> tuple[str, list[str]]:
    """Return BUILD and SHELL of the service worker."""
    first, second, *_ = client.get("/service-worker.js").text.splitlines()
    return first, json.loads(second.removeprefix("const SHELL = ").removesuffix(";"))


def test_the_service_worker_is_checked_at_each_use_and_small(client: TestClient) -> None:
    answer = client.get("/service-worker.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    assert len(answer.text.splitlines()) <= MAX_WORKER_LINES


def test_the_files_of_the_offline_page_are_served(client: TestClient, built: Path) -> None:
    _, shell = constants(client)
    files = {name for name in shell if (built / name.lstrip("/")).is_file()}
    assert files == {"/app.css", "/offline.css", *(f"/assets/{name}" for name in FONTS)}
    for path in set(shell) - files:
        assert client.get(path).status_code == 200
    page = client.get("/offline").text
    assert all(path in page for path in shell if path.endswith((".css", ".js")))


@pytest.mark.parametrize("changed", ["assets/b-2.js", "app.css"])
def test_every_build_has_a_service_worker_of_its_own(
    client: TestClient, built: Path, changed: str
) -> None:
    first, _ = constants(client)
    assert constants(client)[0] == first
    (built / changed).write_text("new")
    (built / "404.html").write_text("a build writes it anew")
    assert constants(client)[0] != first


def test_the_offline_page_is_the_same_for_all_and_runs_no_script_but_the_theme(
    client: TestClient,
) -> None:
    answer = client.get("/offline")
    assert answer.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in answer.headers
    inline = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert inline == [THEME_SCRIPT]  # which the policy of all pages allows


@pytest.mark.parametrize("size", [10, 3_000_000])
@pytest.mark.parametrize("headers", [{}, FROM_ELSEWHERE, {"Origin": "null"}])
def test_without_a_service_worker_shared_files_are_not_taken_and_the_page_says_so(
    client: TestClient, size: int, headers: dict[str, str]
) -> None:
    before = dump()
    file = {"sounds": ("take.wav", bytes(size), "audio/wav")}
    answer = client.post("/share-target", files=file, headers=BROWSER | headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/share-target")
    assert "Nothing was added" in client.get("/share-target").text
    assert dump() == before
