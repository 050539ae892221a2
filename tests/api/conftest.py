"""API clients that are authenticated by access tokens, and a function that uploads files."""

from collections.abc import Callable

import httpx
import pytest
from fastapi.testclient import TestClient

from sp404_app.models import User
from tests.accounts import bearer
from tests.services.conftest import keep

__all__ = ["keep"]

Send = Callable[..., httpx.Response]


@pytest.fixture
def client(api: TestClient, user: User) -> TestClient:
    """A client of the API, authenticated as the test's user."""
    api.headers.update(bearer(user.id))
    return api


@pytest.fixture
def stranger(api: TestClient, person: Callable[..., User]) -> dict[str, str]:
    """Headers that authenticate another user."""
    return bearer(person().id)


@pytest.fixture
def send(client: TestClient) -> Send:
    """Upload files given as name and content."""

    def post(*files: tuple[str, bytes], **fields: str) -> httpx.Response:
        parts = [("file", (name, content, "application/octet-stream")) for name, content in files]
        return client.post("/api/samples", files=parts, data=fields)

    return post
