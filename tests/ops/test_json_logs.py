"""With SP404_LOG_FORMAT=json, every line of a start, an upload, an error and a stop is JSON."""

import json
import signal
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.ops.conftest import eventually, signed_in
from tests.product import Product
from tests.sounds import wav
from tests.supervisor.test_supervisor import main_process

pytestmark = pytest.mark.timeout(600)

REQUEST_ID = "proxy-0123456789"
# Programs that are not ours, and that do not serve in production, write files of their own.
OTHER_PROGRAMS = ("postgres.log", "redis.log", "build.log")


def lines(product: Product) -> Iterator[tuple[str, str]]:
    paths = [path for path in (product.home / "logs").iterdir() if path.name not in OTHER_PROGRAMS]
    for path in paths:
        yield from ((path.name, line) for line in path.read_text().splitlines())
    yield from (("output", line) for line in product.said.splitlines())


def is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def entries(product: Product, log: str, event: str) -> list[dict[str, object]]:
    found = [json.loads(line) for name, line in lines(product) if name.startswith(log)]
    return [entry for entry in found if entry["event"] == event]


def test_every_line_is_json(new_product: Callable[..., Product]) -> None:
    product = new_product(
        SP404_LOG_FORMAT="json", SP404_DEMO="true", SP404_TRUSTED_PROXIES="127.0.0.1,::1"
    ).start()
    with signed_in(product) as client:
        sent = client.post(
            "/api/samples",
            files={"file": ("kick.wav", wav(110.0))},
            headers={"X-Request-ID": REQUEST_ID},
        )
        assert sent.headers["x-request-id"] == REQUEST_ID
        eventually(lambda: has_job_of(product, REQUEST_ID))
        client.post("/api/samples", files={"file": ("kick.wav", b"RIFF no sound")})
        client.get("/api/samples/none")
    main_process(product, "web").children()[-1].kill()
    main_process(product, "worker 1").kill()
    eventually(lambda: "worker 1 was killed" in product.said)
    product.running.send_signal(signal.SIGUSR1)
    eventually(lambda: "taken over" in product.said, 120)
    main_process_is_idle(product)
    assert product.stop(signal.SIGTERM) == 0
    assert [line for line in lines(product) if not is_json(line[1])] == []


def main_process_is_idle(product: Product) -> None:
    eventually(lambda: httpx.get(f"{product.base_url}/api/health").status_code == 200, 120)


def has_job_of(product: Product, request_id: str) -> bool:
    for entry in entries(product, "worker", "job"):
        if entry.get("request_id") == request_id:
            assert entry["outcome"] == "done"
            assert entry["kind"] == "analyse"
            assert entry["queue"] == "free"
            assert isinstance(entry["seconds"], float)
            return True
    return False
