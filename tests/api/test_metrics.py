"""What an operator reads, and nobody else."""

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, gateway
from sp404_app.settings import Settings, settings
from tests.accounts import bearer, somebody


def asked(services: Settings, host: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
    with TestClient(gateway(api), base_url=services.origin, client=(host, 1)) as client:
        client.get("/api/me", headers=bearer(somebody().id))
        client.get("/api/samples/01a204c0-82ec-769a-8e34-995e038227bd")
        answer = client.get(
            "/metrics", headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
    return answer.status_code, answer.text


def test_this_machine_reads_how_we_are(services: Settings) -> None:
    status, text = asked(services)
    assert status == 200
    assert 'sp404_requests_total{method="GET",route="/api/me",status="200"}' in text
    assert 'route="/api/samples/{sample_id}",status="401"' in text
    assert 'sp404_request_seconds_bucket{le="0.05",route="/api/me"}' in text
    assert 'sp404_queue_length{queue="free"} 0.0' in text
    assert "sp404_websockets 0.0" in text


def test_others_do_not_even_see_that_it_is_there(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    assert asked(services, "203.0.113.7")[0] == 404
    assert asked(services, x_forwarded_for="203.0.113.7")[0] == 404
    environment.setenv("SP404_METRICS_TOKEN", "let me see")
    settings.cache_clear()
    assert asked(services)[0] == 404
    assert asked(services, authorization="Bearer let me in")[0] == 404
    assert asked(services, "203.0.113.7", authorization="Bearer let me see")[0] == 200
