"""The product opens in a real browser, and its page talks to its server."""

from playwright.sync_api import Page, Response


def test_the_first_page_opens_without_errors(page: Page) -> None:
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


def test_the_page_opens_the_websocket_of_its_own_server(page: Page, base_url: str) -> None:
    with page.expect_websocket() as opened:
        page.goto("/")
    socket = opened.value
    socket.wait_for_event("framereceived")
    assert socket.url.startswith(base_url.replace("http", "ws", 1))
    assert not socket.is_closed()


def test_no_answer_leaves_without_the_gateway(page: Page) -> None:
    """Reflex itself answers a preflight and sends odd addresses elsewhere, outside of our API."""
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
