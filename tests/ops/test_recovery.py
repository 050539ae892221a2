"""A job whose worker is killed is done by another, once."""

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
