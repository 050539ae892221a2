"""Pages answer under their own address."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from sp404_app.api.addresses import page_addresses


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.path)


@pytest.fixture
def client() -> TestClient:
    inner = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST"])])
    wrap = page_addresses(["/", "/library", "/samples/[sample_id]"])
    return TestClient(wrap(inner))


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
    ],
)
def test_an_address_leads_to_its_page(client: TestClient, asked: str, served: str) -> None:
    assert client.get(asked).text == served


def test_only_reading_is_led(client: TestClient) -> None:
    assert client.post("/library").text == "/library"
