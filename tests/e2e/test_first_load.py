"""The product starts, and its pages connect to its server."""

from playwright.sync_api import Page, Response


def test_the_landing_page_loads_without_errors(page: Page) -> None:
    errors: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400:
            errors.append(f"{response.status} {response.url}")

    page.on("response", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    response = page.goto("/")
    assert response
    assert response.status == 200
    page.wait_for_load_state("networkidle")
    assert errors == []


def test_the_page_opens_a_websocket_to_its_own_server(page: Page, base_url: str) -> None:
    with page.expect_websocket() as opened:
        page.goto("/")
    socket = opened.value
    socket.wait_for_event("framereceived")
    assert socket.url.startswith(base_url.replace("http", "ws", 1))
    assert not socket.is_closed()


def test_every_response_passes_through_the_middleware(page: Page) -> None:
    """Reflex answers preflight requests and odd paths itself, outside of the app's routes."""
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for method, path, headers in (
        ("OPTIONS", "/api/me", preflight),
        ("GET", "/x/%2f..", {}),
        ("GET", "/_event/", {}),
    ):
        answer = page.request.fetch(path, method=method, headers=headers, max_redirects=0)
        assert answer.headers["x-request-id"], path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
