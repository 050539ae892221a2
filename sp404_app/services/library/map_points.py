"""The map of sounds: the places of the samples that a search finds."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col

from sp404_app.models import Sample
from sp404_app.services.library import search
from sp404_app.services.library.preview_gain import preview_gain

MAX_POINTS = 20_000  # the newest ones; a browser draws and sends no more at once


@dataclass(frozen=True, slots=True)
class MapPoints:
    """Columns of equal length, one entry per sample, newest first, and the number of all matches.

    `x` and `y` are 0 to 1; sounds that are near each other there sound alike. `seconds` is the
    length, `gain` the level of the preview in dB. Samples that were not analysed have no place.
    """

    id: list[uuid.UUID] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    sound_class: list[str] = field(default_factory=list)
    loop: list[bool] = field(default_factory=list)
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    bpm: list[float | None] = field(default_factory=list)
    key: list[str | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    gain: list[float] = field(default_factory=list)
    total: int = 0


def load_map_points(
    session: Session, user_id: uuid.UUID, query: search.SampleQuery, limit: int = MAX_POINTS
) -> MapPoints:
    """Return the places of the newest `limit` samples that a search finds.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    columns: tuple[Any, ...] = (
        Sample.id, Sample.name, Sample.sound_class, Sample.kind, Sample.map_x, Sample.map_y,
        Sample.bpm, Sample.key, Sample.duration, Sample.loudness_lufs, Sample.peak_dbfs,
    )  # fmt: skip
    placed = search.matching_samples(session, user_id, query).where(
        col(Sample.map_x).is_not(None), col(Sample.map_y).is_not(None)
    )
    newest = placed.order_by(col(Sample.id).desc()).limit(limit)
    rows = session.execute(newest.with_only_columns(*columns)).all()
    total = len(rows) if len(rows) < limit else search.count_samples(session, placed)
    names = [row.name[:80] for row in rows]
    return MapPoints(
        id=[row.id for row in rows],
        name=names,
        sound_class=[row.sound_class or "" for row in rows],
        loop=[row.kind == "loop" for row in rows],
        x=[round(row.map_x, 4) for row in rows],
        y=[round(row.map_y, 4) for row in rows],
        bpm=[row.bpm for row in rows],
        key=[row.key for row in rows],
        seconds=[round(row.duration or 0.0, 3) for row in rows],
        gain=[preview_gain(row.loudness_lufs, row.peak_dbfs) for row in rows],
        total=total,
    )
