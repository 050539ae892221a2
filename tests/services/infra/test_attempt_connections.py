"""Redis knows which attempts at jobs are worked at."""

import uuid

import pytest

from sp404_app.services.infra import queue
from sp404_app.services.infra.attempt_connections import AttemptConnection, running_attempts
from tests.jobs.test_scheduler import until

pytestmark = pytest.mark.usefixtures("services")


async def test_an_attempt_is_known_while_its_connection_is_open() -> None:
    job_id = uuid.uuid4()
    name = queue.rq_job_id(job_id, 1)
    attempt = AttemptConnection(job_id, 1)
    assert name in (running_attempts() or ())
    attempt.end()
    await until(lambda: name not in (running_attempts() or ()))


async def test_a_connection_that_was_cut_is_opened_again() -> None:
    job_id = uuid.uuid4()
    name = queue.rq_job_id(job_id, 1)
    attempt = AttemptConnection(job_id, 1)
    for client in queue.connection().client_list():
        if client["name"].endswith(name):
            queue.connection().client_kill_filter(_id=client["id"])
    attempt.keep()
    assert name in (running_attempts() or ())
    attempt.end()
