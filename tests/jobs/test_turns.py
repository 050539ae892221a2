"""Higher plans are served first, and every queue gets at least one job in ten."""

import uuid
from collections import Counter

import pytest

from sp404_app.jobs.worker import WarmWorker
from sp404_app.services.infra import queue

pytestmark = pytest.mark.usefixtures("services")
MANY = 60


def fill(*names: str) -> None:
    for name in names:
        for _ in range(MANY):
            queue.enqueue_job(uuid.uuid4(), name, 0)


def worker() -> WarmWorker:
    return WarmWorker(queue.QUEUES)


def served(count: int) -> list[str]:
    """Take a number of jobs without running them; return their queues."""
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
        assert window.most_common(1)[0][0] == queue.HIGH, names


def test_of_two_queues_the_higher_gets_seven_of_eight_jobs(services: object) -> None:
    fill("pro", "free")
    counted = Counter(served(40))
    assert counted == {"pro": 35, "free": 5}


def test_an_idle_queue_is_not_starved(services: object) -> None:
    fill("enterprise")
    served(30)
    fill("free")
    assert served(queue.TURN_AFTER_JOBS) == ["enterprise"] * queue.TURN_AFTER_JOBS
    assert served(1) == ["free"]


def test_batched_jobs_are_counted_and_end_for_a_starved_queue(services: object) -> None:
    fill("pro", "free")
    taken = 0
    while queue.next_rq_job("pro"):
        taken += 1
    assert taken == queue.TURN_AFTER_JOBS
    assert queue.queues_in_order()[0].name == "free"
    assert served(1) == ["free"]
    assert queue.next_rq_job("pro")


def test_a_batch_continues_while_no_other_queue_waits(services: object) -> None:
    fill("free")
    taken = 0
    while queue.next_rq_job("free"):
        taken += 1
    assert taken == MANY
