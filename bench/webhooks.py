"""Effect of a burst of Stripe events on other users.

    .venv/bin/python bench/webhooks.py [EVENTS]

300 signed events for unknown customers, eight at a time, in a whole product. Then one user pays
for Pro and does not return from Checkout, so that only webhooks report it, and another uploads a
one-shot.
"""

import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import stripe
from instance import PASSWORD, create_user, open_database, running_product

from tests.product import Product
from tests.sounds import wav

TIMEOUT_S = 300.0
CARD = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123", "name": "Ada"}
FORM = {"email": "ada@example.org", **CARD}


def main() -> None:
    """Send the events, wait and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with running_product() as instance:
        with open_database(instance) as session:
            for email in ("buyer@example.org", "uploader@example.org"):
                create_user(session, email).is_demo = False
        buyer, uploader = (
            signed_in_client(instance, email)
            for email in ("buyer@example.org", "uploader@example.org")
        )
        time_analysis(uploader, 300.0)  # warm up the workers
        address = buyer.post("/api/billing/subscribe", json={"plan": "pro"}).json()["checkout_url"]
        times = send_events(instance, count)
        with ThreadPoolExecutor(2) as pool:
            bought, analysed = (
                pool.submit(time_purchase, buyer, address),
                pool.submit(time_analysis, uploader, 400),
            )
        print(
            f"{count} events: {statistics.median(times) * 1000:.0f} ms per response (median); then "
            f"a purchase {bought.result():.1f} s, an analysis {analysed.result():.1f} s"
        )


def signed_in_client(instance: Product, email: str) -> httpx.Client:
    """Return a client with a user's token."""
    client = httpx.Client(base_url=instance.base_url, timeout=30)
    answer = client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"
    return client


def send_events(instance: Product, count: int) -> list[float]:
    """Send events as Stripe does; return the time of each response."""
    secret = json.loads((instance.home / "secrets" / "stripe.json").read_text())["webhook_secret"]
    client = httpx.Client(base_url=instance.base_url, timeout=60)

    def send(number: int) -> float:
        about = {"object": "invoice", "id": f"in_{number}", "customer": f"cus_stranger{number}"}
        event = {
            "id": f"evt_{uuid.uuid4().hex}",
            "type": "invoice.paid",
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": about},
        }
        body = json.dumps(event)
        stamp = int(time.time())
        header = stripe.WebhookSignature.generate_signature_header(body, secret, stamp)
        started = time.monotonic()
        headers = {"Stripe-Signature": header}
        client.post("/api/webhooks/stripe", content=body, headers=headers).raise_for_status()
        return time.monotonic() - started

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(send, range(count)))


def time_purchase(client: httpx.Client, address: str) -> float:
    """Pay, and wait until the webhooks have upgraded the plan."""
    started = time.monotonic()
    httpx.post(address, data=FORM, timeout=30)
    wait_until(lambda: client.get("/api/billing/subscription").json()["tier"] == "pro")
    return time.monotonic() - started


def time_analysis(client: httpx.Client, hertz: float) -> float:
    """Upload a one-shot, and wait until it is analysed."""
    started = time.monotonic()
    files = {"file": ("tone.wav", wav(hertz), "audio/wav")}
    answer = client.post("/api/samples", files=files).raise_for_status().json()
    path = f"/api/samples/{answer['samples'][0]['id']}"
    wait_until(lambda: client.get(path).json()["status"] == "ready")
    return time.monotonic() - started


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    until = time.monotonic() + TIMEOUT_S
    while not true():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.1)


if __name__ == "__main__":
    main()
