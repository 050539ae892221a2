"""Development pages, emulator and metrics answer this machine only, never through a proxy."""

import uuid
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from reflex.istate.manager.memory import StateManagerMemory
from starlette.responses import PlainTextResponse

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.errors import NotFound
from sp404_app.services.infra import dev_outbox, email, events, local_access
from sp404_app.services.infra.unsent_emails import EmailBody
from sp404_app.settings import Settings, settings
from sp404_app.sp404_app import app
from sp404_app.state.dev.outbox import DevOutboxState
from sp404_app.state.dev.stripe import DevStripeState
from tests.security.test_sockets import event, joined, opened, until
from tests.tabs import in_tab

FORWARDED = [
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "localhost"),
    ("X-Real-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1"),
    ("Via", "1.1 caddy"),
    ("CF-Connecting-IP", "203.0.113.7"),
    ("True-Client-IP", "203.0.113.7"),
    ("X-Client-IP", "203.0.113.7"),
    ("X-Cluster-Client-IP", "203.0.113.7"),
    ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
    ("Tailscale-User-Login", "ada@example.org"),
    ("X-Scheme", "https"),
    ("X-NginX-Proxy", "true"),
    ("Front-End-Https", "on"),
    ("X-ARR-SSL", "2048|256|CN=crate.example"),
    ("Cdn-Src-Ip", "203.0.113.7"),
    ("X-Varnish", "32770"),
    ("Surrogate-Capability", "cdn=ESI/1.0"),
    ("Host", "crate.example"),
    ("Host", "127.0.0.1.crate.example"),
]
OURS = ["/dev", "/dev/outbox", "/dev/stripe/", "/DEV/outbox", "/%64ev/outbox"]
OURS += ["/_stripe", "/_stripe/pay/cs_test_x", "/_stripe/v1/customers", "/_stripe/dev/customers"]


def put_into_outbox(recipient: str) -> None:
    body = EmailBody("A link.", "<p>A link.</p>")
    dev_outbox.save_to_outbox(email.build_message(uuid.uuid4(), recipient, "Hello", body))


def front(peer: str = "127.0.0.1") -> TestClient:
    app = wrap_in_middleware(PlainTextResponse("inside"))
    return TestClient(app, base_url="http://localhost:3000", client=(peer, 1))


@pytest.mark.parametrize(("name", "value"), FORWARDED)
def test_requests_through_a_proxy_find_no_development_pages(
    services: Settings, name: str, value: str
) -> None:
    for path in OURS:
        answer = front().get(path, headers={name: value})
        assert (answer.status_code, "inside" in answer.text) == (404, False), path
    assert front().get("/library", headers={name: value}).text == "inside"
    metrics = TestClient(
        wrap_in_middleware(api), base_url="http://localhost:3000", client=("127.0.0.1", 1)
    )
    assert metrics.get("/metrics", headers={name: value}).status_code == 404
    assert metrics.get("/metrics").status_code == 200


@pytest.mark.parametrize("peer", ["203.0.113.7", "10.0.0.1", "", "::ffff:203.0.113.7", "rubbish"])
def test_requests_from_other_machines_find_no_development_pages(
    services: Settings, peer: str
) -> None:
    assert {front(peer).get(path).status_code for path in OURS} == {404}


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_local_requests_reach_the_development_pages(services: Settings, peer: str) -> None:
    assert {front(peer).get(path).text for path in OURS} == {"inside"}
    for host in ("localhost", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000", "a.localhost"):
        assert front(peer).get("/dev/outbox", headers={"Host": host}).text == "inside"


def test_a_trusted_local_proxy_does_not_open_development_pages(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_TRUSTED_PROXIES", "127.0.0.1")
    settings.cache_clear()
    answer = front().get("/dev/outbox", headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == 404


def test_production_has_no_development_pages_even_for_local_requests(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_ENV", "production")
    settings.cache_clear()
    assert {front("127.0.0.1").get(path).status_code for path in OURS} == {404}


@pytest.mark.parametrize(("name", "value"), [FORWARDED[1], FORWARDED[4], FORWARDED[6]])
@pytest.mark.timeout(60)
def test_websockets_through_a_proxy_are_refused_too(tab: TestClient, name: str, value: str) -> None:
    put_into_outbox("ada@example.org")
    load = f"{DevOutboxState.get_full_name()}.load"
    with opened(tab, host="localhost:3000") as socket:
        joined(socket)
        socket.send_text(event(load))
        assert "ada@example.org" in until(socket, "mails")
    with opened(tab, host="localhost:3000", **{name.lower(): value}) as socket:
        joined(socket)
        socket.send_text(event(load))
        answer = until(socket, "Page not found")
        assert "ada@example.org" not in answer


@pytest.fixture
def tab(services: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client of the whole backend on this machine, without built pages."""
    monkeypatch.setattr(app, "_state_manager", StateManagerMemory())
    assert app._api is not None
    events.connection.cache_clear()
    whole = wrap_in_middleware(app._api)
    with TestClient(whole, base_url=services.origin, client=("127.0.0.1", 1)) as client:
        assert client.portal is not None
        with client.portal.wrap_async_context_manager(app._setup_event_processor()):
            yield client


@pytest.mark.parametrize(("name", "value"), FORWARDED)
async def test_a_proxied_websocket_cannot_read_emails_or_advance_clocks(
    services: Settings, name: str, value: str
) -> None:
    put_into_outbox("ada@example.org")
    header = {name.lower(): value}
    outbox = in_tab(DevOutboxState(), "", **header)
    with pytest.raises(NotFound):
        await outbox.load()
    assert (outbox.mails, outbox.closed) == ([], True)
    stripe = in_tab(DevStripeState(), "", **header)
    events = (stripe.advance("cus_1", "day"), stripe.change("drop", 1), stripe.send_again("evt_1"))
    for refused in (*events, stripe.retry(), stripe.replay("evt_1"), stripe.reconcile()):
        with pytest.raises(NotFound):
            await anext(refused)
    with pytest.raises(NotFound):
        await stripe.load()
    here = in_tab(DevOutboxState(), "", host="localhost:3000")
    await here.load()
    assert [each.recipient for each in here.mails] == ["ada@example.org"]


def test_usual_browser_headers_are_no_sign_of_a_proxy() -> None:
    usual = "accept accept-encoding accept-language cache-control connection content-type cookie"
    usual += " dnt host origin pragma priority proxy-connection referer sec-ch-ua sec-fetch-site"
    usual += " sec-gpc sec-websocket-key sec-websocket-version te upgrade user-agent x-request-id"
    usual += " upgrade-insecure-requests stripe-signature stripe-version idempotency-key range"
    assert not [name for name in usual.split() if local_access.is_forwarding(name)]
