"""Cache headers of built files, and assets of former builds."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles

from sp404_app.api.middleware import csp
from sp404_app.api.middleware.built_files import CHECK_AGAIN, FOREVER, serve_built_files
from sp404_app.services.infra import former_assets
from sp404_app.settings import settings


@pytest.fixture
def client(environment: pytest.MonkeyPatch, tmp_path: Path) -> TestClient:
    """A server of a new build, which has an asset of the former build, too."""
    environment.setenv("SP404_HOME", str(tmp_path / "home"))
    environment.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    settings.cache_clear()
    built = tmp_path / csp.BUILT_PAGES_FOLDER
    (built / "assets").mkdir(parents=True)
    for name in ("index.html", "404.html", "app.css", "favicon.ico", "assets/page-old.js"):
        (built / name).write_text(name)
    former_assets.keep_assets(built / "assets")
    (built / "assets" / "page-old.js").rename(built / "assets" / "page-new.js")
    former_assets.keep_assets(built / "assets")
    app = FastAPI()
    app.add_api_route("/api/x", lambda: PlainTextResponse("x"))
    app.mount("/", StaticFiles(directory=built, html=True))
    return TestClient(serve_built_files(app))


@pytest.mark.parametrize("name", ["page-old.js", "page-new.js"])
def test_assets_of_this_and_the_former_build_may_be_kept_forever(
    client: TestClient, name: str
) -> None:
    answer = client.get(f"/assets/{name}")
    assert (answer.status_code, answer.text) == (200, "assets/page-old.js")
    assert answer.headers["cache-control"] == FOREVER
    assert "javascript" in answer.headers["content-type"]
    again = client.get(f"/assets/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, FOREVER)


@pytest.mark.parametrize(("ending", "encoding"), [(".gz", "gzip"), (".br", "br")])
def test_an_asset_is_answered_compressed_if_the_build_compressed_it(
    client: TestClient, ending: str, encoding: str
) -> None:
    (former_assets.folder() / f"page-old.js{ending}").write_bytes(b"packed")
    answer = client.head("/assets/page-old.js", headers={"Accept-Encoding": encoding})
    assert answer.headers["content-encoding"] == encoding


@pytest.mark.parametrize("path", ["/", "/index.html", "/app.css", "/favicon.ico", "/nothing"])
def test_other_built_files_are_checked_at_each_use(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["cache-control"] == CHECK_AGAIN
    if etag := answer.headers.get("etag"):
        again = client.get(path, headers={"If-None-Match": etag})
        assert again.status_code == (304 if answer.is_success else 404)
        assert again.headers["cache-control"] == CHECK_AGAIN


@pytest.mark.parametrize(
    "path", ["gone.js", "..%2Fcurrent", "%2e%2e/current", ".page-old.js", "", "a/page-old.js"]
)
def test_no_other_file_of_the_store_is_served(client: TestClient, path: str) -> None:
    answer = client.get(f"/assets/{path}")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == CHECK_AGAIN


def test_answers_of_the_api_are_left_alone(client: TestClient) -> None:
    assert "cache-control" not in client.get("/api/x").headers
    assert client.post("/assets/page-old.js").status_code == 405
