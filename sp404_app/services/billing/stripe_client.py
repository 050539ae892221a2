"""The Stripe client: keys, timeouts, retries and error translation. No other module builds one."""

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
from sp404_app.telemetry import metrics, tracing

RESPONSE_TIMEOUT_S: Final = 10.0  # for one response
TIME_BUDGET_S: Final = 10.0  # for all Stripe requests of one user request
RETRIES: Final = 1
MIN_RETRY_S: Final = 1.0  # time that must be left for a retry
EMULATOR_KEY_PREFIX: Final = "sk_test_emulator_"
API_BASE: Final = ""  # Stripe's own; tests set the emulator's
API_VERSION: Final = stripe.api_version
WILDCARD_HOSTS: Final = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to

P = ParamSpec("P")
R = TypeVar("R")
StripeDict = dict[str, Any]
_deadline: ContextVar[float | None] = ContextVar("stripe_deadline", default=None)
_is_ending: ContextVar[bool] = ContextVar("stripe_is_ending", default=False)
log = structlog.get_logger()


class StripeUnavailable(Unavailable):
    """No response: the outcome is unknown until a retry with the same idempotency key."""


class StripeRequestFailed(Unavailable):
    """Stripe responded with an error that is not about the request, such as a server error."""


class CustomerGone(NotFound):
    """The Stripe customer does not exist or was deleted."""


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """The API key, and the secrets that webhook signatures are verified with."""

    api_key: str
    webhook_secrets: tuple[str, ...]


def load_keys() -> StripeKeys:
    """Return the keys from the settings, or the emulator's from its file.

    Raises:
        Unavailable: If billing is off, no key is configured, or the emulator has not written its
            file yet.
    """
    if not settings().billing and not _is_ending.get():
        raise Unavailable("Payments are turned off here.")
    if settings().stripe_emulated:
        try:
            found = json.loads((settings().secrets / "stripe.json").read_text())
            return StripeKeys(found["api_key"], (found["webhook_secret"],))
        except (OSError, ValueError, KeyError) as error:
            raise Unavailable("Payments are starting up. Please try again.") from error
    key = settings().stripe_secret_key
    if not key or key.startswith(EMULATOR_KEY_PREFIX):
        raise Unavailable("Paid plans aren't available yet.")
    return StripeKeys(key, settings().stripe_webhook_secret)


def stripe_mode() -> str:
    """Return "emulator", "test" or "live": Stripe ids of one mode are never used in another."""
    if settings().stripe_emulated:
        return "emulator"
    return "live" if "_live_" in settings().stripe_secret_key else "test"


def client() -> stripe.StripeClient:
    """Return the Stripe client. It blocks: call it from threads and jobs only.

    Raises:
        Unavailable: If no key is configured.
    """
    return _client(load_keys().api_key, emulator_url() if settings().stripe_emulated else API_BASE)


def emulator_url() -> str:
    """Return the emulator's base URL, on this product's own host and port."""
    host = "127.0.0.1" if settings().host in WILDCARD_HOSTS else settings().host
    return f"http://{host}:{settings().port}/_stripe"


def within_time_budget(function: Callable[P, R]) -> Callable[P, R]:
    """Limit all Stripe requests of a function to TIME_BUDGET_S together, as a user is waiting."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        if _deadline.get() is not None:
            return function(*args, **kwargs)
        token = _deadline.set(time.monotonic() + TIME_BUDGET_S)
        try:
            return function(*args, **kwargs)
        finally:
            _deadline.reset(token)

    return limited


def allowed_without_billing(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function call Stripe also with `SP404_BILLING=off`, where all other calls fail.

    A deleted account must not be charged any more, even if it subscribed before that setting.
    """

    @wraps(function)
    def allowed(*args: P.args, **kwargs: P.kwargs) -> R:
        token = _is_ending.set(True)
        try:
            return function(*args, **kwargs)
        finally:
            _is_ending.reset(token)

    return allowed


def time_left() -> float:
    """Return how many seconds the next response may take."""
    deadline = _deadline.get()
    if deadline is None:
        return RESPONSE_TIMEOUT_S
    return min(RESPONSE_TIMEOUT_S, deadline - time.monotonic())


class _Requests(stripe.RequestsClient):
    """HTTP transport whose timeout is the time left in the budget."""

    @property
    def _timeout(self) -> float:
        return max(0.01, time_left())

    @_timeout.setter
    def _timeout(self, _: float) -> None:
        pass

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request; allow a retry only if the budget leaves time for it."""
        if time_left() <= 0:
            raise stripe.APIConnectionError("The time budget is used up.", should_retry=False)
        started, outcome = time.perf_counter(), "no_answer"
        resource = metrics.stripe_resource(args[1])
        try:
            with tracing.span("stripe", "CLIENT", {"stripe.resource": resource}) as span:
                body, status, headers = super().request(*args, **kwargs)
                if span:
                    span.set_attribute("http.response.status_code", status)
            outcome = f"{status // 100}xx"
        except stripe.APIConnectionError as error:
            error.should_retry = error.should_retry and time_left() > MIN_RETRY_S
            raise
        else:
            return body, status, headers
        finally:
            metrics.count_stripe_request(resource, outcome, time.perf_counter() - started)


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
    """Translate Stripe's errors into ours.

    Raises:
        PaymentFailed: If the card was declined.
        CustomerGone: If the customer does not exist.
        NotFound: If another object does not exist.
        Conflict: If Stripe rejected the request.
        StripeUnavailable: If there was no response.
        StripeRequestFailed: If Stripe responded with any other error, such as a server error.
    """
    try:
        yield
    except stripe.CardError as error:
        reason = error.user_message or "Your card was declined."
        raise PaymentFailed(reason, {"reason": error.code or ""}) from error
    except stripe.APIConnectionError as error:
        log.warning("no response from stripe", error=error)
        raise StripeUnavailable(
            "Our payment provider isn't responding. Please try again in a few minutes."
        ) from error
    except stripe.InvalidRequestError as error:
        raise _translate_invalid_request(error) from error
    except stripe.StripeError as error:
        log.exception("stripe request failed", kind=type(error).__name__, request=error.request_id)
        raise StripeRequestFailed(
            "Our payment provider has a problem. Nothing has changed. Please try again in a few "
            "minutes."
        ) from error


def _translate_invalid_request(error: stripe.InvalidRequestError) -> NotFound | Conflict:
    if error.code == "resource_missing":
        gone = error.param == "customer" or "no such customer" in str(error).lower()
        return (CustomerGone if gone else NotFound)("Our payment provider can't find this.")
    log.error(
        "stripe rejected the request", request=error.request_id, param=error.param, code=error.code
    )
    return Conflict("Our payment provider rejected this. Nothing has changed.")


def to_plain_dict(found: Any) -> StripeDict:
    """Return a Stripe object as plain dicts, lists, strings and numbers."""
    return found.to_dict(for_json=True)


def is_valid_signature(body: bytes, header: str, secret: str, tolerance: int) -> bool:
    """Return whether a webhook body was signed with `secret` in the last `tolerance` seconds."""
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True
