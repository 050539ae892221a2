"""Cost of similarity search: the exact query, compared with an HNSW index.

    .venv/bin/python bench/likeness.py

Users with 1,000, 10,000 and 100,000 samples, and others with 10,000 each; clustered vectors of 64
dimensions. The query is the one of `services/sample/similarity.py`, without and with a pgvector
HNSW index (with iterative scan, so that the filter by user still finds enough); recall@10 is the
share of the ten nearest that it finds.
"""

import statistics
import time
import uuid

import numpy as np
import psycopg
from instance import create_user
from pgvector.psycopg import register_vector
from rls import SAMPLE_COLUMNS
from services import connected_services, percentile
from sqlmodel import Session

from sp404_app import db
from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.audio.similarity.embedding import (
    DIMENSIONS,
    VECTOR_PARTS,
    Aspect,
    apply_part_weights,
)
from sp404_app.services.sample import similarity
from sp404_app.settings import settings

SIZES = (1_000, 10_000, 100_000)
OTHER_USERS, SAMPLES_EACH = 10, 10_000
ROUNDS = 60
CLUSTERS = 40
CREATE_INDEX = "create index bench_hnsw on sample_vectors using hnsw (vector vector_l2_ops)"
OWN_VALUES = {
    "id": "gen_random_uuid()",
    "user_id": "%(user)s::uuid",
    "status": "'ready'",
    "name": "'Sound ' || number",
    "storage_key": "gen_random_uuid()::text",
    "digest": "lpad(number::text, 64, '0')",
}
COPY_VECTORS = (
    "copy sample_vectors (sample_id, user_id, engine_version, vector)"
    " from stdin with (format binary)"
)


def main() -> None:
    """Fill the tables, measure without and with the index, and print."""
    with connected_services(), psycopg.connect(settings().database_url, autocommit=True) as line:
        register_vector(line)
        rng = np.random.default_rng(404)
        owners = {size: create_owner(line, size, rng) for size in SIZES}
        for _ in range(OTHER_USERS):
            create_owner(line, SAMPLES_EACH, rng)
        line.execute("vacuum analyze samples, sample_vectors")
        exact = {size: measure_queries(ids) for size, ids in owners.items()}
        began = time.perf_counter()
        line.execute("set maintenance_work_mem = '512MB'")
        line.execute(CREATE_INDEX)
        built = time.perf_counter() - began
        size = line.execute("select pg_relation_size('bench_hnsw') >> 20").fetchone()
        for number, ids in owners.items():
            show_times(number, "exact", exact[number])
            for reach in (40, 200):
                show_times(number, f"hnsw {reach}", measure_queries(ids, reach), exact[number])
        print(f"index: {built:.0f} s to build, {size and size[0]} MB")


def create_owner(
    line: psycopg.Connection, size: int, rng: np.random.Generator
) -> tuple[uuid.UUID, list[uuid.UUID]]:
    """Create a user with samples; return the user and the samples to query."""
    with Session(db.engine()) as session, session.begin():
        user = create_user(session, f"{uuid.uuid4().hex}@example.org", "x").id
    columns = [name for (name,) in line.execute(SAMPLE_COLUMNS)]
    chosen = ", ".join(OWN_VALUES.get(name, name) for name in columns)
    line.execute(
        f"insert into samples ({', '.join(columns)}) select {chosen} from "  # noqa: S608 - our own
        "(select * from samples limit 1) one, generate_series(1, %(size)s) number",
        {"user": user, "size": size},
    )
    ids = [i for (i,) in line.execute("select id from samples where user_id = %s", (user,))]
    with line.cursor().copy(COPY_VECTORS) as copy:
        copy.set_types(["uuid", "uuid", "varchar", "vector"])
        for sample_id, vector in zip(ids, random_vectors(size, rng), strict=True):
            copy.write_row((sample_id, user, ENGINE_VERSION, vector))
    return user, [ids[place] for place in rng.integers(0, size, ROUNDS)]


def random_vectors(size: int, rng: np.random.Generator) -> np.ndarray:
    """Return weighted vectors around common centres, each part of unit length."""
    centres = np.random.default_rng(1).normal(size=(CLUSTERS, DIMENSIONS))
    found = centres[rng.integers(0, CLUSTERS, size)]
    found = found + 0.6 * rng.normal(size=found.shape)
    for cut, _ in VECTOR_PARTS.values():
        found[:, cut] /= np.linalg.norm(found[:, cut], axis=1, keepdims=True)
    return apply_part_weights(found.astype(np.float32))


Found = tuple[list[float], list[set[uuid.UUID]]]


def measure_queries(asked: tuple[uuid.UUID, list[uuid.UUID]], reach: int = 0) -> Found:
    """Query the ten nearest of each sample; return the seconds and the results."""
    user, ids = asked
    times, found = [], []
    with Session(db.engine()) as session:
        line = session.connection()
        if reach:
            line.exec_driver_sql("set hnsw.iterative_scan = strict_order")
            line.exec_driver_sql(f"set hnsw.ef_search = {reach}")
            line.exec_driver_sql("set hnsw.max_scan_tuples = 200000")
            line.exec_driver_sql("set enable_seqscan = off")
        similarity.find_similar(session, user, ids[0], 10)
        for sample_id in ids:
            session.expunge_all()
            began = time.perf_counter()
            near = similarity.find_similar(session, user, sample_id, 10, Aspect.OVERALL)
            times.append(time.perf_counter() - began)
            found.append({alike.sample.id for alike in near})
    return times, found


def show_times(size: int, way: str, found: Found, truth: Found | None = None) -> None:
    """Print one line."""
    times, sets = found
    p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
    line = f"{size:>7,} {way:10} p50 {p50:7.1f}   p95 {p95:7.1f} ms"
    if truth:
        shares = [len(a & b) / max(1, len(b)) for a, b in zip(sets, truth[1], strict=True)]
        line += f"   recall@10 {statistics.mean(shares):.3f}"
    print(line, flush=True)


if __name__ == "__main__":
    main()
