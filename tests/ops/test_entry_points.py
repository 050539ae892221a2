"""`migrate`, `web`, `worker` and `scheduler`, each alone, as in containers."""

import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from sp404_app.jobs.scheduler_process import LEASE_NAME
from sp404_app.supervisor import postgresql, redis_server
from sp404_app.supervisor.home import Home
from tests.ops.conftest import eventually, mailed_token
from tests.ops.processes import process
from tests.product import Product, free_port
from tests.supervisor.test_supervisor import main_process

pytestmark = pytest.mark.timeout(600)

Settings = dict[str, str]


@pytest.fixture
def stores(new_product: Callable[..., Product]) -> Product:
    """A product without workers, whose database and Redis the processes of a test use."""
    return new_product(SP404_WORKERS="0").start()


@pytest.fixture
def settings(stores: Product) -> Settings:
    """The settings of processes that share the database, Redis, secrets and sounds."""
    home = Home(stores.home)
    return {
        "SP404_DATABASE_URL": postgresql.postgres_url(home),
        "SP404_REDIS_URL": redis_server.embedded_redis_url(home),
        "SP404_STORAGE_URL": (home.root / "sounds").as_uri(),
        "SP404_SECRETS_DIR": str(home.root / "secrets"),
        "SP404_HOME": str(home.root),
        "PORT": str(stores.port),
    }


def test_no_worker_runs_with_zero_workers(stores: Product) -> None:
    answer = httpx.get(f"{stores.base_url}/api/health")
    assert (answer.status_code, answer.json()["workers"]) == (503, 0)
    assert httpx.get(f"{stores.base_url}/api/health/ready").status_code == 200


def test_a_worker_alone_is_counted_until_it_ends(
    stores: Product, settings: Settings, tmp_path: Path
) -> None:
    def workers() -> int:
        return httpx.get(f"{stores.base_url}/api/health").json()["workers"]

    with process(tmp_path / "log", "worker", **settings) as worker:
        eventually(lambda: workers() == 1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        eventually(lambda: workers() == 0, 10)  # the answer is kept for three seconds
    with process(tmp_path / "log", "worker", **settings) as worker:
        eventually(lambda: workers() == 1)
        worker.kill()
        eventually(lambda: workers() == 0)


def test_a_restore_is_refused_while_any_process_runs(
    stores: Product, settings: Settings, tmp_path: Path
) -> None:
    def restore() -> str:
        log = tmp_path / "restore"
        log.unlink(missing_ok=True)
        elsewhere = settings | {"SP404_HOME": str(tmp_path / "elsewhere")}
        with process(log, "restore", str(tmp_path / "new"), "--replace", **elsewhere) as started:
            assert started.wait(120) == 1
        return log.read_text()

    with process(tmp_path / "log", "backup", str(tmp_path / "new"), **settings) as started:
        assert started.wait(120) == 0, (tmp_path / "log").read_text()
    with process(tmp_path / "log", "worker", **settings) as worker:
        eventually(lambda: f"worker {worker.pid} on " in restore())
        assert all(f"{role} " in restore() for role in ("web server", "scheduler"))
        worker.kill()
        worker.wait(60)
        eventually(lambda: f"worker {worker.pid} on " not in restore())


def leader(client: redis.Redis) -> str:
    found = client.get(LEASE_NAME)
    return found.decode().split(":")[1] if isinstance(found, bytes) else ""


def test_one_of_several_schedulers_leads_and_another_follows_it(
    stores: Product, settings: Settings, tmp_path: Path
) -> None:
    with redis.Redis.from_url(settings["SP404_REDIS_URL"]) as client, ExitStack() as stack:
        own = main_process(stores, "scheduler")
        eventually(lambda: leader(client) == str(own.pid))
        others = [
            stack.enter_context(process(tmp_path / "log", "scheduler", **settings))
            for _ in range(2)
        ]
        eventually(lambda: (tmp_path / "log").read_text().count("is ready") == 2)
        assert leader(client) == str(own.pid)
        own.suspend()  # the supervisor would restart it, were it killed
        stack.callback(own.resume)
        eventually(lambda: leader(client) in {str(other.pid) for other in others})
        (leading,) = [other for other in others if str(other.pid) == leader(client)]
        (following,) = [other for other in others if other is not leading]
        leading.kill()
        eventually(lambda: leader(client) not in ("", str(leading.pid)))
        following.send_signal(signal.SIGTERM)
        assert following.wait(60) == 0
        assert leader(client) != str(following.pid)


def test_migrate_ends_with_a_sentence_if_there_is_no_database(tmp_path: Path) -> None:
    log = tmp_path / "log"
    url = f"postgresql://127.0.0.1:{free_port()}/none"
    with process(log, "migrate", SP404_DATABASE_URL=url) as migrate:
        assert migrate.wait(60) == 2
    assert log.read_text().count("\n") == 1
    assert "SP404_DATABASE_URL" in log.read_text()


def test_migrate_of_a_current_database_succeeds(settings: Settings, tmp_path: Path) -> None:
    with process(tmp_path / "log", "migrate", **settings) as migrate:
        assert migrate.wait(60) == 0
    with psycopg.connect(settings["SP404_DATABASE_URL"]) as connection:
        assert connection.execute("select 1 from alembic_version").fetchone()


def test_web_servers_side_by_side_share_sessions(
    stores: Product, settings: Settings, tmp_path: Path
) -> None:
    # The port is part of the pages, so both take the same one, on addresses of their own.
    hosts = ("127.0.0.2", "127.0.0.3")
    with ExitStack() as stack:
        webs = [
            stack.enter_context(process(tmp_path / host, "web", SP404_HOST=host, **settings))
            for host in hosts
        ]
        urls = [f"http://{host}:{stores.port}" for host in hosts]
        for url in urls:
            eventually(lambda url=url: is_up(url))
        address = "somebody@example.org"
        form = {"email": address, "password": "tape delay and dust"}
        form |= {"first_name": "A", "last_name": "B"}
        with httpx.Client(timeout=60) as client:
            assert client.post(f"{urls[0]}/api/auth/register", json=form).status_code == 201
            token = mailed_token(stores, address)
            body = {"token": token}
            assert client.post(f"{urls[1]}/api/auth/verify-email", json=body).status_code == 200
            answer = client.post(f"{urls[0]}/api/auth/login", json=form).json()
            headers = {"Authorization": f"Bearer {answer['token']}"}
            assert client.get(f"{urls[1]}/api/me", headers=headers).status_code == 200
        for web in webs:
            web.send_signal(signal.SIGTERM)
        assert [web.wait(60) for web in webs] == [0, 0]


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ping").status_code == 200
    except httpx.HTTPError:
        return False
