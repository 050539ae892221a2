"""Several worker hosts on one machine, one database, one Redis, one bucket.

    .venv/bin/python bench/cluster.py --hosts 2 --sounds 600    # analyses per second
    .venv/bin/python bench/cluster.py --hosts 2 --chaos 20      # kill hosts for 20 minutes

Each host is a worker in a network of its own, which needs root; without it, a home and processes of
its own (it says so). The services run on the same cores, so the throughput of an idle machine only
means something; the column of the load tells. The chaos kills a random host every 5 to 15 s, half
of them with a power cut, while sounds are uploaded, then counts: exit code 1 if a sound was lost,
or analysed or counted twice, with the jobs and sessions that are left. An analysis that lost its
host twice is given up, as the product does, and counted by itself: the person can start it again.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import soundfile
from cluster_hosts import bridge
from cluster_services import Cluster, connected_services
from instance import create_user
from sqlalchemy import text
from sqlmodel import Session, col, func, select

from sp404_app import db
from sp404_app.audio.synth import demo_sounds
from sp404_app.errors import NotFound
from sp404_app.models import Analysis, JobStatus, ProcessingJob, Sample, SampleStatus, UsagePeriod
from sp404_app.models.columns import now
from sp404_app.services.infra import storage
from sp404_app.services.library import samples

STALLED_AFTER_S = 180.0  # longer than any time-out after which a job is queued again
SOUNDS_PER_PERSON = 100
MAX_WAITING = 60
PAUSE_S = (5.0, 15.0)
LEFT_JOBS = """
select sample_id, status, attempts, now() - heartbeat_at as silent from processing_jobs
where status in ('queued', 'running')
"""
OPEN_TRANSACTIONS = """
select client_addr, state, now() - xact_start as open, left(query, 60) as query
from pg_stat_activity where xact_start < now() - interval '30 s'
"""
UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)


def main() -> int:
    """Measure or kill, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=2)
    parser.add_argument("--sounds", type=int, default=600, help="for each number of hosts")
    parser.add_argument("--chaos", type=float, default=0.0, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=404, help="of the chaos")
    options = parser.parse_args()
    with bridge() as address, connected_services(address) as cluster:
        print("hosts: " + ("own network, process ids and name" if address else "own home only"))
        if options.chaos:
            return chaos(cluster, options.hosts, 60 * options.chaos, options.seed)
        measure_all(cluster, options.hosts, options.sounds)
        return 0


def measure_all(cluster: Cluster, most: int, count: int) -> None:
    """Print a Markdown table."""
    cores, alone = len(os.sched_getaffinity(0)), 0.0
    print(f"\n{count} one-shots for each row, {cores} cores\n")
    print("| hosts | analyses/s | per core | of linear | CPU of the workers, each | load |")
    print("|---:|---:|---:|---:|---:|---:|")
    for hosts in range(1, most + 1):
        rate, cpu_ms = measure(cluster, hosts, count)
        alone = alone or rate
        used = min(hosts, cores)
        print(
            f"| {hosts} | {rate:.1f} | {rate / used:.1f} | {100 * rate / (alone * used):.0f} % "
            f"| {cpu_ms:.0f} ms | {os.getloadavg()[0]:.1f} |",
            flush=True,
        )


def measure(cluster: Cluster, count_of_hosts: int, count: int) -> tuple[float, float]:
    """Return analyses per second and CPU milliseconds of the workers for each.

    Raises:
        RuntimeError: If most were done before all hosts were warm.
    """
    ids = upload(cluster, count, random.Random(count_of_hosts))  # noqa: S311 - reproducible
    with ExitStack() as stack:
        hosts = [cluster.start_host() for _ in range(count_of_hosts)]
        for host in hosts:
            stack.callback(host.kill)
        while not all(host.is_ready for host in hosts):
            time.sleep(0.05)
        began, before = now(), sum(host.cpu_seconds() for host in hosts)
        wait_until_finished()
        cpu = sum(host.cpu_seconds() for host in hosts) - before
    ended = col(ProcessingJob.finished_at)
    query = select(func.count(), func.max(ended)).where(
        col(ProcessingJob.sample_id).in_(ids), ended > began
    )
    with Session(db.engine()) as session:
        found, last = session.exec(query).one()
    if found < count / 2:
        raise RuntimeError(f"{count - found} of {count} were done too early: raise --sounds")
    return found / (last - began).total_seconds(), 1000 * cpu / found


def chaos(cluster: Cluster, count_of_hosts: int, seconds: float, seed: int) -> int:
    """Kill hosts at random while sounds are uploaded; print the counts, return the exit code."""
    rng = random.Random(seed)  # noqa: S311 - reproducible
    hosts = [cluster.start_host() for _ in range(count_of_hosts)]
    uploaded: set[object] = set()
    kills = {"processes": 0, "power cut": 0}
    until = time.monotonic() + seconds
    next_kill = time.monotonic() + rng.uniform(*PAUSE_S)
    try:
        while time.monotonic() < until:
            if unfinished() < MAX_WAITING:
                uploaded |= upload(cluster, SOUNDS_PER_PERSON, rng)
            ready = [number for number, host in enumerate(hosts) if host.is_ready]
            if ready and time.monotonic() >= next_kill:
                number, power_cut = rng.choice(ready), rng.random() < 0.5
                hosts[number].kill(power_cut=power_cut)
                kills["power cut" if power_cut and cluster.address else "processes"] += 1
                hosts[number] = cluster.start_host()
                next_kill = time.monotonic() + rng.uniform(*PAUSE_S)
            time.sleep(0.1)
        wait_until_finished()
    finally:
        for host in hosts:
            host.kill()
    return report(uploaded, kills)


def report(uploaded: set[object], kills: dict[str, int]) -> int:
    """Print what became of the uploads; return 1 if one was lost or doubled."""
    with Session(db.engine()) as session:
        status = dict(session.exec(select(Sample.id, Sample.status)).all())
        keys = dict(session.exec(select(Sample.id, Sample.storage_key)).all())
        made = select(Analysis.sample_id, func.count()).where(Analysis.status == "ready")
        analyses = dict(session.exec(made.group_by(col(Analysis.sample_id))).all())
        done = select(ProcessingJob.sample_id, func.count()).where(
            ProcessingJob.status == JobStatus.DONE
        )
        jobs = dict(session.exec(done.group_by(col(ProcessingJob.sample_id))).all())
        repeated = session.exec(
            select(func.count()).where(ProcessingJob.attempts > 1).select_from(ProcessingJob)
        ).one()
        counted = session.exec(select(func.sum(UsagePeriod.analyses))).one() or 0
    given_up = {each for each, state in status.items() if state == SampleStatus.FAILED}
    ready = {each for each in status if analyses.get(each) and has_file(keys[each])}
    lost = uploaded - ready - given_up
    doubled = {each for each in status if max(analyses.get(each, 0), jobs.get(each, 0)) > 1}
    doubled |= set(status) - uploaded
    miscounted = counted - len(analyses)
    print(f"killed hosts: {kills['processes']} by process, {kills['power cut']} by power cut")
    print(f"uploaded {len(uploaded)}, analysed {len(ready)}, begun again {repeated}")
    print(f"lost {len(lost)}, doubled {len(doubled)}, given up after two hosts {len(given_up)}")
    print(f"analyses counted in the quotas minus those made: {miscounted}")
    if lost:
        print_what_is_left()
    return int(bool(lost or doubled or miscounted))


def print_what_is_left() -> None:
    """Print the jobs that are not done, and the sessions whose transaction is open for long."""
    with Session(db.engine()) as session:
        for title, query in (("job", LEFT_JOBS), ("open transaction", OPEN_TRANSACTIONS)):
            for row in session.execute(text(query)).mappings():
                print(f"{title}: " + ", ".join(f"{name} {row[name]}" for name in row))


def has_file(key: str) -> bool:
    """Return whether the bucket has an object."""
    try:
        return storage.object_size(key) > 0
    except NotFound:
        return False


def upload(cluster: Cluster, count: int, rng: random.Random) -> set[object]:
    """Put one-shots into the library of a new person; return their ids."""
    with db.transaction() as session:
        owner = create_user(session, f"{time.time_ns()}@example.org", "x").id
    ids: set[object] = set()
    for path, name in one_shots(cluster.root, rng.getrandbits(30)):
        incoming = samples.inspect_file(path, name)
        with db.transaction() as session:
            ids.add(samples.add_sample(session, owner, incoming))
        path.unlink()
        if len(ids) == count:
            break
    return ids


def one_shots(folder: Path, seed: int) -> Iterator[tuple[Path, str]]:
    """Write one-shots, all different, without end."""
    while True:
        rng = np.random.default_rng(seed)
        for sound in demo_sounds.one_shots(rng):
            path = folder / "upload.wav"
            signal = sound.signal * rng.uniform(0.3, 0.9)
            soundfile.write(path, signal, sound.sample_rate, subtype="PCM_16")
            yield path, f"{sound.name}.wav"
        seed += 1


def unfinished() -> int:
    """Return how many jobs wait or run."""
    query = select(func.count()).where(col(ProcessingJob.status).in_(UNFINISHED))
    with Session(db.engine()) as session:
        return session.exec(query.select_from(ProcessingJob)).one()


def wait_until_finished() -> None:
    """Wait until no job waits or runs, or nothing has changed for a long time."""
    least, since = unfinished(), time.monotonic()
    while least and time.monotonic() - since < STALLED_AFTER_S:
        time.sleep(0.2)
        if (left := unfinished()) < least:
            least, since = left, time.monotonic()


if __name__ == "__main__":
    sys.exit(main())
