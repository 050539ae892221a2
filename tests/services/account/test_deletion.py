"""Account deletion while workers are busy."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sqlmodel import select

from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.db import transaction
from sp404_app.models import ProcessingJob, Sample, User
from sp404_app.services.account import deletion
from sp404_app.services.processing import jobs
from sp404_app.services.sample import duplicates


def test_a_worker_that_saves_and_an_account_deletion_do_not_deadlock(
    user: User, keep: Callable[..., object]
) -> None:
    keep()
    with transaction() as session:
        waiting = session.exec(select(ProcessingJob)).one()
        job = jobs.claim_job(session, waiting.id)
    assert job
    assert job.sample_id
    sample_id, holds = job.sample_id, threading.Event()
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 22_050).astype(np.float32)

    def save() -> None:
        with transaction() as session:
            assert jobs.lock_current_attempt(session, job)
            holds.set()
            ended.wait(1)  # the deletion has started, and must wait for this lock
            vector = np.ones(DIMENSIONS, np.float32)
            duplicates.update_duplicates(
                session, user.id, sample_id, vector, fingerprint.compute_fingerprint(noise, 44_100)
            )

    def end() -> None:
        with transaction() as session:
            deletion.erase_account(session, user.id)
        ended.set()

    ended = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        saved = pool.submit(save)
        assert holds.wait(10)
        gone = pool.submit(end)
        saved.result(20)
        gone.result(20)
    with transaction() as session:
        assert session.exec(select(User)).all() == []
        assert session.exec(select(Sample)).all() == []
