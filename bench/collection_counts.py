"""Time to count what the rules of smart collections match, in a library of 100,000 samples.

    .venv/bin/python bench/collection_counts.py

Each kind of rules is counted on a fresh server, which has no generic plans yet, and then often. The
baseline is the count of the whole library in the same run. Two changes of a manual collection of
100,000 samples follow. Only PostgreSQL is started.
"""

import argparse
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from instance import FIRST, SECOND, create_user, fill_library
from services import percentile
from sqlmodel import Session, create_engine, func, select, text

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.audio.similarity.embedding import DIMENSIONS, apply_part_weights
from sp404_app.models import Sample
from sp404_app.services.collections import collection_samples, collection_totals, collections
from sp404_app.services.collections.collection_totals import count_rules
from sp404_app.services.library.collection_rules import parse_rules
from tests.pending_migrations import empty_database, migrations

SIZE, ROUNDS, CLUSTERS = 100_000, 40, 40
COPY_VECTORS = "copy sample_vectors (sample_id, user_id, engine_version, vector) from stdin"


def main() -> None:
    """Fill a library, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=SIZE)
    chosen = options.parse_args()
    with library(chosen.size) as (session, user_id, ids):
        server = session.execute(text("select pg_backend_pid()")).scalar_one()
        plain = measure(server, lambda: count_library(session, user_id))
        print(f"{chosen.size:,} samples, load {os.getloadavg()[0]:.1f}")
        show("whole library", plain, plain)
        for name, rules in examples(session, user_id, ids).items():
            parsed = parse_rules(rules)
            found = count_rules(session, user_id, parsed)
            times = measure(server, lambda parsed=parsed: count_rules(session, user_id, parsed))
            show(name, times, plain, found)
            made = collections.create_collection(session, user_id, name=name, rules=rules)
            length = partial(collection_totals.measure_collection, session, user_id, made.id)
            show("  its length", measure(server, length), plain)
        measure_changes(session, user_id, ids)


@contextmanager
def library(size: int) -> Iterator[tuple[Session, uuid.UUID, list[uuid.UUID]]]:
    """Start PostgreSQL with one library; yield a session, the user and the ids of the samples."""
    with empty_database() as url:
        migrations.run_migrations(url)
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with Session(engine, expire_on_commit=False) as session:
            user = create_user(session, "bench@example.org", "x")
            other = create_user(session, "other@example.org", "x")
            fill_library(session, user, size)
            copy_library(session, user.id, other.id)
            ids = list(session.exec(select(Sample.id).where(Sample.user_id == user.id)))
            copy_vectors(session, user.id, ids)
            session.commit()
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as line:
                line.execute(text("vacuum analyze"))
                # The first one marks only half of the pages as visible to all transactions.
                line.execute(text("vacuum analyze"))
            yield session, user.id, ids
        engine.dispose()


def copy_library(session: Session, user_id: uuid.UUID, other_id: uuid.UUID) -> None:
    """Give another user the same samples, as the tables hold those of many users."""
    changed = {
        "id": "gen_random_uuid()",
        "user_id": f"'{other_id}'",
        "storage_key": "storage_key || '-'",
    }
    columns = Sample.__table__.columns  # type: ignore[attr-defined]
    names = [str(column.name) for column in columns if column.computed is None]
    values = ", ".join(changed.get(name, name) for name in names)
    session.execute(
        text(
            f"insert into samples ({', '.join(names)}) select {values} from samples"  # noqa: S608
            f" where user_id = '{user_id}'"
        )
    )


def copy_vectors(session: Session, user_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
    """Give each sample a vector near one of some centres."""
    rng = np.random.default_rng(404)
    centres = rng.normal(size=(CLUSTERS, DIMENSIONS))
    driver = session.connection().connection
    with driver.cursor() as cursor, cursor.copy(COPY_VECTORS) as copy:  # type: ignore[attr-defined]
        for number, sample_id in enumerate(ids):
            vector = centres[number % CLUSTERS] + 0.3 * rng.normal(size=DIMENSIONS)
            weighted = apply_part_weights(vector.astype(np.float32)).tolist()
            copy.write_row((sample_id, user_id, ENGINE_VERSION, str(weighted)))


def examples(session: Session, user_id: uuid.UUID, ids: list[uuid.UUID]) -> dict[str, Any]:
    """Return rules by name."""
    manual = collections.create_collection(
        session, user_id, name="Manual", sample_ids=ids[: SIZE // 10]
    )
    session.flush()
    word = term("q", "matches", "kick")
    tempo = term("bpm", "between", [85, 100])
    keys = term("compatible_key", "is", "A minor")
    words = [term("q", "matches", each) for each in (*FIRST, *SECOND)]
    tags = [term("tag", "any_of", [each]) for each in SECOND]
    return {
        "one word": group("all", word),
        "no such word": group("all", term("q", "matches", "zzz")),
        "a tempo range": group("all", tempo),
        "word, tempo and keys": group("all", word, tempo, keys),
        "word, tempo or keys": group("any", word, tempo, keys),
        "loops of (tags or rating)": group(
            "all",
            term("kind", "is", "loop"),
            group("any", term("tag", "any_of", ["kick", "bell"]), term("rating", "at_least", 3)),
        ),
        "not in a collection": group("all", term("collection", "is_not", str(manual.id))),
        "copies": group("all", term("copies", "is", True)),
        "no copies": group("all", term("copies", "is", False)),
        "last 30 days": group("all", term("added", "within_days", 30)),
        "like one": group("all", like(ids[:1])),
        "like five": group("all", like(ids[:5])),
        "30 words or 16 tags": group("any", *words, *tags),
        "none of 16 tags": group("all", term("tag", "none_of", list(SECOND))),
        "4 words, rating or heart": group(
            "any",
            *words[:4],
            term("rating", "at_least", 4),
            term("favourite", "is", True),
        ),
        "50 tags, all": group("all", *(term("tag", "none_of", [f"t{n}"]) for n in range(50))),
    }


def group(match: str, *terms: dict[str, Any]) -> dict[str, Any]:
    """Return rules."""
    return {"match": match, "terms": list(terms)}


def term(field: str, op: str, value: object) -> dict[str, Any]:
    """Return one rule."""
    return {"field": field, "op": op, "value": value}


def like(ids: list[uuid.UUID]) -> dict[str, Any]:
    """Return the rule for sounds near some samples."""
    return term("like", "near", {"sample_ids": list(map(str, ids)), "max_distance": 0.2})


def count_library(session: Session, user_id: uuid.UUID) -> int:
    """Count all samples outside the trash."""
    live = select(func.count()).where(Sample.user_id == user_id, Sample.deleted_at.is_(None))  # type: ignore[union-attr]
    return session.exec(live).one()


@dataclass(frozen=True, slots=True)
class Measured:
    """The seconds of each round, and the CPU time of the server without its parallel workers."""

    times: list[float]
    cpu: list[float]


def measure(server: int, work: Callable[[], object]) -> Measured:
    """Measure rounds, without the first; `server` is the process that answers the session."""
    work()
    times, cpu = [], []
    for _ in range(ROUNDS):
        used, began = cpu_seconds(server), time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
        cpu.append(cpu_seconds(server) - used)
    return Measured(times, cpu)


def cpu_seconds(process: int) -> float:
    """Return the CPU time of a process so far."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def show(name: str, measured: Measured, plain: Measured, found: int | None = None) -> None:
    """Print one line of results; the ratio is that of the medians."""
    middle, late = percentile(measured.times, 0.5), percentile(measured.times, 0.95)
    cpu = percentile(measured.cpu, 0.5)
    ratio = middle / percentile(plain.times, 0.5)
    line = (
        f"{name:26} median {middle:6.1f} ms, p95 {late:6.1f} ms, CPU {cpu:6.1f} ms, {ratio:4.1f} ×"
    )
    print(line if found is None else f"{line}{found:>8,} found", flush=True)


def measure_changes(session: Session, user_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
    """Fill a manual collection, move a sample in it, and sort it; print the times."""
    made = collections.create_collection(session, user_id, name="All")
    first, last = ids[0], ids[-1]
    for name, work in (
        ("add all", lambda: collection_samples.add_samples(session, user_id, made.id, ids)),
        (
            "move one",
            lambda: collection_samples.move_samples(session, user_id, made.id, [last], first),
        ),
        ("sort", lambda: collection_samples.sort_collection(session, user_id, made.id, "name")),
        ("list", lambda: collection_samples.list_sample_ids(session, user_id, made.id)),
    ):
        began = time.perf_counter()
        work()
        print(f"{name:28} {1000 * (time.perf_counter() - began):6.0f} ms", flush=True)


if __name__ == "__main__":
    main()
