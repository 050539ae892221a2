"""Each page is served under its own URL."""

import asyncio
from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.api.app import wrap_in_middleware
from sp404_app.api.middleware.page_routing import route_pages

pytestmark = pytest.mark.usefixtures("environment")


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("/", "/"),
        ("/library", "/library/"),
        ("/library/", "/library/"),
        ("/library?q=kick", "/library/"),
        ("/samples/0199", "/404.html"),
        ("/samples/", "/samples/"),
        ("/samples/0199/audio", "/samples/0199/audio"),
        ("/api/samples/0199", "/api/samples/0199"),
        ("/nowhere", "/nowhere"),
        ("//x/..", "/not-found"),
        ("//", "/not-found"),
        ("//evil.example/%2e%2e", "/not-found"),
        ("/%2Fevil.example/..", "/not-found"),
        ("/%5Cevil.example", "/not-found"),
        ("/\\evil.example/..", "/not-found"),
        ("/library/../account", "/not-found"),
        ("/./library", "/not-found"),
        ("/library//", "/not-found"),
        ("/samples/..", "/not-found"),
        ("/%0d%0aSet-Cookie:x=y", "/not-found"),
        ("/api//me", "/api/not-found"),
        ("/api/../auth/session", "/api/not-found"),
    ],
)
async def test_a_path_is_served_from_the_file_of_its_page(asked: str, served: str) -> None:
    assert await path_served("GET", asked) == served


async def test_only_get_and_head_are_routed_to_pages() -> None:
    assert await path_served("POST", "/library") == "/library"
    assert await path_served("POST", "//x/..") == "/not-found"


@pytest.mark.parametrize("host", ["localhost:3000", "evil.example", "evil.example:80"])
@pytest.mark.parametrize(
    "asked", ["//x/..", "/\\x/..", "/%2Fx/..", "/x/..", "/folder", "/folder/."]
)
async def test_a_redirect_never_contains_the_request_s_host(
    tmp_path: Path, asked: str, host: str
) -> None:
    """The file server takes the host from the `Host` header; `relative_redirects` removes it."""
    for name in ("index.html", "404.html", "folder/index.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    files = wrap_in_middleware(StaticFiles(directory=tmp_path, html=True))
    status, headers = await answer(route_pages(["/"])(files), "GET", asked, host)
    if asked == "/folder":
        assert (status, headers["location"]) == (307, "/folder/")
    else:
        assert (status, "location" in headers) == (404, False)


async def path_served(method: str, asked: str) -> str:
    """Return the path that reaches the inner application when a client requests `asked`."""
    seen: list[str] = []

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await PlainTextResponse("")(scope, receive, send)

    await answer(route_pages(["/", "/library", "/samples/[sample_id]"])(inside), method, asked)
    return seen[0]


async def answer(
    app: ASGIApp, method: str, asked: str, host: str = "localhost:3000"
) -> tuple[int, Headers]:
    """Send a request as a hostile client does: nothing in its path is normalised."""
    sent: list[Message] = []
    received: list[bool] = []

    async def receive() -> Message:
        if received:
            await asyncio.Event().wait()  # the client stays connected
        received.append(True)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    path, _, query = asked.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", host.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 3000),
    }
    await app(scope, receive, send)
    return sent[0]["status"], Headers(raw=sent[0]["headers"])
