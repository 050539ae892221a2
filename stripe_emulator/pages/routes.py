"""HTTP routes of the hosted pages."""

from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_emulator.pages import challenge, checkout, invoice, portal
from stripe_emulator.pages.html import File, Page, Redirect
from stripe_emulator.store import Store
from stripe_emulator.transaction import EmulatorConfig, Transaction

PageResult = Page | Redirect | File
Handler = Callable[[Transaction, str, dict[str, str]], PageResult]
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MAX_FORM_BYTES = 16_384
PAGES: tuple[tuple[str, Handler, Handler], ...] = (
    ("/pay/{key}", checkout.show_checkout, checkout.submit_checkout),
    ("/challenge/{key}", challenge.show_challenge, challenge.submit_challenge),
    ("/portal/{key}", portal.show_portal, portal.submit_portal_action),
    ("/invoice/{key}", invoice.show_invoice, invoice.submit_invoice_payment),
    ("/invoice/{key}/pdf", invoice.download_pdf, invoice.download_pdf),
)


def page_routes(store: Store, config: EmulatorConfig, wake: Callable[[], None]) -> list[Route]:
    """Return the routes of all pages."""
    return [page_route(path, show, send, store, config, wake) for path, show, send in PAGES]


def page_route(
    path: str,
    show: Handler,
    send: Handler,
    store: Store,
    config: EmulatorConfig,
    wake: Callable[[], None],
) -> Route:
    """Return the route of one page: GET shows it, POST submits its form."""

    async def answer(request: Request) -> Response:
        key, query = request.path_params["key"], dict(request.query_params)
        if request.method == "POST":
            body = await request.body()
            form = dict(parse_qsl(body[:MAX_FORM_BYTES].decode(errors="replace")))
            shown = await run_in_threadpool(run_handler, store, config, send, key, form)
            wake()
        else:
            shown = await run_in_threadpool(run_handler, store, config, show, key, query)
        return to_http_response(shown)

    return Route(path, answer, methods=["GET", "POST"])


def run_handler(
    store: Store, config: EmulatorConfig, handler: Handler, key: str, given: dict[str, str]
) -> PageResult:
    """Run a page handler in one transaction."""
    with store.writing() as connection:
        return handler(Transaction(connection, config), key, given)


def to_http_response(shown: PageResult) -> Response:
    """Convert the result of a page handler to an HTTP response."""
    if isinstance(shown, Redirect):
        return RedirectResponse(shown.url, 303, HEADERS)
    if isinstance(shown, File):
        name = f'attachment; filename="{shown.name}"'
        headers = HEADERS | {"Content-Disposition": name}
        return Response(shown.content, 200, headers, "application/pdf")
    return HTMLResponse(shown.render(), shown.status, HEADERS)
