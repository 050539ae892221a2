"""PostgreSQL, Redis, a bucket and a scheduler that several hosts use (`cluster.py`)."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from cluster_hosts import SUBNET, Host
from psycopg import sql

from sp404_app.settings import settings
from sp404_app.supervisor import migrations, orphans, postgresql, redis_server
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.watchdog import Watchdog
from tests.ops.processes import process
from tests.s3_server import BUCKET, KEY_ID, run_s3_server

POSTGRES_PORT, REDIS_PORT = 5432, 6379


@dataclass(slots=True)
class Cluster:
    """What a host needs to know."""

    root: Path
    address: str
    settings: dict[str, str]
    started: list[Host] = field(default_factory=list)

    def start_host(self) -> Host:
        """Start a host with one worker."""
        self.started.append(Host(len(self.started), self.root, self.settings, self.address))
        return self.started[-1].start()

    def remove_hosts(self) -> None:
        """Remove all hosts that were started."""
        for host in self.started:
            host.remove()


@contextmanager
def connected_services(address: str) -> Iterator[Cluster]:
    """Start the services, point this process at them, and stop them; on sockets without address."""
    root = Path(tempfile.mkdtemp(prefix="sp404c-"))
    place = Home(root / "services")
    place.prepare()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        stack.callback(Watchdog(place).release)
        bucket = stack.enter_context(run_s3_server(address or "127.0.0.1"))
        known = {
            **_start_stores(place, address),
            "SP404_STORAGE_URL": f"s3://{BUCKET}/library",
            "SP404_BILLING": "off",  # so that no limit of a plan ends the run
            "AWS_ENDPOINT_URL": bucket.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
            "AWS_REGION": "eu-central-1",
        }
        os.environ |= {**known, "SP404_HOME": str(place.root)}
        settings.cache_clear()
        migrations.run_migrations(settings().database_url)
        log = root / "scheduler.log"
        stack.enter_context(process(log, "scheduler", **known, SP404_HOME=str(root / "keeper")))
        cluster = Cluster(root, address, known)
        stack.callback(cluster.remove_hosts)
        yield cluster


def _start_stores(place: Home, address: str) -> dict[str, str]:
    environment = dict(os.environ)
    options = ["-h", address] if address else []
    database = postgresql.prepare_postgres(
        place, environment | orphans.marker_variable(place, "database"), options
    )
    redis = redis_server.prepare_redis(place, environment | orphans.marker_variable(place, "redis"))
    if address:
        with (place.postgres / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all postgres {SUBNET}.0/24 scram-sha-256\n")
        redis.command = [*redis.command, "--bind", address, "--port", str(REDIS_PORT)]
    for child in (database, redis):
        child.start()
    redis_server.wait_for_redis(redis, place)
    postgresql.wait_for_postgres(database, place)
    if not address:
        return {
            "SP404_DATABASE_URL": postgresql.postgres_url(place),
            "SP404_REDIS_URL": redis_server.embedded_redis_url(place),
        }
    password = secrets.token_hex(16)
    with psycopg.connect(postgresql.postgres_url(place), autocommit=True) as connection:
        statement = sql.SQL("alter role postgres password {}")
        connection.execute(statement.format(sql.Literal(password)))
    login = f"postgres:{password}@{address}:{POSTGRES_PORT}"
    return {
        "SP404_DATABASE_URL": f"postgresql://{login}/{postgresql.DATABASE}",
        "SP404_REDIS_URL": f"redis://{address}:{REDIS_PORT}/0",
    }
