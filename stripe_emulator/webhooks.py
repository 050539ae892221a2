"""Deliver signed webhook events with retries (docs.stripe.com/webhooks)."""

import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import stripe

from stripe_emulator.objects import Object, public_copy
from stripe_emulator.store import Store
from stripe_emulator.transaction import PRODUCT_ENDPOINT_ID, EmulatorConfig, Transaction

logger = logging.getLogger(__name__)
RETRY_DELAYS_S = (2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
CLAIM_DURATION_S = 30.0
REQUEST_TIMEOUT_S = 20.0
CLAIM_QUERY = """
update deliveries set claimed_until = ?, attempts = attempts + 1 where id = (
  select id from deliveries where status = 'pending' and due <= ? and claimed_until <= ?
  order by position, id limit 1
) returning id, event, endpoint, url, attempts
"""


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """HTTP status of a delivery attempt, or the reason why there was no response."""

    status: int | None
    error: str | None

    @property
    def delivered(self) -> bool:
        """Whether the endpoint answered 2xx."""
        return self.status is not None and 200 <= self.status < 300


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Treat redirects as responses; Stripe does not follow them."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        """Do not follow the redirect."""
        return


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirects)


class WebhookSender:
    """Sends pending deliveries. Several processes may do so at the same time."""

    def __init__(self, store: Store, config: EmulatorConfig) -> None:
        self.store = store
        self.config = config

    def deliver_pending(self, *, ignore_delays: bool = False, max_deliveries: int = 1000) -> int:
        """Send the due deliveries and return the number of attempts; none while paused."""
        for count in range(max_deliveries):
            if not self.deliver_one(ignore_delays):
                return count
        return max_deliveries

    def deliver_one(self, ignore_delays: bool) -> bool:
        """Claim one delivery and send it; return False if none is due."""
        with self.store.reading() as connection:
            if Transaction(connection, self.config).settings()["paused"]:
                return False
        now = self.config.clock()
        horizon = float("inf") if ignore_delays else now
        with self.store.writing() as connection:
            row = connection.execute(CLAIM_QUERY, (now + CLAIM_DURATION_S, horizon, now)).fetchone()
            if row is None:
                return False
            tx = Transaction(connection, self.config)
            event = public_copy(tx.get("event", row["event"]))
            secret = self.signing_secret(tx, row["endpoint"])
        outcome = post_event(row["url"], event, secret, int(now))
        self.record_outcome(dict(row), outcome)
        return True

    def signing_secret(self, tx: Transaction, endpoint: str) -> str:
        """Return the secret that signs events for an endpoint."""
        if endpoint == PRODUCT_ENDPOINT_ID:
            return self.config.webhook_secret
        found = tx.get_or_none(endpoint)
        return found["_secret"] if found else self.config.webhook_secret

    def record_outcome(self, row: Object, outcome: DeliveryOutcome) -> None:
        """Save the outcome of an attempt, and when the delivery is retried."""
        now, tries = self.config.clock(), row["attempts"]
        over = tries > len(RETRY_DELAYS_S)
        status = "delivered" if outcome.delivered else "failed" if over else "pending"
        due = now if over or outcome.delivered else now + RETRY_DELAYS_S[tries - 1]
        delivered = now if outcome.delivered else None
        with self.store.writing() as connection:
            connection.execute(
                "update deliveries set status = ?, due = ?, claimed_until = 0, response = ?,"
                " error = ?, delivered_at = ? where id = ?",
                (status, due, outcome.status, outcome.error, delivered, row["id"]),
            )
            tx = Transaction(connection, self.config)
            event = tx.get("event", row["event"])
            if outcome.delivered and event["pending_webhooks"]:
                event["pending_webhooks"] -= 1
                tx.save(event)


def post_event(url: str, event: Object, secret: str, now: int) -> DeliveryOutcome:
    """Send one signed event."""
    payload = json.dumps(event, indent=2)
    signature = stripe.WebhookSignature.generate_signature_header(payload, secret, timestamp=now)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    request = urllib.request.Request(url, payload.encode(), headers, method="POST")  # noqa: S310
    try:
        with OPENER.open(request, timeout=REQUEST_TIMEOUT_S) as response:
            return DeliveryOutcome(response.status, None)
    except urllib.error.HTTPError as error:
        return DeliveryOutcome(error.code, error.read(500).decode(errors="replace"))
    except (OSError, ValueError) as error:
        return DeliveryOutcome(None, str(error))


class BackgroundThread(threading.Thread):
    """Runs `work` every `interval_s` seconds, or earlier when `wake_event` is set."""

    def __init__(self, work: Callable[[], object], interval_s: float = 1.0) -> None:
        super().__init__(name="stripe-emulator", daemon=True)
        self.work = work
        self.interval_s = interval_s
        self.wake_event = threading.Event()
        self.stopped = False

    def run(self) -> None:
        """Run `work` until `stop` is called; an exception is logged and does not end the thread."""
        while not self.stopped:
            try:
                self.work()
            except Exception:  # a bug in one step must not end webhook delivery for good
                logger.exception("The Stripe emulator's background work failed.")
            self.wake_event.wait(self.interval_s)
            self.wake_event.clear()

    def stop(self) -> None:
        """Finish the current step and end the thread."""
        self.stopped = True
        self.wake_event.set()
        self.join(timeout=REQUEST_TIMEOUT_S)
