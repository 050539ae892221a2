"""Property tests: random sequences of operations keep the invariants."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe._encode import _api_encode

from stripe_emulator import app, periods
from stripe_emulator.api import ApiRequest
from stripe_emulator.objects import public_copy
from tests.stripe_emulator import invariants, oracle
from tests.stripe_emulator.stripe_server import START

CARDS = ["pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"]
STEPS = st.one_of(
    st.tuples(st.just("advance"), st.sampled_from([1, 20, 24 * 3, 24 * 15, 24 * 31])),
    st.tuples(
        st.just("change"),
        st.sampled_from(["pro", "enterprise"]),
        st.sampled_from(["always_invoice", "create_prorations", "none"]),
        st.sampled_from(["pending_if_incomplete", "allow_incomplete", "error_if_incomplete"]),
    ),
    st.tuples(st.just("card"), st.sampled_from(CARDS)),
    st.tuples(st.just("end"), st.booleans()),
    st.tuples(st.just("downgrade")),
    st.tuples(st.just("release")),
    st.tuples(st.just("pay")),
    st.tuples(st.just("void")),
    st.tuples(st.just("resume")),
    st.tuples(st.just("cancel"), st.booleans()),
)


class DirectApi:
    """The API without HTTP, which is faster."""

    def __init__(self, folder: Path) -> None:
        self.emulator = app.create_emulator(
            folder / "s.db", folder / "s.json", "http://x", clock=lambda: START
        )

    def call(self, method: str, path: str, **fields: Any) -> Any:
        """Send a form and return the response body, or None for an error."""
        pairs = _api_encode(fields)
        text = "&".join(f"{name}={value}" for name, value in pairs)
        headers = {"authorization": f"Bearer {self.emulator.keys.api_key}"}
        query, body = ("", text.encode()) if method == "POST" else (text, b"")
        made = self.emulator.api.handle(ApiRequest(method, path, query, body, headers))
        assert made.status in (200, 400, 402, 404), made.body
        return made.body if made.status == 200 else None


def create_price(api: DirectApi, name: str, cents: int) -> str:
    product = api.call("POST", "/v1/products", name=name)["id"]
    made = api.call(
        "POST",
        "/v1/prices",
        product=product,
        currency="usd",
        unit_amount=cents,
        recurring={"interval": "month"},
    )
    return made["id"]


class SubscriptionScenario:
    """One customer with one subscription, and operations on it."""

    def __init__(self, api: DirectApi, trial: bool, card: str) -> None:
        self.api = api
        self.prices = {
            "pro": create_price(api, "Pro", 2900),
            "enterprise": create_price(api, "E", 9900),
        }
        clocks = "/v1/test_helpers/test_clocks"
        self.clock = f"{clocks}/{api.call('POST', clocks, frozen_time=START)['id']}"
        self.customer = api.call(
            "POST",
            "/v1/customers",
            test_clock=self.clock.rsplit("/", 1)[1],
            payment_method=card,
            invoice_settings={"default_payment_method": card},
        )["id"]
        days = {"trial_period_days": 14} if trial else {}
        items = [{"price": self.prices["pro"]}]
        made = api.call("POST", "/v1/subscriptions", customer=self.customer, items=items, **days)
        self.path = f"/v1/subscriptions/{made['id']}"

    def do(self, step: tuple[Any, ...]) -> None:
        getattr(self, f"do_{step[0]}")(*step[1:])

    def now(self) -> dict[str, Any]:
        return self.api.call("GET", self.path)

    def do_advance(self, hours: int) -> None:
        frozen = self.api.call("GET", self.clock)["frozen_time"]
        self.api.call("POST", f"{self.clock}/advance", frozen_time=frozen + hours * 3600)

    def do_change(self, name: str, prorations: str, behaviour: str) -> None:
        item = self.now()["items"]["data"][0]["id"]
        self.api.call(
            "POST",
            self.path,
            items=[{"id": item, "price": self.prices[name]}],
            proration_behavior=prorations,
            payment_behavior=behaviour,
        )

    def do_card(self, name: str) -> None:
        self.api.call("POST", self.path, default_payment_method=name)

    def do_end(self, wanted: bool) -> None:
        self.api.call("POST", self.path, cancel_at_period_end=str(wanted).lower())

    def do_downgrade(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        made = self.api.call("POST", "/v1/subscription_schedules", from_subscription=name)
        if made:
            now = made["phases"][0]
            first = {
                "items": [{"price": now["items"][0]["price"]}],
                "start_date": now["start_date"],
                "end_date": now["end_date"],
            }
            then = {
                "items": [{"price": self.prices["pro"]}],
                "duration": {"interval": "month"},
                "proration_behavior": "none",
            }
            path = f"/v1/subscription_schedules/{made['id']}"
            assert self.api.call("POST", path, phases=[first, then])

    def do_release(self) -> None:
        path = f"/v1/subscription_schedules/{self.now()['schedule']}/release"
        self.api.call("POST", path)

    def do_pay(self) -> None:
        path = f"/v1/invoices/{self.now()['latest_invoice']}/pay"
        self.api.call("POST", path, payment_method="pm_card_visa")

    def do_void(self) -> None:
        self.api.call("POST", f"/v1/invoices/{self.now()['latest_invoice']}/void")

    def do_resume(self) -> None:
        self.api.call("POST", f"{self.path}/resume")

    def do_cancel(self, credit: bool) -> None:
        flag = str(credit).lower()
        self.api.call("DELETE", self.path, prorate=flag, invoice_now=flag)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(STEPS, min_size=2, max_size=10),
    trial=st.booleans(),
    card=st.sampled_from(CARDS[:2]),
)
def test_any_sequence_of_operations_keeps_the_invariants(
    steps: list[tuple[Any, ...]], trial: bool, card: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        api = DirectApi(Path(folder))
        scenario = SubscriptionScenario(api, trial, card)
        for step in steps:
            scenario.do(step)
        bodies = all_objects(api)
        assert invariants.broken(bodies) == []
        problems = {problem for body in bodies for problem in oracle.violations(public_copy(body))}
        assert not problems


def all_objects(api: DirectApi) -> list[dict[str, Any]]:
    with api.emulator.store.reading() as connection:
        rows = connection.execute("select body from objects").fetchall()
    return [json.loads(row["body"]) for row in rows]


@given(
    amount=st.integers(0, 10**7), part=st.integers(0, 3_000_000), whole=st.integers(1, 3_000_000)
)
def test_prorated_amounts_are_whole_cents_and_at_most_the_full_amount(
    amount: int, part: int, whole: int
) -> None:
    part = min(part, whole)
    cents = periods.prorate_cents(amount, part, whole)
    assert abs(cents * whole - amount * part) * 2 <= whole
    assert 0 <= cents <= amount
    assert periods.prorate_cents(-amount, part, whole) == -cents


@given(anchor=st.integers(0, 4_000_000_000), count=st.integers(1, 48))
def test_consecutive_periods_have_no_gap(anchor: int, count: int) -> None:
    cycle = {"interval": "month", "interval_count": 1}
    start = periods.add_intervals(anchor, "month", count)
    end = periods.next_period_end(anchor, start, cycle)
    assert 28 * 86_400 <= end - start <= 31 * 86_400
    assert end == periods.add_intervals(anchor, "month", count + 1)
