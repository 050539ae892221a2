"""Content-Security-Policy of the pages."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.middleware import csp
from sp404_app.settings import Settings

PAGE = "<html><script src='/a.js'></script><script>{}</script><script type=module>b()</script>"


@pytest.fixture
def built(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    environment.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    folder = tmp_path / csp.BUILT_PAGES_FOLDER
    (folder / "library").mkdir(parents=True)
    for name in ("index.html", "library/index.html", "404.html"):
        (folder / name).write_text(PAGE.format(f"page('{name}')"))
    return folder


def script_sources(path: str) -> str:
    found = re.search(r"script-src ([^;]*)", csp.content_security_policy(path))
    assert found
    return found[1]


def test_each_page_allows_its_own_inline_scripts_and_no_others(built: Path) -> None:
    for path, file in {"/": "index.html", "/library/": "library/index.html"}.items():
        (own, shared) = csp.script_hashes((built / file).read_text())
        assert script_sources(path) == f"'self' {own} {shared}"
    assert len({script_sources(path) for path in ("/", "/library/", "/404.html")}) == 3
    assert script_sources("/samples/1") == script_sources("/404.html")
    assert "unsafe" not in script_sources("/")


def test_a_new_build_changes_the_hashes(built: Path) -> None:
    before = script_sources("/")
    (built / "index.html").write_text(PAGE.format("other()"))
    (built / "404.html").write_text(PAGE.format("later()"))
    assert script_sources("/") != before


def test_without_built_pages_no_inline_script_is_allowed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REFLEX_WEB_WORKDIR", "/nonexistent")
    assert script_sources("/") == "'self'"


def test_the_api_documentation_loads_nothing_from_other_servers(services: Settings) -> None:
    client = TestClient(wrap_in_middleware(api), base_url=services.origin)
    answer = client.get("/api/docs")
    content_policy = answer.headers["content-security-policy"]
    assert csp.script_hashes(answer.text) == []
    assert "script-src 'self';" in content_policy
    assert set(re.findall(r"https?://[^ ;]*", content_policy)) <= {services.origin}
    assert "//" not in answer.text
    for url in re.findall(r'(?:src|href)="(/api/[^"]*)"', answer.text):
        found = client.get(url)
        assert (found.status_code, len(found.content) > 100) == (200, True), url
        assert found.headers["cache-control"].startswith("public")
    assert client.get("/api/docs/else.js").status_code == 404
    assert client.get("/api/docs/").status_code == 404


def test_only_the_thread_that_stretches_previews_compiles_webassembly() -> None:
    policy = csp.content_security_policy("/assets/stretch_worker-B44Oh_a-.js")
    assert "'wasm-unsafe-eval'" in policy
    assert "default-src 'none'" in policy
    for other in ("/library", "/assets/stretch_worker-1.js/x", "/assets/x/stretch_worker-1.js"):
        assert "wasm" not in csp.content_security_policy(other)
