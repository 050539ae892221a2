"""Bytes that one sample takes in PostgreSQL, in each table, with its indexes.

    .venv/bin/python bench/table_sizes.py
    .venv/bin/python bench/table_sizes.py --size 100000

People with 1,000 samples each. Synthesised sounds are analysed as a worker does it, and the rows of
their results are copied to all samples. The tables are filled once and vacuumed: rows that change
take more until the next vacuum. Only PostgreSQL and Redis are started.
"""

import argparse
import logging
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import structlog
from batches import temporary_home
from instance import create_user, fill_library
from sqlmodel import Session, select, text

from sp404_app import db
from sp404_app.audio.synth import demo_sounds
from sp404_app.audio.synth.demo_sounds import DemoSound
from sp404_app.jobs import runner
from sp404_app.models import ProcessingJob
from sp404_app.services.library import samples

SIZE, SAMPLES_EACH, SEEDS = 20_000, 1_000, 4
# Those with a row for each sample; a job is deleted after 30 days.
RESULT_TABLES = ("waveforms", "analyses", "sample_vectors", "prints", "processing_jobs")
OWN_VALUES = {"id": "uuidv7()", "sample_id": "pairs.id", "user_id": "pairs.user_id"}
COLUMNS = """
select column_name from information_schema.columns
where table_schema = 'public' and table_name = :table and is_generated = 'NEVER'
"""
# In the order of their ids, as uploads write them.
COPY_RESULTS = """
with heard as (
    select id, row_number() over (order by id) - 1 as place, count(*) over () as total
    from samples where user_id = :source
), filled as (
    select id, user_id, row_number() over (order by id) as number
    from samples where user_id <> :source
), pairs as (
    select filled.id, filled.user_id, heard.id as heard_id
    from filled join heard on heard.place = filled.number % heard.total
)
insert into {table} ({columns})
select {values} from pairs join {table} result on result.sample_id = pairs.heard_id
order by pairs.id
on conflict do nothing
"""
SIZES = """
select pg_table_size(oid), pg_indexes_size(oid),
    (select count(*) from pg_index where indrelid = oid)
from pg_class where oid = cast(:table as regclass)
"""


def main() -> None:
    """Fill the tables, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=SIZE)
    chosen = options.parse_args()
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)  # no line for each job
    structlog.configure(wrapper_class=quiet)
    with temporary_home() as folder:
        with db.transaction() as session:
            source = create_user(session, "source@example.org", "x").id
        bytes_each = analyse_sounds(source, folder)
        with db.transaction() as session:
            for number in range(chosen.size // SAMPLES_EACH):
                user = create_user(session, f"{number}@example.org", "x")
                fill_library(session, user, SAMPLES_EACH, seed=number)
        with db.transaction() as session:
            for table in RESULT_TABLES:
                copy_results(session, table, source)
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as line:
            line.execute(text("vacuum analyze"))
        print(f"{chosen.size:,} samples, files of {bytes_each / 1000:.0f} kB on average")
        with db.transaction() as session:
            show_sizes(session)
    db.engine().dispose()


def analyse_sounds(user_id: uuid.UUID, folder: Path) -> float:
    """Upload and analyse sounds, all different; return the mean size of their files."""
    sizes = []
    for number, sound in enumerate(render_sounds()):
        path = folder / f"{number}.wav"
        soundfile.write(path, sound.signal, sound.sample_rate, subtype="PCM_16")
        sizes.append(path.stat().st_size)
        with db.transaction() as session:
            incoming = samples.inspect_file(path, f"{sound.name} {number}.wav")
            samples.add_sample(session, user_id, incoming, tag_names=sound.tags)
    with db.transaction() as session:
        jobs = session.exec(select(ProcessingJob.id)).all()
    for job in jobs:
        runner.run(str(job))
    return sum(sizes) / len(sizes)


def render_sounds() -> Iterator[DemoSound]:
    """Yield loops and one-shots; their files have about 500 kB on average, as in SCALING.md."""
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        for maker in (*demo_sounds.drum_loops(), *demo_sounds.tonal_loops()):
            yield quieter(maker(rng), rng)
        for _ in range(2):
            for sound in demo_sounds.one_shots(rng):
                yield quieter(sound, rng)


def quieter(sound: DemoSound, rng: np.random.Generator) -> DemoSound:
    """Return a sound at another level, as some are equal for all seeds."""
    signal = sound.signal * np.float32(rng.uniform(0.3, 0.9))
    return DemoSound(sound.name, sound.tags, sound.kind, sound.bpm, sound.key, signal)


def copy_results(session: Session, table: str, source: uuid.UUID) -> None:
    """Give each sample the row that one of the analysed sounds has in a table."""
    columns = [name for (name,) in session.execute(text(COLUMNS), {"table": table})]
    values = (OWN_VALUES.get(name, f"result.{name}") for name in columns)
    statement = COPY_RESULTS.format(
        table=table, columns=", ".join(columns), values=", ".join(values)
    )
    session.execute(text(statement), {"source": source})


def show_sizes(session: Session) -> None:
    """Print one line for each table, and their sum without jobs."""
    count = session.execute(text("select count(*) from samples")).scalar_one()
    total = 0.0
    for table in ("samples", *RESULT_TABLES):
        rows, indexes, number = session.execute(text(SIZES), {"table": table}).one()
        if table != "processing_jobs":
            total += (rows + indexes) / count
        print(
            f"{table:16} {(rows + indexes) / count:6.0f} bytes a sample:"
            f" {rows / count:5.0f} in rows, {indexes / count:5.0f} in {number} indexes"
        )
    print(f"{'without jobs':16} {total:6.0f} bytes a sample")


if __name__ == "__main__":
    main()
