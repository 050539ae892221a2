"""One trace from an upload to the page that shows its analysis, in the whole product."""

import asyncio
import signal
from collections.abc import Callable

import httpx
import pytest

from bench.websocket import StateSocket
from sp404_app.state.library.library import LibraryState
from tests.ops.conftest import PASSWORD, eventually, signed_in
from tests.otlp_sink import OtlpSink, otlp_sink
from tests.product import Product
from tests.sounds import wav

pytestmark = pytest.mark.timeout(600)

FILE_NAME = "unreleased secret beat.wav"
USER_AGENT = "SecretBrowser/4.04"
QUERY = "secretquery"
TOKEN = "sp404_pat_secret-token-0123456789"
UPLOAD, JOB = "POST /api/samples", "job analyse"
SUBSCRIBE = "POST /api/billing/subscribe"
PAINTED = "handle events LibraryState.watch"
VARIABLES = {
    "OTEL_BSP_SCHEDULE_DELAY": "200",  # ms
    "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=studio",
}


def test_one_trace_leads_from_an_upload_to_the_page(new_product: Callable[..., Product]) -> None:
    with otlp_sink() as sink:
        product = new_product(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint, **VARIABLES).start()
        with signed_in(product) as client:
            cookies = [str(each.value) for each in client.cookies.jar]
            secrets = [FILE_NAME, USER_AGENT, QUERY, TOKEN, PASSWORD, *cookies]
            asyncio.run(upload_beside_an_open_page(product, client))
            assert client.get("/api/samples", params={"q": QUERY}).status_code == 200
            send_what_is_refused(product)
            paying = client.post("/api/billing/subscribe", json={"plan": "pro"})
            assert paying.status_code == 200
            eventually(lambda: sink.named(UPLOAD) and sink.named(JOB) and sink.named(PAINTED))
            eventually(lambda: sink.named(SUBSCRIBE))
        assert product.stop(signal.SIGTERM) == 0
    (upload,) = sink.named(UPLOAD)
    (job,) = sink.named(JOB)
    trace = [span for span in sink.spans if span["trace_id"] == upload["trace_id"]]
    assert (upload["http.response.status_code"], job["job.outcome"]) == (201, "done")
    assert (job["parent"], job["trace_id"]) == (upload["span_id"], upload["trace_id"])
    assert job["request_id"] == upload["request_id"]
    assert PAINTED in {span["name"] for span in trace}
    services = {span["service"] for span in trace}
    assert services == {"crate404-web", "crate404-worker"}
    for service in services:
        systems = {span.get("db.system.name") for span in trace if span["service"] == service}
        assert {"postgresql", "redis"} <= systems
    by_id = {span["span_id"]: span for span in trace}
    painted = [span["span_id"] for span in trace if span["name"] == PAINTED]
    reads = [span for span in trace if span["parent"] in painted and "db.query.text" in span]
    assert reads, "the page read nothing in this trace"
    assert all(by_id[each]["parent"] in by_id for each in painted)
    assert sink.named("LibraryState.load")
    (subscribe,) = sink.named(SUBSCRIBE)
    stripe = [each for each in sink.named("stripe") if each["trace_id"] == subscribe["trace_id"]]
    assert {each["http.response.status_code"] for each in stripe} == {200}
    assert "checkout" in {each["stripe.resource"] for each in stripe}
    assert_nothing_private(sink, [*secrets, "@example.org", "localhost:"])


async def upload_beside_an_open_page(product: Product, client: httpx.Client) -> None:
    """Upload a file while the library is open, until the page shows its kind."""
    cookies = "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)
    handler = f"{LibraryState.get_full_name()}.load"
    async with asyncio.timeout(120), StateSocket.opened(product.port, cookies) as page:
        await page.event(handler, "loaded")
        sent = await asyncio.to_thread(
            client.post,
            f"/api/samples?note={QUERY}",
            files={"file": (FILE_NAME, wav(110.0))},
            headers={"User-Agent": USER_AGENT},
        )
        assert sent.status_code == 201, sent.text
        await page.until('"kind":"one-shot"')


def send_what_is_refused(product: Product) -> None:
    """Send wrong credentials and unknown addresses."""
    with httpx.Client(base_url=product.base_url) as stranger:
        stranger.get("/api/me", headers={"Authorization": f"Bearer {TOKEN}"})
        stranger.get(f"/s/{TOKEN}?password={PASSWORD}")
        stranger.get(f"/{QUERY}/{FILE_NAME}")
        stranger.post("/auth/session", data={"email": "ada@example.org", "password": QUERY})


def assert_nothing_private(sink: OtlpSink, secrets: list[str]) -> None:
    received = b"".join(sink.bodies)
    assert [each for each in secrets if each.encode() in received] == []
    assert {resource["service.namespace"] for resource in sink.resources} == {"studio"}


def test_a_collector_that_is_down_costs_one_line_of_each_process(
    new_product: Callable[..., Product],
) -> None:
    with otlp_sink() as sink:
        gone = sink.endpoint
    product = new_product(OTEL_EXPORTER_OTLP_ENDPOINT=gone, **VARIABLES).start()
    with signed_in(product) as client:
        for number in range(3):
            sent = client.post(
                "/api/samples", files={"file": (f"{number}.wav", wav(90.0 + number))}
            )
            assert sent.status_code == 201
        eventually(lambda: "ready" in client.get("/api/samples").text, 120)
        eventually(lambda: "collector of traces" in logged(product, "web"), 60)
    assert product.stop(signal.SIGTERM) == 0
    for path in (product.home / "logs").glob("*.log"):
        text = path.read_text()
        assert text.count("the collector of traces does not take them") <= 1, path.name
        assert "opentelemetry" not in text


def logged(product: Product, log: str) -> str:
    return "".join(path.read_text() for path in (product.home / "logs").glob(f"{log}*.log"))
