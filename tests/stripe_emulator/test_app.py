"""Access to the emulator: production, other machines, secrets, pages and isolation."""

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe

from stripe_emulator import app, secret_keys
from tests.stripe_emulator.actions import open_checkout
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.stripe_server import Harness, Served

# Update this with the pinned package version, after reading docs.stripe.com/changelog: shapes,
# required_keys.json and the engine must follow the new API version.
VERSION = "2026-10-28.endive"


def test_the_emulator_supports_the_pinned_api_version() -> None:
    assert stripe.api_version == VERSION


def test_the_emulator_cannot_be_created_in_production(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="production"):
        app.create_emulator(
            tmp_path / "a.db", tmp_path / "s.json", "http://x/_stripe", production=True
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["10.0.0.7", "203.0.113.9", "", "testclient", "::2"])
def test_requests_from_other_addresses_are_refused(
    harness: Harness, served: Served, address: str
) -> None:
    served.client = address
    for path in ("/v1/customers", "/pay/cs_test_x", "/dev/customers"):
        answer = harness.browser.get(harness.base + path)
        assert (answer.status_code, answer.text) == (403, "Available on this machine only.")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 proxy"),
        ("CF-Connecting-IP", "203.0.113.9"),
    ],
)
def test_requests_with_proxy_headers_are_refused(harness: Harness, header: str, value: str) -> None:
    url = f"{harness.base}/pay/cs_test_x"
    assert harness.browser.get(url).status_code == 404
    assert harness.browser.get(url, headers={header: value}).status_code == 403


def test_ipv4_mapped_loopback_addresses_are_local() -> None:
    assert app.is_loopback("::ffff:127.0.0.1")
    assert not app.is_loopback("::ffff:10.0.0.1")


def test_secret_keys_are_created_once_with_mode_0600(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "stripe.json"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(secret_keys.load_secret_keys, [path] * 8))
    assert len(found) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["stripe.json"]
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert set(kept) == {"api_key", "webhook_secret"}
    assert kept["api_key"].startswith("sk_test_emulator_")
    assert kept["webhook_secret"].startswith("whsec_")


def test_pages_have_no_scripts_and_a_strict_csp(shop: Shop) -> None:
    answer = shop.harness.browser.get(open_checkout(shop, shop.customer()).url)
    assert "TEST MODE" in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_names_are_escaped_in_html(shop: Shop) -> None:
    evil = '<img src=x onerror="alert(1)">'
    product = shop.harness.v1.products.create({"name": evil})
    price = shop.harness.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 100,
            "recurring": {"interval": "month"},
        }
    )
    customer = shop.customer('"><script>@example.com')
    session = open_checkout(shop, customer, price=price.id)
    for answer in (
        shop.harness.browser.get(session.url),
        shop.harness.browser.post(session.url, data={"name": evil, "number": evil}),
    ):
        assert "<img" not in answer.text
        assert "<script" not in answer.text


def test_guessed_page_urls_return_404(shop: Shop) -> None:
    draft = "in_0123"
    for path in (
        f"/invoice/{draft}",
        f"/invoice/{draft}/pdf",
        "/portal/bps_1_x",
        "/challenge/pi_1",
        f"/pay/{shop.pro}",
        f"/invoice/{shop.pro}",
    ):
        assert shop.harness.browser.get(shop.harness.base + path).status_code == 404


def test_large_request_bodies_are_refused(harness: Harness) -> None:
    answer = harness.browser.post(
        f"{harness.base}/v1/customers",
        content=b"name=" + b"a" * (2 << 20),
        headers={"Authorization": f"Bearer {harness.key}"},
    )
    assert answer.status_code == 413


def test_the_emulator_imports_nothing_from_the_product() -> None:
    code = (
        "import sys; import stripe_emulator.app;"
        "print([n for n in sys.modules if n.startswith('sp404_app.')"
        " and not n.startswith('stripe_emulator')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
