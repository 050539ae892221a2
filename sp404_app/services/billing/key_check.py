"""Ask Stripe whether it accepts a secret key, without changing anything."""

from enum import StrEnum
from typing import Final

import stripe

from sp404_app.services.billing import stripe_client

TIMEOUT_S: Final = 3


class KeyAnswer(StrEnum):
    """What Stripe said about a key."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_ALLOWED = "not allowed"
    UNKNOWN = "unknown"


SENTENCES: Final = {
    KeyAnswer.ACCEPTED: "Stripe accepts SP404_STRIPE_SECRET_KEY.",
    KeyAnswer.REFUSED: "Stripe refuses SP404_STRIPE_SECRET_KEY: copy it again from the dashboard.",
    KeyAnswer.NOT_ALLOWED: (
        "SP404_STRIPE_SECRET_KEY is a restricted key that may not read prices: "
        "allow it in Stripe's dashboard."
    ),
    KeyAnswer.UNKNOWN: "Stripe did not answer, so SP404_STRIPE_SECRET_KEY could not be checked.",
}


def ask_stripe(key: str) -> KeyAnswer:
    """List one price with the key; return how Stripe answered within TIMEOUT_S."""
    client = stripe.StripeClient(
        key,
        base_addresses={"api": stripe_client.API_BASE} if stripe_client.API_BASE else {},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
    )
    try:
        client.v1.prices.list({"limit": 1})
    except stripe.AuthenticationError:
        return KeyAnswer.REFUSED
    except stripe.PermissionError:
        return KeyAnswer.NOT_ALLOWED
    except stripe.StripeError:
        return KeyAnswer.UNKNOWN
    return KeyAnswer.ACCEPTED
