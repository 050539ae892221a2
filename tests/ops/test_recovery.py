"""Killed processes lose no upload and no job, and nothing is done twice."""

import time
from collections.abc import Callable

import httpx
import psycopg
import pytest

from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home
from tests.ops.conftest import eventually, signed_in
from tests.product import Product
from tests.sounds import wav
from tests.supervisor.test_supervisor import main_process

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def product(new_product: Callable[..., Product]) -> Product:
    product = new_product(SP404_WORKERS="2").start()
    eventually(lambda: httpx.get(f"{product.base_url}/api/health").json()["workers"] == 2, 180)
    return product


@pytest.mark.parametrize("victim", ["worker", "process of the job"])
def test_an_analysis_whose_worker_is_killed_is_done_once(product: Product, victim: str) -> None:
    with signed_in(product) as client:
        file = {"file": ("long.wav", wav(110.0, seconds=16 * 60.0))}
        sample = client.post("/api/samples", files=file).json()["samples"][0]["id"]

        def status() -> str:
            return str(client.get(f"/api/samples/{sample}").json()["status"])

        eventually(lambda: status() == "analysing")
        (worker,) = [
            found
            for name in ("worker 1", "worker 2")
            for found in [main_process(product, name)]
            if found.children()
        ]
        (worker if victim == "worker" else worker.children()[0]).kill()
        eventually(lambda: status() == "ready", 180)
    with psycopg.connect(postgresql.postgres_url(Home(product.home))) as connection:
        jobs = "select status, attempts from processing_jobs where sample_id = %s"
        assert connection.execute(jobs, [sample]).fetchall() == [("done", 2)]
        analyses = "select count(*) from analyses where sample_id = %s"
        assert connection.execute(analyses, [sample]).fetchone() == (1,)


@pytest.mark.parametrize("victim", ["redis", "database", "web"])
def test_uploads_through_kills_are_neither_lost_nor_doubled(product: Product, victim: str) -> None:
    with signed_in(product) as client:
        stored = []
        for number in range(8):
            if number in {2, 5}:
                main_process(product, victim).kill()
            stored.append(upload_until_stored(client, f"take {number}.wav", 200.0 + number * 20))

        eventually(lambda: statuses(client) == dict.fromkeys(stored, "ready"), 180)
    with psycopg.connect(postgresql.postgres_url(Home(product.home))) as connection:
        analyses = "select sample_id::text, count(*) from analyses group by 1"
        assert dict(connection.execute(analyses).fetchall()) == dict.fromkeys(stored, 1)


def upload_until_stored(client: httpx.Client, name: str, pitch: float, seconds: float = 60) -> str:
    """Send a file until it is stored, as a careful client does; return the sample's id.

    An upload whose answer was lost may be stored: so the client looks before it sends again.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            sent = client.post("/api/samples", files={"file": (name, wav(pitch, seconds=0.5))})
            if sent.status_code < 500:
                return str(sent.json()["samples"][0]["id"])
            assert sent.status_code == 503, sent.text
        except httpx.TransportError:
            pass
        if found := find_sample(client, name):
            return found
        assert time.monotonic() < until, "it was not stored in time"
        time.sleep(0.2)


def statuses(client: httpx.Client) -> dict[str, str]:
    """Return the status of each sample; nothing while nothing answers."""
    answer = client.get("/api/samples")
    found = answer.json()["samples"] if answer.status_code == 200 else []
    return {sample["id"]: sample["status"] for sample in found}


def find_sample(client: httpx.Client, name: str) -> str | None:
    """Return the id of the sample with a file name; None also while nothing answers."""
    try:
        answer = client.get("/api/samples")
    except httpx.TransportError:
        return None
    found = answer.json()["samples"] if answer.status_code == 200 else []
    return next((sample["id"] for sample in found if sample["filename"] == name), None)
