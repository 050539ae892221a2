"""Sounds, and functions that run bulk edits as a worker does."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlmodel import col, insert, select

from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import ProcessingJob, Sample, User
from sp404_app.models.columns import uuid7
from sp404_app.services.bulk import bulk_edits
from sp404_app.services.bulk.edits import BulkChange
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library.samples import build_search_text

AddSounds = Callable[..., list[uuid.UUID]]
RunEdit = Callable[..., ProcessingJob]


def insert_sounds(user_id: uuid.UUID, count: int, **values: Any) -> list[uuid.UUID]:
    """Insert rows of sounds without files: "Kick 1", "Kick 2" and so on."""
    rows = []
    for number in range(1, count + 1):
        name = f"Kick {number}"
        given = {"tags": [], "note": "", "folder": "", "key": None} | values
        words = build_search_text(name, given["tags"], given["note"], given["folder"], given["key"])
        rows.append(
            {
                "id": uuid7(),
                "user_id": user_id,
                "name": name,
                "filename": f"{name}.wav",
                "storage_key": uuid.uuid4().hex,
                "size": 100,
                "digest": uuid.uuid4().hex * 2,
                "format": "WAV 16-bit",
                "status": "ready",
                "search_text": words,
                "sort_key": sort_key(name),
            }
            | given
        )
    with transaction() as session:
        session.execute(insert(Sample), rows)
    return [row["id"] for row in rows]


@pytest.fixture
def sounds(user: User) -> AddSounds:
    """Return a function that adds sounds to the user's library."""
    return lambda count, **values: insert_sounds(user.id, count, **values)


@pytest.fixture
def run_edit(user: User) -> RunEdit:
    """Return a function that requests an edit and runs its job."""

    def run(edit: BulkChange, ids: Sequence[uuid.UUID]) -> ProcessingJob:
        with transaction() as session:
            job = bulk_edits.request_edit(session, user.id, edit, ids)
        return run_job(job.id)

    return run


@pytest.fixture
def run_undo(user: User) -> RunEdit:
    """Return a function that undoes an edit, named by the result of its job."""

    def run(edited: ProcessingJob) -> ProcessingJob:
        with transaction() as session:
            job = bulk_edits.request_undo(session, user.id, edit_id(edited))
        return run_job(job.id)

    return run


def edit_id(job: ProcessingJob) -> uuid.UUID:
    return uuid.UUID((job.result or {})["bulk_edit_id"])


def run_job(job_id: uuid.UUID) -> ProcessingJob:
    runner.run(str(job_id))
    with transaction() as session:
        return session.get_one(ProcessingJob, job_id)


def load(ids: Sequence[uuid.UUID]) -> list[Sample]:
    """Return samples in this order."""
    with transaction() as session:
        found = {row.id: row for row in session.exec(select(Sample).where(col(Sample.id).in_(ids)))}
    return [found[each] for each in ids]


def dump_samples(user_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return all columns of a user's samples but the time of the last change."""
    with transaction() as session:
        rows = session.exec(
            select(Sample).where(Sample.user_id == user_id).order_by(col(Sample.id))
        ).all()
    columns = [c.name for c in Sample.__table__.columns if c.name != "updated_at"]  # type: ignore[attr-defined]
    return [{name: getattr(row, name) for name in columns} for row in rows]
