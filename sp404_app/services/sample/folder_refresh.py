"""Judge the doubtful tempi of a folder again, after one of its sounds changed.

Only loops whose tempo comes from the analysis change: a tempo of a person, of a name or of a tag
stays. The evidence is kept in `Analysis.content`, where the sample page finds it.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from sp404_app.db import if_undone
from sp404_app.models import Analysis, Kind, Sample, SampleStatus, Source
from sp404_app.services.library import changed_folders, samples
from sp404_app.services.library.changed_folders import Folder
from sp404_app.services.sample.folder_tempo import (
    FOLDER_TEMPO,
    FolderLoop,
    FolderTempo,
    weigh_folder,
)

FOLDERS_PER_ROUND: Final = 20
MAX_LOOPS: Final = 20_000  # of one folder
MAX_PUBLISHED: Final = 20  # samples; of more, the whole list is read again

UPDATE_SAMPLES: Final = text(
    "update samples set bpm = v.bpm, bpm_confidence = v.confidence, updated_at = now() "
    "from jsonb_to_recordset(cast(:rows as jsonb)) "
    "as v(id uuid, bpm double precision, confidence double precision) "
    "where samples.id = v.id and samples.user_id = :user_id and samples.bpm_source = 'analysis'"
)
UPDATE_ANALYSES: Final = text(
    "update analyses set content = content - 'folder_tempo' || v.evidence "
    "from jsonb_to_recordset(cast(:rows as jsonb)) as v(analysis uuid, evidence jsonb) "
    "where analyses.id = v.analysis and analyses.user_id = :user_id"
)


@dataclass(frozen=True, slots=True)
class StoredLoop:
    """What the database holds of a sound with a tempo: what it shows, and its newest analysis."""

    sample_id: uuid.UUID
    kind: str
    bpm: float
    source: str
    analysis_id: uuid.UUID | None
    analysed_bpm: float | None
    confidence: float | None
    candidates: list[Any] | None
    evidence: dict[str, Any] | None

    @property
    def is_analysed(self) -> bool:
        """Return whether the tempo is that of the analysis, and so may change."""
        return self.source == Source.ANALYSIS and self.analysed_bpm is not None

    def as_folder_loop(self) -> FolderLoop | None:
        """Return it as evidence for others; None for a one-shot."""
        if self.kind != Kind.LOOP:
            return None
        if not self.is_analysed:
            return FolderLoop(self.sample_id, self.bpm, 1.0)
        chances = [(float(bpm), float(chance)) for bpm, chance in self.candidates or []]
        return FolderLoop(
            self.sample_id, self.analysed_bpm or self.bpm, self.confidence or 0.0, chances
        )


def refresh_changed_folders(session: Session) -> int:
    """Refresh the folders that changed; return how many sounds got another tempo or evidence.

    If the transaction fails, the folders are marked again.
    """
    folders = changed_folders.take_changed(FOLDERS_PER_ROUND)
    if_undone(session, lambda: changed_folders.mark_now(folders))
    return sum(refresh_folder(session, folder) for folder in folders)


def refresh_folder(session: Session, folder: Folder) -> int:
    """Refresh the tempi of a folder's loops; return how many sounds were written.

    Sounds that another transaction has locked are left out: it marks the folder again.
    """
    stored = _read_loops(session, folder)
    tempi = weigh_folder([loop for each in stored if (loop := each.as_folder_loop())])
    changed = {
        each.sample_id: (each, tempi.get(each.sample_id))
        for each in stored
        if each.is_analysed and _is_outdated(each, tempi.get(each.sample_id))
    }
    if not changed:
        return 0
    free = _lock(session, folder.user_id, list(changed))
    _write(session, folder.user_id, [changed[sample_id] for sample_id in free])
    if len(free) < len(changed):
        changed_folders.mark_changed(session, [folder])
    for sample_id in free if len(free) <= MAX_PUBLISHED else [None]:
        samples.publish_sample(session, folder.user_id, sample_id)
    return len(free)


def _read_loops(session: Session, folder: Folder) -> list[StoredLoop]:
    """Return the sounds of a folder that have a tempo, each with its newest analysis."""
    newest = (
        select(
            Sample.id,
            Sample.kind,
            Sample.bpm,
            Sample.bpm_source,
            Analysis.id,
            Analysis.bpm,
            Analysis.bpm_confidence,
            Analysis.bpm_candidates,
            col(Analysis.content)[FOLDER_TEMPO],
        )  # type: ignore[call-overload]
        .join(
            Analysis,
            (col(Analysis.sample_id) == Sample.id) & (col(Analysis.status) == SampleStatus.READY),
            isouter=True,
        )
        .where(
            Sample.user_id == folder.user_id,
            func.md5(Sample.folder) == func.md5(folder.path),
            Sample.folder == folder.path,
            col(Sample.deleted_at).is_(None),
            col(Sample.bpm).is_not(None),
        )
        .distinct(Sample.id)
        .order_by(col(Sample.id), col(Analysis.created_at).desc())
        .limit(MAX_LOOPS)
    )
    return [StoredLoop(*row) for row in session.execute(newest)]


def _is_outdated(loop: StoredLoop, tempo: FolderTempo | None) -> bool:
    if tempo is None:
        return loop.evidence is not None
    return not tempo.is_close(FolderTempo.from_json(loop.evidence))


def _lock(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    mine = select(Sample.id).where(Sample.user_id == user_id, samples.has_id_in(ids))
    return list(session.exec(mine.order_by(col(Sample.id)).with_for_update(skip_locked=True)))


def _write(
    session: Session, user_id: uuid.UUID, changes: Sequence[tuple[StoredLoop, FolderTempo | None]]
) -> None:
    rows = [
        {
            "id": str(loop.sample_id),
            "analysis": str(loop.analysis_id),
            "bpm": tempo.bpm if tempo else loop.analysed_bpm,
            "confidence": tempo.confidence if tempo else loop.confidence,
            "evidence": {FOLDER_TEMPO: asdict(tempo)} if tempo else {},
        }
        for loop, tempo in changes
    ]
    values = {"rows": json.dumps(rows), "user_id": user_id}
    session.execute(UPDATE_SAMPLES, values)
    session.execute(UPDATE_ANALYSES, values)
