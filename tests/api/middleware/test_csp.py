"""Which scripts may run in our pages."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, gateway
from sp404_app.api.middleware import csp
from sp404_app.settings import Settings

PAGE = "<html><script src='/a.js'></script><script>{}</script><script type=module>b()</script>"


@pytest.fixture
def built(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    environment.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    folder = tmp_path / csp.PAGES
    (folder / "library").mkdir(parents=True)
    for name in ("index.html", "library/index.html", "404.html"):
        (folder / name).write_text(PAGE.format(f"page('{name}')"))
    return folder


def scripts(path: str) -> str:
    found = re.search(r"script-src ([^;]*)", csp.policy(path))
    assert found
    return found[1]


def test_each_page_allows_its_own_scripts_and_no_others(built: Path) -> None:
    for path, file in {"/": "index.html", "/library/": "library/index.html"}.items():
        (own, shared) = csp.hashes((built / file).read_text())
        assert scripts(path) == f"'self' {own} {shared}"
    assert len({scripts(path) for path in ("/", "/library/", "/404.html")}) == 3
    assert scripts("/samples/1") == scripts("/404.html")
    assert "unsafe" not in scripts("/")


def test_a_new_build_has_new_hashes(built: Path) -> None:
    before = scripts("/")
    (built / "index.html").write_text(PAGE.format("other()"))
    (built / "404.html").write_text(PAGE.format("later()"))
    assert scripts("/") != before


def test_without_pages_nothing_written_into_one_runs(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REFLEX_WEB_WORKDIR", "/nonexistent")
    assert scripts("/") == "'self'"


def test_the_description_of_the_api_loads_nothing_from_elsewhere(services: Settings) -> None:
    client = TestClient(gateway(api), base_url=services.origin)
    answer = client.get("/api/docs")
    said = answer.headers["content-security-policy"]
    assert csp.hashes(answer.text) == []
    assert "script-src 'self';" in said
    assert set(re.findall(r"https?://[^ ;]*", said)) <= {services.origin}
    assert "//" not in answer.text
    for address in re.findall(r'(?:src|href)="(/api/[^"]*)"', answer.text):
        found = client.get(address)
        assert (found.status_code, len(found.content) > 100) == (200, True), address
        assert found.headers["cache-control"].startswith("public")
    assert client.get("/api/docs/else.js").status_code == 404
    assert client.get("/api/docs/").status_code == 404
