"""Apply one action to many samples: tag, favourite, delete, restore, analyse, rate."""

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
    """Actions of `POST /api/samples/bulk` and of the selection bar."""

    TAG = "tag"
    UNTAG = "untag"
    FAVOURITE = "favourite"
    UNFAVOURITE = "unfavourite"
    DELETE = "delete"
    RESTORE = "restore"
    DELETE_FOR_GOOD = "delete_for_good"
    ANALYSE = "analyse"
    CANCEL = "cancel"


QUERY_ADAPTER = TypeAdapter(search.SampleQuery)


def parse_filter(values: Mapping[str, Any]) -> search.SampleQuery:
    """Parse a search filter given as JSON.

    Raises:
        ValidationFailed: If a field is unknown or has a wrong type.
    """
    unknown = values.keys() - search.SampleQuery.__dataclass_fields__.keys()
    if unknown:
        raise ValidationFailed(
            "This filter isn’t valid.", {k: ["Unknown filter."] for k in unknown}
        )
    try:
        # As in a list: a collection without another order has its own.
        order = {"sort": "position"} if values.get("collection") else {}
        if values.get("like"):
            order = {"sort": search.LIKENESS_SORT}
        return QUERY_ADAPTER.validate_python(order | dict(values))
    except ValidationError as error:
        faults = {".".join(map(str, e["loc"])): [e["msg"]] for e in error.errors()}
        raise ValidationFailed("This filter isn’t valid.", faults) from error


def run_bulk_action(
    session: Session,
    user_id: uuid.UUID,
    action: Action,
    ids: Sequence[uuid.UUID] | None,
    query: search.SampleQuery | None,
    tag_names: Sequence[str] = (),
) -> dict[uuid.UUID, str]:
    """Apply an action to the samples in `ids`, or to all that `query` finds.

    Returns "ok" or an error code for each sample.

    Raises:
        ValidationFailed: Unless exactly one of ids and query is given; or if tags are missing.
    """
    target_ids = choose_ids(session, user_id, ids, query)
    if action in {Action.TAG, Action.UNTAG} and not tag_names:
        raise ValidationFailed("Tags are missing.", {"tags": ["Enter at least one tag."]})
    done = _run_action(session, user_id, action, target_ids, tag_names)
    return {sample_id: done.get(sample_id, "not_found") for sample_id in target_ids}


def choose_ids(
    session: Session,
    user_id: uuid.UUID,
    ids: Sequence[uuid.UUID] | None,
    query: search.SampleQuery | None,
) -> list[uuid.UUID]:
    """Return the given ids, or those of all samples that `query` finds, each once.

    Raises:
        ValidationFailed: Unless exactly one of ids and query is given.
    """
    if (ids is None) == (query is None):
        raise ValidationFailed("Give either ids or a filter.")
    found = search.search_ids(session, user_id, query) if query else ids or []
    return list(dict.fromkeys(found))


def _run_action(
    session: Session,
    user_id: uuid.UUID,
    action: Action,
    ids: list[uuid.UUID],
    tag_names: Sequence[str],
) -> dict[uuid.UUID, str]:
    batch_actions: dict[Action, Callable[..., list[uuid.UUID]]] = {
        Action.DELETE: samples.delete_samples,
        Action.DELETE_FOR_GOOD: samples.delete_for_good,
        Action.CANCEL: jobs.cancel_analyses,
    }
    if action in batch_actions:
        return dict.fromkeys(batch_actions[action](session, user_id, ids), "ok")
    if action is Action.RESTORE:
        results = samples.restore_each_sample(session, user_id, ids)
        return {i: refusal.code if refusal else "ok" for i, refusal in results.items()}
    if action is Action.ANALYSE:
        requested = analysis_requests.request_analyses(session, user_id, ids)
        return {
            i: result.code if isinstance(result, AppError) else "ok"
            for i, result in requested.items()
        }
    locked = _lock_samples(session, user_id, ids)
    names = tags.get_or_create_tags(session, user_id, tag_names)
    done = {sample.id: _update_sample(sample, action, names) for sample in locked}
    session.add_all(locked)
    samples.publish_sample(session, user_id)
    return done


def rate_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID], rating: int
) -> int:
    """Set the rating, 0 to 5, of many samples; return how many were changed.

    Raises:
        ValidationFailed: If the rating is out of range.
    """
    Change(rating=rating)  # validates it
    owned = (col(Sample.user_id) == user_id) & samples.has_id_in(ids)
    rated = session.exec(update(Sample).where(owned).values(rating=rating))
    samples.publish_sample(session, user_id)
    return rated.rowcount


def toggle_favourite(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> tuple[list[uuid.UUID], bool]:
    """Mark samples as favourites; unmark them if all of them are favourites already.

    Returns the samples that were changed, and whether they are favourites now.

    Raises:
        NotFound: If a sample does not exist or belongs to another user. The check ends at the
            first sample that is not a favourite.
    """
    owned = (col(Sample.user_id) == user_id) & samples.has_id_in(ids)
    locked = select(Sample.id, Sample.favourite).where(owned).order_by(col(Sample.id))
    favourites = dict(session.exec(locked.with_for_update()).all())
    favourite = not _all_favourites(favourites, ids)
    return set_favourite(session, user_id, list(favourites), favourite=favourite), favourite


def set_favourite(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID], *, favourite: bool
) -> list[uuid.UUID]:
    """Mark or unmark those of the samples that the user owns; return which were changed."""
    owned = (col(Sample.user_id) == user_id) & samples.has_id_in(ids)
    outdated = owned & (col(Sample.favourite) != favourite)
    marked = update(Sample).where(outdated).values(favourite=favourite)
    changed = session.execute(marked.returning(col(Sample.id))).scalars().all()
    samples.publish_sample(session, user_id)
    return list(changed)


def _all_favourites(favourites: Mapping[uuid.UUID, bool], ids: Sequence[uuid.UUID]) -> bool:
    for sample_id in ids:
        if sample_id not in favourites:
            raise NotFound("There is no such sample.")
        if not favourites[sample_id]:
            return False
    return True


def _update_sample(sample: Sample, action: Action, names: list[str]) -> str:
    if action in {Action.FAVOURITE, Action.UNFAVOURITE}:
        sample.favourite = action is Action.FAVOURITE
        return "ok"
    tag_set = set(sample.tags) - set(names) if action is Action.UNTAG else {*sample.tags, *names}
    if len(tag_set) > max(tags.MAX_TAGS, len(sample.tags)):
        return "too_many_tags"
    sample.tags = sorted(tag_set, key=sort_key)
    samples.update_search_fields(sample)
    return "ok"


def _lock_samples(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[Sample]:
    found = select(Sample).where(Sample.user_id == user_id, samples.has_id_in(ids))
    return list(session.exec(found.order_by(col(Sample.id)).with_for_update()))
