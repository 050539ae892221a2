"""The product starts, and its pages connect to its server."""

import re

import pytest
from playwright.sync_api import Page, Response, Route, WebSocketRoute, expect

from tests.e2e import people
from tests.e2e.test_library import DEMO_USER

# Cumulative layout shift: https://web.dev/articles/cls
SUM_OF_SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((entry) => { sum += entry.value; });
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 200);
})"""


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


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_moves_on_the_landing_page_while_its_pictures_come(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    held: list[Route] = []
    page.route("**/*.webp", lambda route: held.append(route))  # noqa: PLW0108 - Playwright reads it
    page.goto("/", wait_until="domcontentloaded")
    picture = page.locator(".hero img")
    place = picture.bounding_box()
    page.evaluate("() => document.fonts.ready")
    while held:
        held.pop().continue_()
    picture.evaluate("img => img.decode()")
    assert place
    assert place["height"] > 200
    assert picture.bounding_box() == place
    assert page.evaluate(SUM_OF_SHIFTS) <= 0.05  # the limit of "good" for Core Web Vitals is 0.1


def test_a_dialog_waits_for_the_style_sheet_that_comes_with_it(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/collections.css", hold)
    people.sign_in(page, DEMO_USER)
    page.get_by_test_id("name").first.wait_for()
    page.keyboard.press("Home")
    page.keyboard.press("c")
    while not held:
        page.wait_for_timeout(20)
    page.wait_for_timeout(300)
    dialog = page.get_by_test_id("add-to-collection")
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("name").first).to_be_visible()  # the page stays as it was
    for route in held:
        route.continue_()
    expect(dialog).to_be_visible()
    expect(dialog.locator(".picker-list")).to_have_css("display", "grid")


def test_a_part_that_cannot_be_loaded_says_so_and_comes_after_a_reload(page: Page) -> None:
    people.sign_in(page, DEMO_USER)
    page.get_by_test_id("name").first.wait_for()
    scripts = "**/assets/*.js"
    page.route(scripts, lambda route: route.abort())
    page.get_by_test_id("find-by-sound").click()
    expect(page.get_by_test_id("late-part-error")).to_contain_text("can’t be loaded right now")
    page.unroute(scripts)
    page.get_by_test_id("reload-page").click()
    page.get_by_test_id("name").first.wait_for()
    expect(page.get_by_test_id("late-part-error")).to_have_count(0)
    page.get_by_test_id("find-by-sound").click()
    expect(page.get_by_test_id("finder")).to_be_visible()


def test_a_network_that_is_cut_is_reported_at_once(page: Page) -> None:
    people.sign_in(page, DEMO_USER)
    page.context.set_offline(True)  # the websocket stays open
    expect(page.get_by_test_id("offline")).to_be_visible()
    page.route(
        "**/ping", lambda route: route.abort()
    )  # the network is back before its names and routes are
    with page.expect_request("**/ping"):
        page.context.set_offline(False)
    expect(page.get_by_test_id("offline")).to_be_visible()
    page.unroute("**/ping")
    expect(page.get_by_test_id("offline")).to_have_count(0)


def test_a_lost_connection_is_reported_beside_a_missing_part(page: Page) -> None:
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    people.sign_in(page, DEMO_USER)
    page.route_web_socket(re.compile("_event"), connect)
    page.reload()
    page.get_by_test_id("name").first.wait_for()
    page.evaluate("() => void dispatchEvent(new Event('vite:preloadError'))")
    page.context.set_offline(True)
    sockets[0].close()  # an open one stays open
    lost, missing = page.get_by_test_id("offline"), page.get_by_test_id("late-part-error")
    expect(lost).to_have_text("Connection lost. Reconnecting… Playback continues.")
    first, second = lost.bounding_box(), missing.bounding_box()
    assert first
    assert second
    assert second["y"] >= first["y"] + first["height"]
    expect(page.locator(".banners main")).to_have_count(0)  # the page is not a part of them
    page.context.set_offline(False)
    expect(lost).to_have_count(0)
