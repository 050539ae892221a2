"""Webhook endpoints."""

import stripe

from stripe_emulator.objects import Object, new_id


def endpoint(moment: int, url: str, events: list[str], secret: str) -> Object:
    """Return an endpoint that is told about some events."""
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
