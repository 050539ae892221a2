"""Whoever pays more goes first, and nobody waits for ever: one job in ten for each queue."""

import uuid
from collections import Counter

import pytest

from sp404_app.jobs.worker import WarmWorker
from sp404_app.services.infra import events, queue

pytestmark = pytest.mark.usefixtures("services")
MANY = 60


def fill(*names: str) -> None:
    for name in names:
        for _ in range(MANY):
            queue.enqueue(uuid.uuid4(), name, 0)


def worker() -> WarmWorker:
    served = [queue.queue(name) for name in queue.QUEUES]
    return WarmWorker(served, connection=events.connection())


def served(count: int) -> list[str]:
    """Let a worker take so many jobs, without doing them; return their queues."""
    taker, names = worker(), []
    for _ in range(count):
        found = taker.dequeue_job_and_maintain_ttl(None)
        assert found
        names.append(found[1].name)
    return names


def test_each_queue_gets_one_job_in_ten(services: object) -> None:
    fill(*queue.QUEUES)
    names = served(50)
    for start in range(10, 40):
        window = Counter(names[start : start + 10])
        assert set(window) == set(queue.QUEUES), names
        assert window.most_common(1)[0][0] == queue.MONEY, names


def test_with_two_queues_the_first_gets_most(services: object) -> None:
    fill("pro", "free")
    counted = Counter(served(42))
    assert counted == {"pro": 36, "free": 6}


def test_a_queue_that_had_nothing_to_do_is_not_owed_anything(services: object) -> None:
    fill("enterprise")
    served(30)
    fill("free")
    assert served(queue.TURN_AFTER_JOBS) == ["enterprise"] * queue.TURN_AFTER_JOBS
    assert served(1) == ["free"]


def test_a_batch_in_one_process_counts_and_ends_for_who_waits(services: object) -> None:
    fill("pro", "free")
    taken = 0
    while queue.next_rq_job("pro"):
        taken += 1
    assert taken == queue.TURN_AFTER_JOBS
    assert queue.queues_in_order()[0].name == "free"
    assert served(1) == ["free"]
    assert queue.next_rq_job("pro")


def test_a_batch_goes_on_while_nobody_waits(services: object) -> None:
    fill("free")
    taken = 0
    while queue.next_rq_job("free"):
        taken += 1
    assert taken == MANY
