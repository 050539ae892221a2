"""A real Prometheus answers every query of the dashboards and alerts about a running product."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from bench.websocket import StateSocket
from sp404_app.services.infra import backup_log
from sp404_app.settings import Settings
from sp404_app.supervisor.environment import for_children
from sp404_app.supervisor.home import Home
from tests.monitoring import DEPLOY, expressions
from tests.ops.conftest import PASSWORD, eventually, signed_in
from tests.product import Product, free_port
from tests.sounds import wav

PROMETHEUS = shutil.which("prometheus")
EVENT = "reflex___state____state.hydrate"
SCRAPES = 3  # a rate needs two
# Metrics that have no series before their first event: their panels are empty in a healthy product.
RARE = (
    "sp404_browser_errors_total",
    "sp404_errors_total",
    "sp404_jobs_killed_total",
    "sp404_quota_refusals_total",
    "sp404_rate_limited_total",
    "sp404_rehearsal",
    "sp404_storage_write_errors_total",
    'outcome=~"failed|timeout"',
    'status=~"5.."',
)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def product(new_product: Callable[..., Product]) -> Product:
    return new_product(SP404_WEB_PROCESSES="2").start()


@contextmanager
def scraped_by_prometheus(product: Product, folder: Path) -> Iterator[httpx.Client]:
    """Run Prometheus with our jobs and rules, and this product as the only target."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = (each for each in config["scrape_configs"] if each["job_name"] == "crate404")
    del job["authorization"], config["alerting"]  # without a token, loopback may read
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{product.port}"]}]
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"] = [job]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(DEPLOY / "prometheus" / "rules.yml", folder)
    port = free_port()
    command = [
        str(PROMETHEUS),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
    finally:
        started.terminate()
        started.wait(30)


def query(prometheus: httpx.Client, expression: str) -> list[dict[str, object]]:
    """Return the series that a query answers with."""
    answer = prometheus.get("/api/v1/query", params={"query": expression})
    assert answer.status_code == 200, f"{expression}: {answer.text}"
    found: list[dict[str, object]] = answer.json()["data"]["result"]
    return found


def has(prometheus: httpx.Client, expression: str) -> bool:
    try:
        if prometheus.get("/-/ready").status_code != 200:
            return False
    except httpx.TransportError:  # it starts
        return False
    return bool(query(prometheus, expression))


async def use(product: Product) -> None:
    """Do what the dashboards show: a page, an upload that is analysed, a token, a backup."""
    async with StateSocket.opened(product.port, "") as socket:
        await socket.event(EVENT, '"delta"')
    with signed_in(product) as client:
        file = {"file": ("kick.wav", wav(110.0, seconds=2.0))}
        assert client.post("/api/samples", files=file).status_code == 201
        eventually(lambda: client.get("/api/samples").json()["samples"][0]["status"] == "ready")
        assert client.post("/api/billing/subscribe", json={"plan": "pro"}).status_code == 200
        form = {"email": client.get("/api/me").json()["email"], "password": PASSWORD}
        token = client.post("/api/auth/login", json=form).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        client.cookies.clear()
        assert client.get("/api/me", headers=bearer).status_code == 200
    record_backups(product)


def record_backups(product: Product) -> None:
    home = Home(product.home)
    database = for_children(Settings(home=home.root), home)["SP404_DATABASE_URL"]
    backup_log.record_backup(database)
    backup_log.record_copy(database)


async def test_every_panel_and_alert_is_answered_by_prometheus(
    product: Product, tmp_path: Path
) -> None:
    if not PROMETHEUS:
        pytest.skip("prometheus is not installed (Debian package prometheus)")
    with scraped_by_prometheus(product, tmp_path) as prometheus:
        enough = f'count_over_time(up{{job="crate404"}}[5m]) >= {SCRAPES}'
        eventually(lambda: has(prometheus, enough))
        await use(product)
        before = query(prometheus, "count_over_time(up[5m])")[0]["value"][1]  # type: ignore[index]
        later = f"count_over_time(up[5m]) >= {int(str(before)) + SCRAPES}"
        eventually(lambda: has(prometheus, later))
        empty = [
            f"{place}: {expression}"
            for place, expression in expressions()
            if not query(prometheus, expression)
            and not place.startswith("alert ")
            and not any(rare in expression for rare in RARE)
        ]
        assert empty == []
        loaded = prometheus.get("/api/v1/rules").json()["data"]["groups"]
        unhealthy = [
            (rule["name"], rule.get("lastError"))
            for group in loaded
            for rule in group["rules"]
            if rule["health"] != "ok"
        ]
        assert loaded
        assert unhealthy == []
