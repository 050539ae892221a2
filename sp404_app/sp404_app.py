"""Composition root: builds the application from pages, API, middleware and background tasks.

`reflex export` and granian import `app` from here. Nothing else imports this module.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

import reflex as rx
import structlog
from reflex.event import EventSpec
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app import logs, models
from sp404_app.api import lifecycle
from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.error_handlers import find_outage
from sp404_app.api.middleware.built_files import expire_former_assets
from sp404_app.api.middleware.page_routing import route_pages
from sp404_app.components.installation import installation_links
from sp404_app.components.offline import offline
from sp404_app.components.storage_guard import storage_guard
from sp404_app.components.theme import theme_script
from sp404_app.db import quick_reads
from sp404_app.errors import AppError, Unauthenticated
from sp404_app.pages.routes import NOT_FOUND_PAGE, all_pages
from sp404_app.services.auth import redirects
from sp404_app.services.billing import stripe_client
from sp404_app.services.infra.library_use import show_use_while_serving
from sp404_app.settings import settings
from sp404_app.state import handler_allowlist
from sp404_app.state.browser_errors import report_browser_error
from sp404_app.state.event_timer import EventTimer
from sp404_app.state.event_traces import trace_events
from sp404_app.state.tab_isolation import TabIsolation
from sp404_app.state.toast import ToastState
from sp404_app.telemetry import metrics, processes, sentry, tracing
from stripe_emulator import app as stripe_emulator

__all__ = ["app", "models"]

UNEXPECTED_ERROR = "Something went wrong on our side."

log = structlog.get_logger(__name__)


def show_error(exception: Exception) -> EventSpec:
    """Show an event handler's error in the page; log it if no service raised it."""
    if isinstance(exception, Unauthenticated):
        return rx.redirect(redirects.login_url(exception.page), replace=True)
    exception = find_outage(exception) or exception
    if isinstance(exception, AppError):
        return ToastState.show(str(exception), "error")  # type: ignore[return-value]
    reference = uuid.uuid4().hex[:8]
    log.error("unhandled error in an event handler", reference=reference, exc_info=exception)
    return ToastState.show(f"{UNEXPECTED_ERROR} Reference: {reference}", "error")  # type: ignore[return-value]


@lru_cache
def emulator() -> stripe_emulator.Emulator:
    """Return the Stripe emulator, created on first use because web workers fork."""
    return stripe_emulator.create_emulator(
        settings().home / "stripe.db",
        settings().secrets / "stripe.json",
        f"{settings().origin}/_stripe",
        f"{stripe_client.emulator_url().removesuffix('/_stripe')}/api/webhooks/stripe",
        production=settings().in_production,
    )


async def serve_emulator(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a request on to the Stripe emulator."""
    await emulator()(scope, receive, send)


@asynccontextmanager
async def run_emulator() -> AsyncIterator[None]:
    """Run the emulator's clock and send its webhooks while this process serves."""
    emulator().start()
    yield
    emulator().stop()


PAGES = all_pages()


class App(rx.App):
    """The Reflex application inside our middleware."""

    def __call__(self) -> ASGIApp:
        """Return the ASGI application; every response passes through the middleware.

        Each serving process calls this, however it was started, so logging is configured here.
        """
        logs.configure()
        metrics.start_process(processes.WEB)
        sentry.start()
        if provider := tracing.start():
            trace_events(provider)
        add_page_routing = route_pages([page.route for page in PAGES])
        return add_page_routing(wrap_in_middleware(super().__call__()))


app = App(
    api_transformer=[api],
    backend_exception_handler=show_error,
    frontend_exception_handler=report_browser_error,
    stylesheets=["/app.css", "/forms.css"],
    # Reflex would load a toast library on every page; `ToastState` shows one line instead.
    toaster=None,
    head_components=[storage_guard(), theme_script(), *installation_links()],
    extra_app_wraps={(5, "Overlay"): offline},
)
app.register_lifespan_task(tracing.stop_at_end)  # first, so it ends last
app.register_lifespan_task(lifecycle.follow_phase)
app.register_lifespan_task(show_use_while_serving)
app.register_lifespan_task(quick_reads)
app.register_lifespan_task(expire_former_assets)
if settings().stripe_emulated:
    api.mount("/_stripe", serve_emulator)
    app.register_lifespan_task(run_emulator)
app.add_middleware(EventTimer())
app.register_lifespan_task(lifecycle.report_ready)  # last: all others have started
app.add_middleware(TabIsolation())
handler_allowlist.remove_setvar_handlers()

for page in (NOT_FOUND_PAGE, *PAGES):
    app.add_page(
        page.component,
        route=page.route,
        title=f"{page.title} · Crate 404",
        on_load=list(page.on_load),
    )
