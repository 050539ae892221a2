"""Where the pages are."""

from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_emulator.pages import challenge, checkout, invoice, portal
from stripe_emulator.pages.html import File, Page, Redirect
from stripe_emulator.store import Store
from stripe_emulator.transaction import Ledger, Setup

Shown = Page | Redirect | File
Handler = Callable[[Ledger, str, dict[str, str]], Shown]
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MOST_BYTES = 16_384
PAGES: tuple[tuple[str, Handler, Handler], ...] = (
    ("/pay/{key}", checkout.show, checkout.send),
    ("/challenge/{key}", challenge.show, challenge.send),
    ("/portal/{key}", portal.show, portal.send),
    ("/invoice/{key}", invoice.show, invoice.send),
    ("/invoice/{key}/pdf", invoice.download, invoice.download),
)


def routes(store: Store, setup: Setup, wake: Callable[[], None]) -> list[Route]:
    """Return the routes of all pages."""
    return [route(path, show, send, store, setup, wake) for path, show, send in PAGES]


def route(
    path: str, show: Handler, send: Handler, store: Store, setup: Setup, wake: Callable[[], None]
) -> Route:
    """Return the route of one page: GET shows, POST does."""

    async def answer(request: Request) -> Response:
        key, query = request.path_params["key"], dict(request.query_params)
        if request.method == "POST":
            body = await request.body()
            form = dict(parse_qsl(body[:MOST_BYTES].decode(errors="replace")))
            shown = await run_in_threadpool(inside, store, setup, send, key, form)
            wake()
        else:
            shown = await run_in_threadpool(inside, store, setup, show, key, query)
        return respond(shown)

    return Route(path, answer, methods=["GET", "POST"])


def inside(store: Store, setup: Setup, handler: Handler, key: str, given: dict[str, str]) -> Shown:
    """Run a page in one transaction."""
    with store.writing() as connection:
        return handler(Ledger(connection, setup), key, given)


def respond(shown: Shown) -> Response:
    """Turn what a page wants into HTTP."""
    if isinstance(shown, Redirect):
        return RedirectResponse(shown.url, 303, HEADERS)
    if isinstance(shown, File):
        name = f'attachment; filename="{shown.name}"'
        headers = HEADERS | {"Content-Disposition": name}
        return Response(shown.content, 200, headers, "application/pdf")
    return HTMLResponse(shown.render(), shown.status, HEADERS)
