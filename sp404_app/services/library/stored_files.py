"""Add many files that are in the store already as samples, such as the sounds of a card."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, String, any_, literal
from sqlmodel import Session, col, select

from sp404_app.models import Sample, Waveform
from sp404_app.services.infra.text import clean_name
from sp404_app.services.library import samples
from sp404_app.services.library.samples import IncomingFile
from sp404_app.services.processing import jobs


@dataclass(frozen=True, slots=True)
class StoredWaveform:
    """A waveform that was computed already: packed peaks, and the thumbnail."""

    peaks: bytes
    thumbnail: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is in the store already, to be added as a sample of this name."""

    incoming: IncomingFile
    key: str
    name: str
    waveform: StoredWaveform | None = None


def add_stored_files(
    session: Session, user_id: uuid.UUID, files: Sequence[StoredFile]
) -> list[uuid.UUID]:
    """Insert the rows of many stored files and enqueue their analyses; return the samples' ids.

    The caller has locked the library, and checked the storage quota and that no audio is there yet.
    """
    rows: list[Sample] = []
    for file in files:
        sample = samples.new_sample(user_id, file.incoming, file.key, [])
        sample.name = clean_name(file.name)
        sample.thumbnail = file.waveform.thumbnail if file.waveform else ""
        samples.update_search_fields(sample)
        rows.append(sample)
    session.add_all(rows)
    session.flush()
    session.add_all(
        Waveform(sample_id=row.id, user_id=user_id, peaks=file.waveform.peaks)
        for row, file in zip(rows, files, strict=True)
        if file.waveform
    )
    session.flush()
    ids = [sample.id for sample in rows]
    jobs.enqueue_first_analyses(session, user_id, ids)
    samples.publish_sample(session, user_id)
    return ids


def find_by_digests(
    session: Session, user_id: uuid.UUID, digests: Sequence[str]
) -> dict[str, uuid.UUID]:
    """Return the ids of the user's samples outside the trash with this decoded audio, by digest."""
    live = select(Sample.digest, Sample.id).where(
        Sample.user_id == user_id,
        col(Sample.digest) == any_(literal(list(digests), ARRAY(String))),
        col(Sample.deleted_at).is_(None),
    )
    return dict(session.exec(live).all())
