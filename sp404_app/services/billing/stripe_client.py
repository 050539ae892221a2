"""Our line to Stripe: the only module that knows its client. Answers leave it as plain dicts."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, Final, ParamSpec, TypeVar

import stripe
import structlog

from sp404_app.errors import Conflict, NotFound, PaymentFailed, Unavailable
from sp404_app.settings import settings

PATIENCE: Final = 10.0  # seconds for one answer
WHOLE: Final = 10.0  # seconds for everything that a person waits for (`in_time`)
RETRIES: Final = 1
EMULATOR_KEY: Final = "sk_test_emulator_"
API_VERSION: Final = stripe.api_version
EVERYWHERE: Final = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to

LEAST: Final = 1.0  # seconds that a second try needs

P = ParamSpec("P")
R = TypeVar("R")
Plain = dict[str, Any]
_ends: ContextVar[float | None] = ContextVar("ends", default=None)
log = structlog.get_logger()


class StripeUnavailable(Unavailable):
    """Nobody knows whether Stripe did what we asked; asking again with the same key tells."""


class StripeRequestFailed(Unavailable):
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


def stripe_mode() -> str:
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


def in_time(function: Callable[P, R]) -> Callable[P, R]:
    """Let all questions of a function together take ten seconds: a person waits for the answer."""

    @wraps(function)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        if _ends.get() is not None:
            return function(*args, **kwargs)
        token = _ends.set(time.monotonic() + WHOLE)
        try:
            return function(*args, **kwargs)
        finally:
            _ends.reset(token)

    return timed


def time_left() -> float:
    """Return how many seconds the next answer may take."""
    ends = _ends.get()
    return PATIENCE if ends is None else min(PATIENCE, ends - time.monotonic())


class _Requests(stripe.RequestsClient):
    """The client's transport, which waits no longer than there is time left."""

    @property
    def _timeout(self) -> float:
        return max(0.01, time_left())

    @_timeout.setter
    def _timeout(self, _: float) -> None:
        pass

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Ask once; what is asked too late is not tried again."""
        if time_left() <= 0:
            raise stripe.APIConnectionError("There is no time left.", should_retry=False)
        try:
            return super().request(*args, **kwargs)
        except stripe.APIConnectionError as error:
            error.should_retry = error.should_retry and time_left() > LEAST
            raise


@lru_cache(maxsize=4)
def _client(api_key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": base} if base else {},
        max_network_retries=RETRIES,
        http_client=_Requests(),
    )


@contextmanager
def stripe_errors() -> Iterator[None]:
    """Translate what Stripe refuses into our errors.

    Raises:
        PaymentFailed: If the card was declined.
        CustomerGone: If Stripe has no such customer.
        NotFound: If it has no such object.
        Conflict: If it will not do that.
        StripeUnavailable: If it does not answer.
        StripeRequestFailed: If it answers that it cannot.
    """
    try:
        yield
    except stripe.CardError as error:
        reason = error.user_message or "The card was declined."
        raise PaymentFailed(reason, {"reason": error.code or ""}) from error
    except stripe.APIConnectionError as error:
        log.warning("stripe does not answer", error=error)
        raise StripeUnavailable(
            "The payment service does not answer. Please try again soon."
        ) from error
    except stripe.InvalidRequestError as error:
        raise _refused(error) from error
    except stripe.StripeError as error:
        log.exception("stripe trouble", kind=type(error).__name__, request=error.request_id)
        raise StripeRequestFailed(
            "The payment service has a problem. Nothing was changed; please try again soon."
        ) from error


def _refused(error: stripe.InvalidRequestError) -> NotFound | Conflict:
    if error.code == "resource_missing":
        gone = error.param == "customer" or "no such customer" in str(error).lower()
        return (CustomerGone if gone else NotFound)("The payment service does not know this.")
    log.error("stripe refused", request=error.request_id, param=error.param, code=error.code)
    return Conflict("The payment service did not accept this. Nothing was changed.")


def to_plain_dict(found: Any) -> Plain:
    """Return an answer as dicts, lists, strings and numbers."""
    return found.to_dict(for_json=True)


def is_valid_signature(body: bytes, header: str, secret: str, tolerance: int) -> bool:
    """Say whether a body was signed with a secret, not too long ago."""
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True
