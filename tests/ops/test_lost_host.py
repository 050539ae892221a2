"""A host that loses its network or power: PostgreSQL ends its session, with the locks."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from tests.ops.conftest import eventually
from tests.postgres_servers import PostgresServer, running_postgres
from tests.product import ROOT

NETWORK, HOST_ADDRESS = "10.204.17.1/24", "10.204.17.2/24"
HOST, OURS, THEIRS = "sp404lost", "sp404lost0", "sp404lost1"
HOLD_LOCK = """
import time
from sqlmodel import text
from sp404_app.db import transaction
with transaction() as session:
    session.execute(text("select pg_advisory_xact_lock(1)"))
    print("locked", flush=True)
    time.sleep(600)
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def host() -> Iterator[None]:
    """Another host: a network namespace with a cable to this one."""
    inside = ("-n", HOST)
    try:
        try:
            ip("netns", "add", HOST)
            ip("link", "add", OURS, "type", "veth", "peer", "name", THEIRS, "netns", HOST)
            ip("addr", "add", NETWORK, "dev", OURS)
            ip("link", "set", OURS, "up")
            ip(*inside, "addr", "add", HOST_ADDRESS, "dev", THEIRS)
            ip(*inside, "link", "set", THEIRS, "up")
            ip("netns", "exec", HOST, "true")
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("a network namespace needs root and iproute2")
        yield
    finally:
        for undo in (("link", "del", OURS), ("netns", "del", HOST)):
            with suppress(OSError, subprocess.CalledProcessError):
                ip(*undo)


@pytest.fixture
def server(host: None) -> Iterator[PostgresServer]:
    with running_postgres(18, NETWORK) as server:
        yield server


def test_the_locks_of_a_host_without_power_are_released(server: PostgresServer) -> None:
    address = f"postgresql://postgres@{NETWORK.partition('/')[0]}/postgres"
    process = subprocess.Popen(
        ["ip", "netns", "exec", HOST, sys.executable, "-c", HOLD_LOCK],
        cwd=ROOT,
        env=os.environ | {"SP404_DATABASE_URL": address},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == b"locked\n"
        with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
            assert not is_free(ours)
            ip("link", "set", OURS, "down")
            eventually(lambda: is_free(ours), 60)
    finally:
        process.kill()
        process.wait()


def is_free(connection: psycopg.Connection) -> bool:
    row = connection.execute("select pg_try_advisory_lock(1)").fetchone()
    return bool(row and row[0])
