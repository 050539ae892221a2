"""Two hosts as DEPLOYMENT.md describes them, and a night in which everything is killed once.

PostgreSQL 16 with an ordinary role, a Redis and a bucket of their own; two web servers, two workers
and a scheduler, each with a home of its own; nginx with https before them.
"""

import signal
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from sp404_app.supervisor import redis_server
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child
from tests.certificates import make_certificate
from tests.ops.conftest import PASSWORD, eventually
from tests.ops.nginx import proxy_conf, running_nginx, trusting
from tests.ops.processes import process
from tests.ops.test_recovery import statuses, upload_until_stored
from tests.postgres_servers import PostgresServer, running_postgres
from tests.product import free_port
from tests.s3_server import BUCKET, KEY_ID, S3Server, run_s3_server

EMAIL = "night@example.org"

pytestmark = pytest.mark.timeout(900)


@dataclass
class Night:
    """What runs, by name; each can be killed and comes back, as a service manager does it."""

    folder: Path
    settings: Mapping[str, str]
    database: PostgresServer
    bucket: S3Server
    redis: Child
    webs: dict[str, int]  # name and port
    stack: ExitStack
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def said(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def start(self, name: str) -> None:
        """Start a process in the home of its host: `web 1` and `worker 1` share one."""
        command, _, number = name.partition(" ")
        own = {"SP404_HOME": str(self.folder / f"host{number or 1}")}
        if name in self.webs:
            own["PORT"] = str(self.webs[name])
        log = self.folder / f"{name}.log"
        found = process(log, command, **{**self.settings, **own})
        self.running[name] = self.stack.enter_context(found)

    def kill(self, name: str) -> None:
        """Kill a process, or all connections of the database, and start it again."""
        if name == "database":
            self.database.as_admin(
                "postgres",
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where backend_type = 'client backend' and pid <> pg_backend_pid()",
            )
        elif name == "redis":
            self.redis.process.send_signal(signal.SIGKILL)
            self.redis.wait_stopped()
            self.redis.start()
        else:
            self.running[name].kill()
            self.running[name].wait(60)
            self.start(name)


@pytest.fixture
def night(pages: Path, tmp_path: Path) -> Iterator[Night]:
    with ExitStack() as stack:
        database = stack.enter_context(running_postgres(16))
        bucket = stack.enter_context(run_s3_server())
        store = Home(tmp_path / "store")
        for folder in (store.sockets, store.redis, store.logs):
            folder.mkdir(parents=True)
        redis = redis_server.prepare_redis(store, {})
        redis.start()
        stack.callback(redis.wait_stopped)
        stack.callback(redis.send_stop_signal)
        for number in (1, 2):
            home = Home(tmp_path / f"host{number}")
            home.root.mkdir()
            home.bundles.symlink_to(pages)
        settings = {
            "SP404_DATABASE_URL": database.create_database(),
            "SP404_REDIS_URL": redis_server.embedded_redis_url(store),
            "SP404_STORAGE_URL": f"s3://{BUCKET}/crate",
            "SP404_SECRETS_DIR": str(tmp_path / "secrets"),
            "SP404_TRUSTED_PROXIES": "127.0.0.1",
            "SP404_DEMO": "false",
            "AWS_ENDPOINT_URL": bucket.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": PASSWORD,
            "AWS_REGION": "eu-central-1",
        }
        webs = {f"web {number}": free_port() for number in (1, 2)}
        yield Night(tmp_path, settings, database, bucket, redis, webs, stack)


@contextmanager
def opened(night: Night) -> Iterator[httpx.Client]:
    """Start all processes and nginx; sign in through it."""
    https = free_port()
    url = f"https://localhost:{https}"
    night.settings = {**night.settings, "SP404_PUBLIC_URL": url}
    with process(night.folder / "migrate.log", "migrate", **night.settings) as migrate:
        assert migrate.wait(120) == 0, night.said
    for name in (*night.webs, "worker 1", "worker 2", "scheduler"):
        night.start(name)
    certificate = make_certificate(night.folder)
    first, second = night.webs.values()
    upstream = {
        "server 127.0.0.1:3000 ": f"server 127.0.0.1:{first} ",
        "# server 127.0.0.1:3001 ": f"server 127.0.0.1:{second} ",
    }
    (night.folder / "nginx").mkdir()
    conf = proxy_conf(upstream, certificate, https)
    with running_nginx(night.folder / "nginx", certificate, url, conf):
        eventually(lambda: all(map(is_ready, night.webs.values())), 180)
        with signed_in(night, url, trusting(certificate)) as client:
            yield client


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/health/ready").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def signed_in(night: Night, url: str, trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, verify=trust, timeout=60) as client:
        form = {"email": EMAIL, "password": PASSWORD, "first_name": "A", "last_name": "B"}
        assert client.post("/api/auth/register", json=form).status_code == 201
        with psycopg.connect(night.settings["SP404_DATABASE_URL"]) as connection:
            connection.execute("update users set email_verified_at = now()")
        assert client.post("/auth/session", data=form).status_code == 303
        yield client


def test_a_night_in_which_everything_is_killed_loses_and_doubles_nothing(night: Night) -> None:
    # One for each sound; a new account may analyse ten in a month.
    victims = ("", "", "web 1", "worker 1", "redis", "", "database", "scheduler", "web 2")
    with opened(night) as client:
        stored = []
        for number, victim in enumerate(victims):
            if victim:
                night.kill(victim)
            name, pitch = f"take {number}.wav", 200.0 + number * 20
            stored.append(upload_until_stored(client, name, pitch))
        assert len(set(stored)) == len(victims)

        eventually(lambda: statuses(client) == dict.fromkeys(stored, "ready"), 180)
        for sample in stored:
            audio = client.get(f"/api/samples/{sample}/audio")
            assert (audio.status_code, audio.content[:4]) == (200, b"RIFF")
    with psycopg.connect(night.settings["SP404_DATABASE_URL"]) as connection:
        analyses = "select sample_id::text, count(*) from analyses group by 1"
        assert dict(connection.execute(analyses).fetchall()) == dict.fromkeys(stored, 1)
        keys = connection.execute("select storage_key from samples").fetchall()
    assert {key for (key,) in keys} <= {
        path.removeprefix(f"/{BUCKET}/crate/") for path in night.bucket.objects
    }
