"""Our line to Stripe: the only module that knows its client. Answers leave it as plain dicts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import stripe
import structlog

from sp404_app.errors import Conflict, NotFound, PaymentFailed, Unavailable
from sp404_app.settings import settings

PATIENCE: Final = 10.0  # seconds for one answer
RETRIES: Final = 1
EMULATOR_KEY: Final = "sk_test_emulator_"
API_VERSION: Final = stripe.api_version
EVERYWHERE: Final = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to

Plain = dict[str, Any]
log = structlog.get_logger()


class NoAnswer(Unavailable):
    """Nobody knows whether Stripe did what we asked; asking again with the same key tells."""


class StripeTrouble(Unavailable):
    """Stripe answered that it could not."""


class CustomerGone(NotFound):
    """Stripe does not know this customer (any more)."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What we show Stripe, and what it signs with."""

    api_key: str
    webhook_secrets: tuple[str, ...]


def keys() -> Keys:
    """Return the keys from the settings, or the emulator's from its file.

    Raises:
        Unavailable: If there are none.
    """
    if settings().stripe_emulated:
        try:
            found = json.loads((settings().secrets / "stripe.json").read_text())
            return Keys(found["api_key"], (found["webhook_secret"],))
        except (OSError, ValueError, KeyError) as error:
            raise Unavailable("The payment service is starting. Please try again.") from error
    key = settings().stripe_secret_key
    if not key or key.startswith(EMULATOR_KEY):
        raise Unavailable("Plans are not sold here yet.")
    return Keys(key, settings().stripe_webhook_secret)


def realm() -> str:
    """Name the world our ids belong to: ids of one are never shown to another."""
    if settings().stripe_emulated:
        return "emulator"
    return "live" if "_live_" in settings().stripe_secret_key else "test"


def client() -> stripe.StripeClient:
    """Return the client. It waits for answers: use it in threads and jobs only.

    Raises:
        Unavailable: If there are no keys.
    """
    return _client(keys().api_key, emulator_url() if settings().stripe_emulated else "")


def emulator_url() -> str:
    """Return where the emulator answers: beside us, on our own port."""
    host = "127.0.0.1" if settings().host in EVERYWHERE else settings().host
    return f"http://{host}:{settings().port}/_stripe"


@lru_cache(maxsize=4)
def _client(api_key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": base} if base else {},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=PATIENCE),
    )


@contextmanager
def asking() -> Iterator[None]:
    """Translate what Stripe refuses into our errors.

    Raises:
        PaymentFailed: If the card was declined.
        CustomerGone: If Stripe has no such customer.
        NotFound: If it has no such object.
        Conflict: If it will not do that.
        NoAnswer: If it does not answer.
        StripeTrouble: If it answers that it cannot.
    """
    try:
        yield
    except stripe.CardError as error:
        reason = error.user_message or "The card was declined."
        raise PaymentFailed(reason, {"reason": error.code or ""}) from error
    except stripe.APIConnectionError as error:
        log.warning("stripe does not answer", error=error)
        raise NoAnswer("The payment service does not answer. Please try again soon.") from error
    except stripe.InvalidRequestError as error:
        raise _refused(error) from error
    except stripe.StripeError as error:
        log.exception("stripe trouble", kind=type(error).__name__, request=error.request_id)
        raise StripeTrouble(
            "The payment service has a problem. Nothing was changed; please try again soon."
        ) from error


def _refused(error: stripe.InvalidRequestError) -> NotFound | Conflict:
    if error.code == "resource_missing":
        gone = error.param == "customer" or "no such customer" in str(error).lower()
        return (CustomerGone if gone else NotFound)("The payment service does not know this.")
    log.error("stripe refused", request=error.request_id, param=error.param, code=error.code)
    return Conflict("The payment service did not accept this. Nothing was changed.")


def plain(found: Any) -> Plain:
    """Return an answer as dicts, lists, strings and numbers."""
    return found.to_dict(for_json=True)


def verified(body: bytes, header: str, secret: str, tolerance: int) -> bool:
    """Say whether a body was signed with a secret, not too long ago."""
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True
