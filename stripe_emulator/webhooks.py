"""Send signed events (docs.stripe.com/webhooks), as badly as the settings ask for."""

import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import stripe

from stripe_emulator.objects import Object, public
from stripe_emulator.store import Store
from stripe_emulator.transaction import OWN_ENDPOINT, Ledger, Setup

logger = logging.getLogger(__name__)
BACKOFF = (2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
CLAIM_SECONDS = 30.0
TIMEOUT_SECONDS = 20.0
CLAIM = """
update deliveries set claimed_until = ?, attempts = attempts + 1 where id = (
  select id from deliveries where status = 'pending' and due <= ? and claimed_until <= ?
  order by position, id limit 1
) returning id, event, endpoint, url, attempts
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an endpoint answered, or why it did not."""

    status: int | None
    error: str | None

    @property
    def delivered(self) -> bool:
        """Whether the endpoint took the event."""
        return self.status is not None and 200 <= self.status < 300


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Stripe follows no redirects."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        """Take the redirect as the answer."""
        return


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirects)


class Sender:
    """Delivers what is pending; several processes may do so together."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self.store = store
        self.setup = setup

    def deliver_pending(self, *, ignore_delays: bool = False, most: int = 1000) -> int:
        """Send what is due, and return how many were tried; nothing while paused."""
        for count in range(most):
            if not self.deliver_one(ignore_delays):
                return count
        return most

    def deliver_one(self, ignore_delays: bool) -> bool:
        """Claim one delivery and send it."""
        with self.store.reading() as connection:
            if Ledger(connection, self.setup).settings()["paused"]:
                return False
        now = self.setup.clock()
        horizon = float("inf") if ignore_delays else now
        with self.store.writing() as connection:
            row = connection.execute(CLAIM, (now + CLAIM_SECONDS, horizon, now)).fetchone()
            if row is None:
                return False
            ledger = Ledger(connection, self.setup)
            event = public(ledger.get("event", row["event"]))
            secret = self.secret(ledger, row["endpoint"])
        outcome = post(row["url"], event, secret, int(now))
        self.note(dict(row), outcome)
        return True

    def secret(self, ledger: Ledger, endpoint: str) -> str:
        """Return what signs for an endpoint."""
        if endpoint == OWN_ENDPOINT:
            return self.setup.webhook_secret
        found = ledger.peek(endpoint)
        return found["_secret"] if found else self.setup.webhook_secret

    def note(self, row: Object, outcome: Outcome) -> None:
        """Keep what came of a delivery, and when it is tried again."""
        now, tries = self.setup.clock(), row["attempts"]
        over = tries > len(BACKOFF)
        status = "delivered" if outcome.delivered else "failed" if over else "pending"
        due = now if over or outcome.delivered else now + BACKOFF[tries - 1]
        delivered = now if outcome.delivered else None
        with self.store.writing() as connection:
            connection.execute(
                "update deliveries set status = ?, due = ?, claimed_until = 0, response = ?,"
                " error = ?, delivered_at = ? where id = ?",
                (status, due, outcome.status, outcome.error, delivered, row["id"]),
            )
            ledger = Ledger(connection, self.setup)
            event = ledger.get("event", row["event"])
            if outcome.delivered and event["pending_webhooks"]:
                event["pending_webhooks"] -= 1
                ledger.save(event)


def post(url: str, event: Object, secret: str, now: int) -> Outcome:
    """Send one event, signed."""
    payload = json.dumps(event, indent=2)
    signature = stripe.WebhookSignature.generate_signature_header(payload, secret, timestamp=now)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    request = urllib.request.Request(url, payload.encode(), headers, method="POST")  # noqa: S310
    try:
        with OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            return Outcome(response.status, None)
    except urllib.error.HTTPError as error:
        return Outcome(error.code, error.read(500).decode(errors="replace"))
    except (OSError, ValueError) as error:
        return Outcome(None, str(error))


class Background(threading.Thread):
    """Lets time pass and delivers, once a second or when there is news."""

    def __init__(self, work: Callable[[], object], every: float = 1.0) -> None:
        super().__init__(name="stripe-emulator", daemon=True)
        self.work = work
        self.every = every
        self.news = threading.Event()
        self.over = False

    def run(self) -> None:
        """Work until `stop`; whatever goes wrong is told, and tried again a second later."""
        while not self.over:
            try:
                self.work()
            except Exception:
                logger.exception("The Stripe emulator could not go on.")
            self.news.wait(self.every)
            self.news.clear()

    def stop(self) -> None:
        """Finish what is under way, and end."""
        self.over = True
        self.news.set()
        self.join(timeout=TIMEOUT_SECONDS)
