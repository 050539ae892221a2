"""Read a card that was uploaded into samples and projects."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sp404_app.db import transaction
from sp404_app.models import ProcessingJob
from sp404_app.services.cards import card_reading, device_audio, import_commit
from sp404_app.services.cards.card_reading import ReadCard
from sp404_app.services.cards.import_commit import ImportTask, NewSound
from sp404_app.services.cards.import_files import CardFiles, open_card
from sp404_app.services.cards.known_sounds import find_known_sounds
from sp404_app.services.infra import storage
from sp404_app.services.processing import jobs

PROGRESS_INTERVAL_S = 1.0
READING_SHARE = 0.45  # of the progress; the rest is storing


class ImportCancelled(Exception):
    """The job was cancelled or given to another worker."""


def import_card(job: ProcessingJob) -> None:
    """Read the import of a job; safe to run again. Nothing is kept unless everything is committed.

    Raises:
        AppError: With a sentence for the user, if nothing can be read or the storage is full.
    """
    with transaction() as session:
        task = import_commit.begin_import(session, job)
    if task is None:
        return
    new: dict[str, NewSound] = {}
    is_committed = False
    try:
        with open_card(task.rows) as files:
            card = _read(job, task, files)
            with transaction() as session:
                planned = import_commit.plan_sounds(session, job, task, card)
            if planned is None:
                return
            new = planned
            _store_sounds(job, card, new, files)
            with transaction() as session:
                is_committed = import_commit.commit_import(session, job, task, card, new, files)
    except ImportCancelled:
        return
    finally:
        if not is_committed:
            with transaction() as session:
                import_commit.discard_sounds(session, task, [each.key for each in new.values()])


def _read(job: ProcessingJob, task: ImportTask, files: CardFiles) -> ReadCard:
    report = _progress_of(job)
    card = card_reading.read_projects(files, task.folders)
    with transaction() as session:
        known = find_known_sounds(session, task.user_id, (row.sha256 for row in task.rows))
    card_reading.read_sounds(card, files, known, lambda part: report(part * READING_SHARE))
    return card


def _store_sounds(
    job: ProcessingJob, card: ReadCard, new: Mapping[str, NewSound], files: CardFiles
) -> None:
    """Store the new sounds as plain WAV files; their rows follow together."""
    report = _progress_of(job)
    with TemporaryDirectory(prefix="sp404-import-") as folder:
        target = Path(folder) / "sound.wav"
        for number, sound in enumerate(new.values()):
            inspected = card.sounds[sound.path].card
            assert inspected
            with files.local(sound.path) as local:
                storage.save(device_audio.write_sample(local, inspected, target), sound.key)
            report(READING_SHARE + (1 - READING_SHARE) * (number + 1) / (len(new) + 1))


def _progress_of(job: ProcessingJob) -> Callable[[float], None]:
    """Return a function that reports progress, at most once a second."""
    reported = time.monotonic()

    def report(fraction: float) -> None:
        nonlocal reported
        if time.monotonic() - reported < PROGRESS_INTERVAL_S:
            return
        reported = time.monotonic()
        with transaction() as session:
            if not jobs.record_heartbeat(session, job.id, job.attempts, min(1.0, fraction)):
                raise ImportCancelled

    return report
