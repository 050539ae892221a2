"""The metrics of a product with two web processes and a worker."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bench.websocket import StateSocket
from sp404_app.services.infra import backup_log
from sp404_app.settings import Settings
from sp404_app.supervisor.environment import for_children
from sp404_app.supervisor.home import Home
from sp404_app.telemetry import processes
from tests.monitoring import Labels, expressions, unknown_parts
from tests.product import ROOT, Product, free_port
from tests.supervisor.conftest import discard, fresh
from tests.supervisor.test_supervisor import eventually, named

pytestmark = pytest.mark.timeout(300)
EVENT = "reflex___state____state.hydrate"
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def product(pages: object) -> Iterator[Product]:
    made = fresh(pages, SP404_WEB_PROCESSES="2")  # type: ignore[arg-type]
    made.start()
    yield made
    discard(made)


def fetch(product: Product, path: str) -> str:
    # A new connection each time, so that the system gives it to any of the processes.
    url = f"http://127.0.0.1:{product.port}{path}"
    answer = httpx.get(url, headers={"Connection": "close"}, timeout=20, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.text


def scrape(product: Product) -> Series:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(fetch(product, "/metrics"))
        for sample in family.samples
    }


def counted(series: Series, route: str) -> float:
    return sum(
        value
        for (name, labels), value in series.items()
        if name == "sp404_requests_total" and dict(labels)["route"] == route
    )


def running(series: Series, role: str) -> float:
    return series.get(("sp404_processes", (("role", role),)), 0)


def counters(series: Series) -> Series:
    return {key: value for key, value in series.items() if key[0].endswith(("_total", "_bucket"))}


def test_requests_to_all_processes_are_added_up(product: Product) -> None:
    before = counted(scrape(product), "/api/health/live")
    seen = []
    for _ in range(40):
        fetch(product, "/api/health/live")
        seen.append(counted(scrape(product), "/api/health/live") - before)
    assert seen == [float(number) for number in range(1, 41)]


def test_all_processes_are_counted(product: Product) -> None:
    eventually(lambda: running(scrape(product), "worker") == 1)
    assert running(scrape(product), "web") == 2


def labels_of(series: Series, known: Labels) -> Labels:
    """Replace what is known by the names in `series` and their labels."""
    known.clear()
    for name, labels in series:
        known.setdefault(name, set()).update(dict(labels))
    return known


async def test_every_metric_and_label_of_dashboards_and_alerts_exists(product: Product) -> None:
    eventually(lambda: running(scrape(product), "worker") == 1)
    async with StateSocket.opened(product.port, "") as socket:
        await socket.event(EVENT, '"delta"')
    home = Home(product.home)  # a time that exists only once a backup was copied
    backup_log.record_copy(for_children(Settings(home=home.root), home)["SP404_DATABASE_URL"])
    # Each web process keeps values of the database for some seconds: look at one answer only.
    known: Labels = {}
    eventually(lambda: "sp404_backup_copy_timestamp_seconds" in labels_of(scrape(product), known))
    assert known["sp404_event_seconds_bucket"] == {"state", "le"}
    missing = {place: unknown_parts(text, known) for place, text in expressions()}
    assert {place: parts for place, parts in missing.items() if parts} == {}


def test_no_counter_falls_when_a_worker_is_killed(product: Product) -> None:
    eventually(lambda: running(scrape(product), "worker") == 1)
    sign_up(product)
    sent = ("sp404_mails_total", (("outcome", "sent"),))
    eventually(lambda: scrape(product)[sent] >= 1)
    before = scrape(product)

    killed = named(product, "worker 1")
    for process in killed:
        process.kill()
    eventually(lambda: not any(map(is_alive, killed)))
    after = scrape(product)
    assert {
        key: after.get(key, 0.0) for key in counters(before) if after.get(key, 0.0) < before[key]
    } == {}
    eventually(lambda: running(scrape(product), "worker") == 1)  # the new one, without the old
    assert scrape(product)[sent] >= before[sent]


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def sign_up(product: Product) -> None:
    form = {"email": "ada@example.org", "password": "tape delay and dust"}
    names = {"first_name": "Ada", "last_name": "Lovelace"}
    url = f"{product.base_url}/api/auth/register"
    answer = httpx.post(url, json=form | names, timeout=20, trust_env=False)
    assert answer.status_code == 201, answer.text


@pytest.fixture
def lone_worker(product: Product) -> Iterator[str]:
    """The address of the metrics of a worker that no supervisor has started."""
    port = free_port()
    settings = Settings(home=product.home, PORT=product.port)  # type: ignore[call-arg]
    environment = for_children(settings, Home(product.home))
    environment.pop(processes.FOLDER_VARIABLE, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "sp404_app", "worker"],
        cwd=ROOT,
        env=environment | {"SP404_METRICS_PORT": str(port)},
        stderr=subprocess.PIPE,
    )
    yield f"http://127.0.0.1:{port}/metrics"
    process.terminate()
    process.communicate()


def test_a_worker_alone_shows_its_metrics(lone_worker: str, product: Product) -> None:
    eventually(lambda: 'sp404_processes{role="worker"} 1.0' in read(lone_worker), 120)
    assert running(scrape(product), "worker") == 1  # it counts into a folder of its own


def read(url: str) -> str:
    try:
        return httpx.get(url, timeout=5, trust_env=False).text
    except httpx.TransportError:  # it has not started yet
        return ""
