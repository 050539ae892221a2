"""Builder of webhook endpoints."""

import stripe

from stripe_emulator.objects import Object, new_id


def new_webhook_endpoint(moment: int, url: str, events: list[str], secret: str) -> Object:
    """Return an enabled webhook endpoint."""
    return {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": stripe.api_version,
        "application": None,
        "created": moment,
        "description": None,
        "enabled_events": events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_secret": secret,
    }
