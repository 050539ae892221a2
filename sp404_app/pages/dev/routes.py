"""URLs that exist in development only: the mail outbox and the Stripe emulator's controls."""

from collections.abc import Iterator

from sp404_app.pages.dev.outbox import dev_outbox
from sp404_app.pages.dev.stripe import dev_stripe
from sp404_app.pages.page import Page
from sp404_app.settings import settings
from sp404_app.state.dev.outbox import DevOutboxState
from sp404_app.state.dev.stripe import DevStripeState


def dev_pages() -> Iterator[Page]:
    """Yield the development pages that the settings allow."""
    if not settings().in_production:
        yield Page(
            route="/dev/outbox",
            component=dev_outbox,
            title="Outbox",
            on_load=[DevOutboxState.load],
        )
    if settings().stripe_emulated:
        yield Page(
            route="/dev/stripe",
            component=dev_stripe,
            title="Stripe emulator",
            on_load=[DevStripeState.load],
        )
