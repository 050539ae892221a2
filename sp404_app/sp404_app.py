"""The composition root: pages, routes and error handling meet here and nowhere else."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import reflex as rx
from reflex.event import EventSpec
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app import logs, models, pages
from sp404_app.api.app import api, gateway
from sp404_app.api.middleware.page_routing import page_addresses
from sp404_app.components.offline import offline
from sp404_app.db import quick_reads
from sp404_app.errors import AppError, Unauthenticated
from sp404_app.jobs.scheduler import housekeeping
from sp404_app.services.billing import stripe_client
from sp404_app.settings import settings
from sp404_app.state import handler_allowlist
from sp404_app.state.account.account import AccountState
from sp404_app.state.account.personal_data import OwnDataState
from sp404_app.state.auth.access_tokens import TokensState
from sp404_app.state.auth.email_links import (
    EmailLinkState,
    ForgotPasswordState,
    ResetPasswordState,
    VerifyEmailState,
)
from sp404_app.state.auth.login import LoginState
from sp404_app.state.auth.password_meter import StrengthState
from sp404_app.state.auth.signup import SignupState
from sp404_app.state.auth.two_factor import TwoFactorState
from sp404_app.state.billing.admin import OperatorState
from sp404_app.state.billing.billing import BillingState
from sp404_app.state.billing.plans import PlansState
from sp404_app.state.billing.usage import UsageState
from sp404_app.state.dev.outbox import DevOutboxState
from sp404_app.state.dev.stripe import DevStripeState
from sp404_app.state.layout import ShellState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.sample.query_by_sound import HearingState
from sp404_app.state.sample.sample import SampleState
from sp404_app.state.tab_isolation import KeepApart
from sp404_app.state.toast import NoticeState
from stripe_emulator import app as stripe_emulator

__all__ = ["app", "models"]

log = logging.getLogger(__name__)


def show_error(exception: Exception) -> EventSpec:
    """Tell the person what they can act on; log the rest."""
    if isinstance(exception, Unauthenticated):
        return rx.redirect("/login")
    if isinstance(exception, AppError):
        return NoticeState.show(str(exception), "error", False)  # type: ignore[return-value]
    log.error("unhandled error in an event handler", exc_info=exception)
    return NoticeState.show("Something went wrong on our side.", "error", False)  # type: ignore[return-value]


RESET: list[Any] = [ResetPasswordState.load, StrengthState.load]
ACCOUNT: list[Any] = [
    ShellState.load,
    AccountState.load,
    StrengthState.load,
    TwoFactorState.load,
    TokensState.load,
    OwnDataState.load,
]
# Address, page, title, and what is read when it opens.
PAGES: tuple[tuple[str, Callable[[], rx.Component], str, list[Any]], ...] = (
    ("/", pages.index, "The sample library for SP-404 owners", []),
    ("/signup", pages.signup, "Sign up", [SignupState.load, StrengthState.load]),
    ("/login", pages.login, "Sign in", [LoginState.load]),
    ("/verify-email", pages.verify_email, "Confirm your address", [VerifyEmailState.load]),
    ("/change-email", pages.change_email, "Your new address", [EmailLinkState.load]),
    ("/revert-email", pages.revert_email, "Keep your address", [EmailLinkState.load]),
    ("/forgot-password", pages.forgot_password, "Forgot password", [ForgotPasswordState.load]),
    ("/reset-password", pages.reset_password, "New password", RESET),
    (
        "/library",
        pages.library,
        "Library",
        [HearingState.close, ShellState.load, LibraryState.load],
    ),
    ("/samples/[sample_id]", pages.sample, "Sample", [ShellState.load, SampleState.load]),
    ("/plans", pages.plans, "Plans", [ShellState.load, PlansState.load]),
    (
        "/billing",
        pages.billing,
        "Billing",
        [ShellState.load, BillingState.load],
    ),
    ("/usage", pages.usage, "Usage", [ShellState.load, UsageState.load]),
    ("/account", pages.account, "Account", ACCOUNT),
    ("/operator", pages.operator, "Operator", [ShellState.load, OperatorState.load]),
)
if not settings().in_production:
    PAGES += (("/dev/outbox", pages.dev_outbox, "Outbox", [DevOutboxState.load]),)
if settings().stripe_emulated:
    PAGES += (("/dev/stripe", pages.dev_stripe, "Stripe, emulated", [DevStripeState.load]),)


@lru_cache
def emulator() -> stripe_emulator.Emulator:
    """Return the Stripe of machines without Stripe, made on first use: web workers fork."""
    return stripe_emulator.create(
        settings().home / "stripe.db",
        settings().secrets / "stripe.json",
        f"{settings().origin}/_stripe",
        f"{stripe_client.emulator_url().removesuffix('/_stripe')}/api/webhooks/stripe",
        production=settings().in_production,
    )


async def emulated(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as Stripe would."""
    await emulator()(scope, receive, send)


@asynccontextmanager
async def passing_time() -> AsyncIterator[None]:
    """Let time pass at the emulator, and its webhooks go out, while we serve."""
    emulator().start()
    yield
    emulator().stop()


if settings().stripe_emulated:
    api.mount("/_stripe", emulated)


class App(rx.App):
    """Reflex's app behind our gateway: outside of everything that Reflex puts around a backend."""

    def __call__(self) -> ASGIApp:
        """Return what the server runs: no answer leaves that the gateway has not seen.

        Each serving process asks for it, however it was started, so its logs begin here.
        """
        logs.configure()
        led = page_addresses([address for address, *_ in PAGES])
        return led(gateway(super().__call__()))


app = App(
    api_transformer=[api],
    backend_exception_handler=show_error,
    stylesheets=["/app.css", "/account.css"],
    # Reflex would load a toast library on every page to say what one line can say.
    toaster=None,
    extra_app_wraps={(5, "Overlay"): offline},
)
app.register_lifespan_task(housekeeping)
app.register_lifespan_task(quick_reads)
if settings().stripe_emulated:
    app.register_lifespan_task(passing_time)
app.add_middleware(KeepApart())
handler_allowlist.narrow()

app.add_page(pages.not_found, route="404", title="Page not found · Crate 404")
for address, page, title, on_load in PAGES:
    app.add_page(page, route=address, title=f"{title} · Crate 404", on_load=on_load)
