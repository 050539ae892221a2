"""Cost of PostgreSQL's row-level security on the most frequent query.

    .venv/bin/python bench/rls.py

A library of 1,000 among 20,000 rows, read in pages of 50 by a role that cannot bypass the policy,
with and without it, alternating. Everything is rolled back at the end.
"""

import time
import uuid

import psycopg
from services import connected_services, percentile

from sp404_app.settings import settings

ROUNDS = 1500
USERS, SAMPLES_EACH = 20, 1000
PAGE_QUERY = "select * from rls_bench where user_id = %s order by id desc limit 50"
SAMPLE_COLUMNS = """
select column_name from information_schema.columns
where table_name = 'samples' and table_schema = 'public' and is_generated = 'NEVER'
"""
SET_USER = "select set_config('app.user_id', %s, true)"


def main() -> None:
    """Measure inside one transaction that is rolled back."""
    with connected_services(), psycopg.connect(settings().database_url) as connection:
        user_ids = [uuid.uuid4() for _ in range(USERS)]
        run = connection.execute
        run("create role rls_bench_reader nologin")
        run("create table rls_bench (like samples including defaults including generated)")
        run("create index on rls_bench (user_id, id)")
        columns = [name for (name,) in run(SAMPLE_COLUMNS)]
        fixed = {"id": "gen_random_uuid()", "user_id": "%(user_id)s::uuid"}
        chosen = ", ".join(fixed.get(name, name) for name in columns)
        run("set local synchronous_commit = off")
        source = run("select count(*) from samples").fetchone()
        assert source is not None
        assert source[0], "bench/rls.py needs a library with at least one sample"
        for user_id in user_ids:
            run(
                f"insert into rls_bench ({', '.join(columns)}) select {chosen} from "  # noqa: S608 - our own names
                f"(select * from samples limit 1) one, generate_series(1, {SAMPLES_EACH})",
                {"user_id": user_id},
            )
        run("analyze rls_bench")
        run("grant select on rls_bench to rls_bench_reader")
        run(
            "create policy own on rls_bench using "
            "(user_id = nullif(current_setting('app.user_id', true), '')::uuid)"
        )
        times: dict[str, list[float]] = {"without": [], "with": []}
        for _ in range(5):
            for name, switch in (("without", "disable"), ("with", "enable")):
                run("reset role")
                run(f"alter table rls_bench {switch} row level security")
                run("set local role rls_bench_reader")
                times[name] += _time_pages(connection, user_ids[7], with_policy=name == "with")
        connection.rollback()
    for name, found in times.items():
        p50, p95 = percentile(found, 0.5), percentile(found, 0.95)
        print(f"{name:8} p50 {p50:.3f} ms   p95 {p95:.3f} ms")
    ratio = percentile(times["with"], 0.5) / percentile(times["without"], 0.5)
    print(f"with row-level security: {100 * (ratio - 1):+.0f} % of the query and its setting")


def _time_pages(
    connection: psycopg.Connection, user_id: uuid.UUID, *, with_policy: bool
) -> list[float]:
    """Read pages; with a policy, each transaction must set the user."""
    times = []
    for _ in range(ROUNDS // 5):
        started = time.perf_counter()
        if with_policy:
            connection.execute(SET_USER, (str(user_id),))
        assert len(connection.execute(PAGE_QUERY, (user_id,)).fetchall()) == 50
        times.append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
