"""One action for many samples."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session, col, select, update

from sp404_app.errors import AppError, NotFound, ValidationFailed
from sp404_app.models import Sample
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library import samples, search, tags
from sp404_app.services.library.sample_update import Change
from sp404_app.services.processing import analysis_requests, jobs


class Action(StrEnum):
    """What may be done to many samples at once."""

    TAG = "tag"
    UNTAG = "untag"
    FAVOURITE = "favourite"
    UNFAVOURITE = "unfavourite"
    DELETE = "delete"
    RESTORE = "restore"
    DELETE_FOR_GOOD = "delete_for_good"
    ANALYSE = "analyse"
    CANCEL = "cancel"


QUERY = TypeAdapter(search.Query)


def query_of(values: Mapping[str, Any]) -> search.Query:
    """Read a filter given as JSON.

    Raises:
        ValidationFailed: If it names something we do not know, or with a wrong type.
    """
    unknown = values.keys() - search.Query.__dataclass_fields__.keys()
    if unknown:
        raise ValidationFailed(
            "This filter cannot be used.", {k: ["Not a filter."] for k in unknown}
        )
    try:
        return QUERY.validate_python(dict(values))
    except ValidationError as error:
        faults = {".".join(map(str, e["loc"])): [e["msg"]] for e in error.errors()}
        raise ValidationFailed("This filter cannot be used.", faults) from error


def run(
    session: Session,
    user_id: uuid.UUID,
    action: Action,
    ids: Sequence[uuid.UUID] | None,
    query: search.Query | None,
    tag_names: Sequence[str] = (),
) -> dict[uuid.UUID, str]:
    """Act on the named samples, or on all a query finds; return "ok" or the reason for each.

    Raises:
        ValidationFailed: If neither or both of ids and query are given, or tags are missing.
    """
    if (ids is None) == (query is None):
        raise ValidationFailed("Say which samples: either ids or a filter.")
    if action in {Action.TAG, Action.UNTAG} and not tag_names:
        raise ValidationFailed("Say which tags.", {"tags": ["At least one tag is needed."]})
    wanted = list(dict.fromkeys(ids if ids is not None else search.ids(session, user_id, query)))  # type: ignore[arg-type]
    done = _act(session, user_id, action, wanted, tag_names)
    return {sample_id: done.get(sample_id, "not_found") for sample_id in wanted}


def _act(
    session: Session,
    user_id: uuid.UUID,
    action: Action,
    ids: list[uuid.UUID],
    tag_names: Sequence[str],
) -> dict[uuid.UUID, str]:
    whole: dict[Action, Callable[..., list[uuid.UUID]]] = {
        Action.DELETE: samples.throw_away,
        Action.DELETE_FOR_GOOD: samples.delete_for_good,
        Action.CANCEL: jobs.cancel_analyses,
    }
    if action in whole:
        return dict.fromkeys(whole[action](session, user_id, ids), "ok")
    if action is Action.RESTORE:
        results = samples.restore_each(session, user_id, ids)
        return {i: refusal.code if refusal else "ok" for i, refusal in results.items()}
    if action is Action.ANALYSE:
        asked = analysis_requests.again_for_each(session, user_id, ids)
        return {
            i: found.code if isinstance(found, AppError) else "ok" for i, found in asked.items()
        }
    mine = _mine(session, user_id, ids)
    names = tags.known(session, user_id, tag_names)
    done = {sample.id: _mark(sample, action, names) for sample in mine}
    session.add_all(mine)
    samples.publish_sample(session, user_id)
    return done


def rate(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID], rating: int) -> int:
    """Give many samples one rating, 0 to 5; return how many there were.

    Raises:
        ValidationFailed: If there is no such rating.
    """
    Change(rating=rating)
    mine = (col(Sample.user_id) == user_id) & samples.among(ids)
    rated = session.exec(update(Sample).where(mine).values(rating=rating))
    samples.publish_sample(session, user_id)
    return rated.rowcount


def toggle_favourite(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
    """Mark samples as favourites; unmark them if all of them are favourites already.

    Raises:
        NotFound: If a sample does not exist or belongs to another user. Samples after the first
            one that is no favourite are not checked.
    """
    owned = (col(Sample.user_id) == user_id) & samples.among(ids)
    locked = select(Sample.id, Sample.favourite).where(owned).order_by(col(Sample.id))
    favourites = dict(session.exec(locked.with_for_update()).all())
    favourite = not _all_favourites(favourites, ids)
    outdated = owned & (col(Sample.favourite) != favourite)
    session.exec(update(Sample).where(outdated).values(favourite=favourite))
    samples.publish_sample(session, user_id)


def _all_favourites(favourites: Mapping[uuid.UUID, bool], ids: Sequence[uuid.UUID]) -> bool:
    for sample_id in ids:
        if sample_id not in favourites:
            raise NotFound("There is no such sample.")
        if not favourites[sample_id]:
            return False
    return True


def _mark(sample: Sample, action: Action, names: list[str]) -> str:
    if action in {Action.FAVOURITE, Action.UNFAVOURITE}:
        sample.favourite = action is Action.FAVOURITE
        return "ok"
    kept = set(sample.tags) - set(names) if action is Action.UNTAG else {*sample.tags, *names}
    if len(kept) > max(tags.MAX_TAGS, len(sample.tags)):
        return "too_many_tags"
    sample.tags = sorted(kept, key=sort_key)
    samples.index(sample)
    return "ok"


def _mine(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[Sample]:
    found = select(Sample).where(Sample.user_id == user_id, samples.among(ids))
    return list(session.exec(found.order_by(col(Sample.id)).with_for_update()))
