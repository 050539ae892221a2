"""Prometheus metrics."""

import uuid
from collections import Counter

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Mount

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.settings import Settings, settings
from tests.accounts import bearer, sign_up_user


def scrape(services: Settings, host: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
    with TestClient(wrap_in_middleware(api), base_url=services.origin, client=(host, 1)) as client:
        client.get("/api/me", headers=bearer(sign_up_user().id))
        client.get("/api/samples/01a204c0-82ec-769a-8e34-995e038227bd")
        answer = client.get(
            "/metrics", headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
    return answer.status_code, answer.text


def test_a_local_client_reads_the_metrics(services: Settings) -> None:
    status, text = scrape(services)
    assert status == 200
    assert 'sp404_requests_total{method="GET",route="/api/me",status="200"}' in text
    assert 'route="/api/samples/{sample_id}",status="401"' in text
    assert 'sp404_request_seconds_bucket{le="0.05",route="/api/me"}' in text
    assert 'sp404_queue_length{queue="free"} 0.0' in text
    assert "sp404_websockets 0.0" in text


def test_routes_are_counted_by_their_pattern_when_the_api_is_mounted(services: Settings) -> None:
    mounted = Starlette(routes=[Mount("/", app=api)])  # as Reflex does
    app = wrap_in_middleware(mounted)
    with TestClient(app, base_url=services.origin, client=("127.0.0.1", 1)) as client:
        before = response_counts(client)
        for path in ("/api/health/live", f"/api/samples/{uuid.uuid4()}", "/nothing/at/all"):
            client.get(path)
        after = response_counts(client)
    more = {labels[0] for labels, value in after.items() if value != before.get(labels, 0)}
    assert more - {"/metrics"} == {"/api/health/live", "/api/samples/{sample_id}", "pages"}


def test_refusals_of_the_fast_sample_list_count_for_its_route(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "1")
    settings.cache_clear()
    ada = bearer(sign_up_user().id)
    with TestClient(
        wrap_in_middleware(api), base_url=services.origin, client=("127.0.0.1", 1)
    ) as client:
        before = response_counts(client)
        answers = [client.get("/api/samples", headers=headers) for headers in ({}, ada, ada)]
        after = response_counts(client)
    assert [answer.status_code for answer in answers] == [401, 200, 429]
    more = {
        labels: value - before.get(labels, 0)
        for labels, value in after.items()
        if value != before.get(labels, 0) and labels[0] != "/metrics"
    }
    assert more == {("/api/samples", status): 1 for status in ("401", "200", "429")}


def response_counts(client: TestClient) -> Counter[tuple[str, str]]:
    """Return how often each route gave each status, by any method, as the metrics say."""
    counts: Counter[tuple[str, str]] = Counter()
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            if sample.name == "sp404_requests_total":
                counts[sample.labels["route"], sample.labels["status"]] += sample.value  # type: ignore[assignment]
    return counts


def test_metrics_are_404_without_the_token_or_from_another_machine(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    assert scrape(services, "203.0.113.7")[0] == 404
    assert scrape(services, x_forwarded_for="203.0.113.7")[0] == 404
    environment.setenv("SP404_METRICS_TOKEN", "let me see")
    settings.cache_clear()
    assert scrape(services)[0] == 404
    assert scrape(services, authorization="Bearer let me in")[0] == 404
    assert scrape(services, "203.0.113.7", authorization="Bearer let me see")[0] == 200
