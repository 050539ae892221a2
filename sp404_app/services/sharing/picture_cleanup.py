"""Delete pictures of samples and links that are gone."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.models import Sample, Share
from sp404_app.services.infra import pictures, storage

DRAWING_TIME: Final = dt.timedelta(hours=2)  # a link's picture may be stored before its row is seen
BATCH: Final = 1_000


def clean_up_pictures(session: Session, at: dt.datetime) -> int:
    """Delete pictures that no sample or open link has; return how many.

    A sample or link may be deleted while its picture is drawn, or by a process that is then killed.
    """
    found = pictures.list_pictures(at - DRAWING_TIME)
    ids = sorted(set(found.values()))
    known: set[Any] = set()
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        known.update(session.exec(select(Sample.id).where(_is_any(Sample.id, part))))
        is_open = col(Share.revoked_at).is_(None) & col(Share.taken_down_at).is_(None)
        known.update(session.exec(select(Share.id).where(_is_any(Share.id, part), is_open)))
    orphans = [key for key, owner in found.items() if owner not in known]
    for key in orphans:
        after_commit(session, partial(storage.delete_object, key))
    return len(orphans)


def _is_any(column: Any, values: Sequence[Any]) -> Any:
    return col(column) == any_(literal(list(values), ARRAY(Uuid)))
