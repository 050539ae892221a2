"""A library under load: users who send a request each second, and maximum throughput.

    .venv/bin/python bench/load.py [--people 1000] [--size 1000] [--seconds 60] [--burst 10]

Each user has a library, has visited it once, and requests its first 50 samples. Goals: no error
and a 95th percentile below 100 ms, with the load generator on the same cores; and four times the
throughput of the same route in a plain FastAPI app (bench/plain.py), alternating on the same
database: once with pages that our app may serve from its cache, once with another page size each
time, so that each is read anew. One web process each. The request limit per minute is lifted for
the second part, but still counted.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
from http_client import build_request, closed_loop, paced_requests, send_each_once
from instance import create_user, fill_library, open_database, running_product
from services import percentile, use_services_of
from sqlmodel import Session, insert

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.auth import access_tokens
from sp404_app.services.infra.client_info import Client
from tests.product import ROOT, Product, free_port

LIST_PATH = "/api/samples?limit="
CONNECTIONS = 50
ROUNDS = 3
INDEXES = """
select indexname, indexdef from pg_indexes
where tablename = 'samples' and indexdef not like '%%UNIQUE%%'
"""
COLUMNS = """
select column_name from information_schema.columns
where table_name = 'samples' and table_schema = 'public' and is_generated = 'NEVER'
"""


def main() -> None:
    """Fill the database, measure and print."""
    options = _arguments()
    with running_product({"SP404_REQUESTS_PER_MINUTE": "1000000000"}) as instance:
        with open_database(instance) as session:
            user_ids = _fill_libraries(session, options.people, options.size)
        _vacuum(instance)
        os.environ["PORT"] = str(instance.port)
        use_services_of(str(instance.home))
        with open_database(instance) as session:
            tokens = [
                access_tokens.start_token_family(
                    session, user_id, Client("127.0.0.1", "bench")
                ).token
                for user_id in user_ids
            ]
        with serve_plain_app(instance) as port:
            asyncio.run(_measure(instance.port, port, tokens, options))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("people", 1000), ("size", 1000), ("seconds", 60), ("burst", 10)):
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args()


async def _measure(ours: int, theirs: int, tokens: list[str], options: argparse.Namespace) -> None:
    requests = [build_request(f"{LIST_PATH}50", token) for token in tokens]
    await closed_loop(theirs, requests, 4, 2)  # warm up
    await send_each_once(ours, requests, 8)
    times, statuses = await paced_requests(ours, requests, options.seconds)
    p50, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
    print(
        f"{len(requests)} users, {options.size} samples each, once a second for {options.seconds} s"
    )
    print(f"answers {statuses}   p50 {p50:.1f} ms   p95 {p95:.1f} ms   p99 {p99:.1f} ms")
    rng = random.Random(404)  # noqa: S311 - reproducible, not secret
    sizes = [size for size in range(40, 61) for _ in tokens]
    uncached = [
        build_request(f"{LIST_PATH}{size}", token)
        for size, token in zip(sizes, tokens * 21, strict=True)
    ]
    rng.shuffle(uncached)
    for name, chosen_requests in (
        ("the same page", requests),
        ("another page each time", uncached),
    ):
        await _compare_in_turns(name, ours, theirs, chosen_requests, options.burst)


async def _compare_in_turns(
    name: str, ours: int, theirs: int, requests: list[bytes], seconds: int
) -> None:
    print(
        f"{name}, as fast as answers come, {CONNECTIONS} connections, {seconds} s each, in turns:"
    )
    ratios, step = [], len(requests) // ROUNDS
    for turn in range(ROUNDS):
        some = requests[turn * step :] + requests[: turn * step]
        plain_per_s = await closed_loop(theirs, some, CONNECTIONS, seconds)
        ours_per_s = await closed_loop(ours, some, CONNECTIONS, seconds)
        ratios.append(ours_per_s / plain_per_s)
        print(f"plain {plain_per_s:6.0f}/s   ours {ours_per_s:6.0f}/s   {ratios[-1]:.2f} times")
    print(f"median {sorted(ratios)[ROUNDS // 2]:.2f} times, at load {os.getloadavg()[0]:.1f}")


def _vacuum(instance: Product) -> None:
    """Update PostgreSQL's statistics, as autovacuum does after a while."""
    folder = instance.home / "run" / "postgres"
    with psycopg.connect(f"postgresql://postgres@/sp404?host={folder}", autocommit=True) as line:
        line.execute("vacuum analyze samples, analyses")


def _fill_libraries(session: Session, people: int, size: int) -> list[uuid.UUID]:
    """Create users with a library each: one is generated, PostgreSQL copies it for the others."""
    first = create_user(session, "bench-0@example.org")
    others = [
        User(email=f"bench-{n}@example.org", password_hash="!", email_verified_at=now())  # noqa: S106
        for n in range(1, people)
    ]
    session.exec(insert(User), params=[user.model_dump() for user in others])  # type: ignore[call-overload]
    fill_library(session, first, size)
    _copy_library(session, first)
    return [first.id, *(user.id for user in others)]


def _copy_library(session: Session, first: User) -> None:
    """Copy the first user's samples to all others; indexes are rebuilt afterwards for speed."""
    connection = session.connection()

    def run(statement: str) -> Any:
        return connection.exec_driver_sql(statement, ())

    run("set local synchronous_commit = off")
    indexes = run(INDEXES).all()
    for name, _ in indexes:
        run(f'drop index "{name}"')
    made = {"id": "uuidv7()", "user_id": "users.id", "storage_key": "users.id || '/' || samples.id"}
    names = [name for (name,) in run(COLUMNS)]
    values = ", ".join(made.get(name, f"samples.{name}") for name in names)
    run(
        f"insert into samples ({', '.join(names)}) select {values} from samples, users "  # noqa: S608 - our own names
        f"where samples.user_id = '{first.id}' and users.email like 'bench-%%' "
        f"and users.id <> '{first.id}' order by users.id, samples.id"
    )
    for _, definition in indexes:
        run(definition)
    run(
        "insert into analyses (id, user_id, sample_id, engine_version, status, error, "  # noqa: S608
        "bpm_candidates, key_candidates, beats, onsets, content, created_at) select uuidv7(), "
        f"user_id, id, '{ENGINE_VERSION}', 'ready', '', '[]', '[]', '{{}}', '{{}}', '{{}}', now() "
        "from samples on conflict do nothing"
    )  # or the workers would analyse everything again


@contextmanager
def serve_plain_app(instance: Product) -> Iterator[int]:
    """Serve the plain app as Reflex serves ours: with granian, in one process."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port)]
    command += ["--workers", "1", "--no-access-log", "--log-level", "warning", "plain:app"]
    environment = {**os.environ, "SP404_HOME": str(instance.home)}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "bench")])
    process = subprocess.Popen(command, cwd=ROOT / "bench", env=environment)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(f"http://127.0.0.1:{port}{LIST_PATH}50").status_code < 500:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    main()
