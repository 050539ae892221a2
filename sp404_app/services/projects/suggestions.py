"""Suggest samples of the library for a pad, which fit the other pads of its bank."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Float, Uuid, all_, any_, case, func, literal, or_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from sp404_app.audio.features.musical_keys import KEYS, compatible_keys
from sp404_app.models import Analysis, Kind, Sample, SampleStatus
from sp404_app.services.library import samples
from sp404_app.services.projects import history, kit_fit
from sp404_app.services.projects.kit import Kit, PadPosition, pads_of_bank
from sp404_app.services.projects.kit_fit import Candidate, Neighbour
from sp404_app.services.projects.pad_sounds import (
    CLASS_WORDS,
    PadSound,
    bank_tempo,
    class_of,
    pad_sound,
    samples_by_id,
)

MAX_SUGGESTIONS: Final = 10
CANDIDATES_PER_CLASS: Final = 10
MAX_TEMPOS: Final = 4  # of the bank; candidates are searched near these


@dataclass(frozen=True, slots=True)
class SuggestedSample:
    """A sample that fits a pad, and why, in words."""

    sample: Sample
    reason: str


def suggest(
    session: Session,
    user_id: uuid.UUID,
    project_id: uuid.UUID,
    at: PadPosition,
    limit: int = MAX_SUGGESTIONS,
) -> list[SuggestedSample]:
    """Return samples for a pad, the best first; a sample on that pad now is not considered.

    No sample that the project has, and no duplicate of one, is suggested.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
    """
    kit = history.load_kit(session, history.get_project(session, user_id, project_id))
    found = samples_by_id(session, user_id, [each.sample_id for each in kit.pads.values()])
    others = {place: pad for place, pad in pads_of_bank(kit, at.bank).items() if place != at}
    sounds = [
        pad_sound(pad, found.get(pad.sample_id), bank_tempo(kit, at.bank))
        for pad in others.values()
    ]
    rows = _load_candidates(session, user_id, sounds, found.values())
    in_bank = {pad.sample_id for pad in others.values() if pad.sample_id}
    brightness = _load_brightness(session, user_id, {*in_bank, *(row.id for row in rows)})
    neighbours = [
        _neighbour(place, sound, found.get(pad.sample_id), brightness)
        for (place, pad), sound in zip(others.items(), sounds, strict=True)
    ]
    candidates = [_candidate(row, brightness.get(row.id)) for row in rows]
    best = _choose(kit, at, candidates, neighbours, limit)
    by_id = {
        sample.id: sample
        for sample in samples.list_live_samples(
            session, user_id, [each.candidate.sample_id for each in best]
        )
    }
    return [
        SuggestedSample(by_id[each.candidate.sample_id], each.reason)
        for each in best
        if each.candidate.sample_id in by_id
    ]


def _choose(
    kit: Kit,
    at: PadPosition,
    candidates: Iterable[Candidate],
    neighbours: list[Neighbour],
    limit: int,
) -> list[kit_fit.Suggestion]:
    count = max(0, min(limit, MAX_SUGGESTIONS))
    return kit_fit.suggest_candidates(candidates, neighbours, bank_tempo(kit, at.bank), count)


def _neighbour(
    at: PadPosition,
    sound: PadSound,
    sample: Sample | None,
    brightness: Mapping[uuid.UUID, float | None],
) -> Neighbour:
    if sample is None:
        return Neighbour(str(at), sound, None)
    return Neighbour(str(at), sound, brightness.get(sample.id), sample.root_note)


def _candidate(row: Any, brightness: float | None) -> Candidate:
    sound = PadSound(
        sound_class=class_of(row.stated_class, [row.stated_class or ""]),
        is_loop=row.kind == Kind.LOOP,
        key=row.key if row.key in KEYS else None,
        bpm=row.bpm,
        lufs=row.loudness_lufs,
    )
    return Candidate(
        sample_id=row.id,
        sound=sound,
        brightness=brightness,
        root_note=row.root_note,
        favourite=row.favourite,
        rating=row.rating,
        duplicate_group_id=row.duplicate_group_id,
    )


CANDIDATE_COLUMNS: Final = (
    "id", "kind", "root_note", "key", "bpm", "loudness_lufs", "favourite", "rating",
    "duplicate_group_id",
)  # fmt: skip
CLASS_WORD_PATTERN: Final = rf"\m({'|'.join(CLASS_WORDS)})s?\M"


def _load_candidates(
    session: Session, user_id: uuid.UUID, sounds: Iterable[PadSound], used: Iterable[Sample]
) -> list[Any]:
    """Return of each class the rows that promise to fit best, from one scan of the library."""
    used = list(used)
    ids = [sample.id for sample in used]
    groups = {sample.duplicate_group_id for sample in used if sample.duplicate_group_id}
    # Of a sample that is not analysed, the class that its name, tags or folder state.
    stated_class = func.coalesce(
        col(Sample.sound_class), func.substring(col(Sample.search_text), CLASS_WORD_PATTERN)
    )
    rank = func.row_number().over(
        partition_by=stated_class,
        order_by=(_rough_fit(list(sounds)).desc(), col(Sample.id)),
    )
    columns = [getattr(Sample, name) for name in CANDIDATE_COLUMNS]
    ranked = (
        sql_select(*columns, stated_class.label("stated_class"), rank.label("rank"))
        .where(
            col(Sample.user_id) == user_id,
            col(Sample.deleted_at).is_(None),
            col(Sample.status) != SampleStatus.FAILED,
            col(Sample.duration) > 0,
            col(Sample.id) != all_(literal(ids, ARRAY(Uuid))),
            or_(
                col(Sample.duplicate_group_id).is_(None),
                col(Sample.duplicate_group_id) != all_(literal(sorted(groups), ARRAY(Uuid))),
            ),
        )
        .subquery()
    )
    return list(session.execute(sql_select(ranked).where(ranked.c.rank <= CANDIDATES_PER_CLASS)))


def _rough_fit(sounds: list[PadSound]) -> ColumnElement[float]:
    """Return an SQL expression of what `kit_fit` weighs within a class: key, tempo, loudness."""
    keys = {sound.key for sound in sounds if sound.key}
    near = {other for key in keys for other in compatible_keys(key)} - keys
    tempos = list(dict.fromkeys(sound.bpm for sound in sounds if sound.bpm and sound.is_loop))
    tolerance = kit_fit.TEMPO_TOLERANCE
    ranges = [
        col(Sample.bpm).between(bpm * factor * (1 - tolerance), bpm * factor * (1 + tolerance))
        for bpm in tempos[:MAX_TEMPOS]
        for factor, _ in kit_fit.TEMPO_FACTORS
    ]
    key_weight = case(
        (col(Sample.key).in_(sorted(keys)), kit_fit.SAME_KEY_WEIGHT),
        (col(Sample.key).in_(sorted(near)), kit_fit.COMPATIBLE_KEY_WEIGHT),
        else_=0.0,
    )
    tempo_weight = (
        case((or_(*ranges), kit_fit.SAME_TEMPO_WEIGHT), else_=0.0) if ranges else literal(0.0)
    )
    liked = case((col(Sample.favourite), kit_fit.FAVOURITE_WEIGHT), else_=0.0)
    rated = col(Sample.rating) * kit_fit.RATING_WEIGHT
    return key_weight + tempo_weight + liked + rated


def _load_brightness(
    session: Session, user_id: uuid.UUID, ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, float | None]:
    """Return the spectral centroid in Hz of samples, from the newest analysis of each."""
    brightness = Analysis.content["brightness"].astext.cast(Float)  # type: ignore[union-attr]
    query = (
        select(Analysis.sample_id, brightness)
        .distinct(col(Analysis.sample_id))
        .where(
            Analysis.user_id == user_id,
            Analysis.status == SampleStatus.READY,
            col(Analysis.sample_id) == any_(literal(sorted(ids), ARRAY(Uuid))),
        )
        .order_by(col(Analysis.sample_id), col(Analysis.created_at).desc())
    )
    return dict(session.execute(query).tuples().all())
