"""Create, list, change, duplicate, merge, delete and restore collections."""

import datetime as dt
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlmodel import Session, col, delete, func, select

from sp404_app.db import after_commit
from sp404_app.errors import Conflict, NotFound
from sp404_app.models import Collection
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.collections import collection_rows
from sp404_app.services.collections.collection_summaries import CollectionSummary, summarize
from sp404_app.services.collections.collection_totals import count_rules
from sp404_app.services.collections.collection_values import (
    parse_colour,
    parse_name,
    parse_note,
    refuse,
)
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.infra.text import clean_name, clean_text
from sp404_app.services.library import search
from sp404_app.services.library.collection_filter import ensure_references
from sp404_app.services.library.collection_rules import Rules, parse_rules, rules_to_json
from sp404_app.services.library.search import SampleQuery

TRASH_DAYS = 30
MAX_COLLECTIONS = 500  # outside the trash
MAX_TRASHED_COLLECTIONS = 500
MAX_MERGED_COLLECTIONS = 50
MAX_WORDS = 20  # of a search for names


def list_collections(
    session: Session,
    user_id: uuid.UUID,
    *,
    trash: bool = False,
    before: uuid.UUID | None = None,
    text: str = "",
    limit: int = MAX_COLLECTIONS,
    count_smart: bool = True,
) -> list[CollectionSummary]:
    """Return a user's collections, newest first: those in use, or those in the trash.

    `before` is the id of the last one of the page before. With a `text`, only those whose name
    contains each of its words. Without `count_smart`, smart ones are not counted.
    """
    query = select(Collection).where(*_listed(user_id, trash=trash, text=text))
    if before is not None:
        query = query.where(col(Collection.id) < before)
    found = session.exec(query.order_by(col(Collection.id).desc()).limit(limit)).all()
    return summarize(session, user_id, found, count_smart=count_smart)


def list_smart_ids(session: Session, user_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the ids of a user's smart collections outside the trash, newest first."""
    smart = select(Collection.id).where(
        Collection.user_id == user_id,
        col(Collection.deleted_at).is_(None),
        col(Collection.rules).is_not(None),
    )
    return list(session.exec(smart.order_by(col(Collection.id).desc())))


def count_collections(
    session: Session, user_id: uuid.UUID, *, trash: bool = False, text: str = ""
) -> int:
    """Return how many collections `list_collections` finds for a user without a limit."""
    listed = _listed(user_id, trash=trash, text=text)
    return session.exec(select(func.count()).select_from(Collection).where(*listed)).one()


def _listed(user_id: uuid.UUID, *, trash: bool, text: str) -> list[Any]:
    deleted_at = col(Collection.deleted_at)
    words = [
        col(Collection.name).icontains(word, autoescape=True)
        for word in clean_text(text).split()[:MAX_WORDS]
    ]
    wanted = deleted_at.is_not(None) if trash else deleted_at.is_(None)
    return [Collection.user_id == user_id, wanted, *words]


def get_collection(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID, *, lock: bool = False
) -> Collection:
    """Return a user's collection, whether or not it is in the trash.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    owned = select(Collection).where(Collection.id == collection_id, Collection.user_id == user_id)
    if lock:
        owned = owned.with_for_update().execution_options(populate_existing=True)
    collection = session.exec(owned).first()
    if collection is None:
        raise NotFound("There is no such collection.")
    return collection


def get_summary(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID
) -> CollectionSummary:
    """Return a collection as it is in the list.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    return summarize(session, user_id, [get_collection(session, user_id, collection_id)])[0]


def create_collection(
    session: Session,
    user_id: uuid.UUID,
    *,
    name: object,
    note: object = "",
    colour: object = "",
    rules: object = None,
    sample_ids: Sequence[uuid.UUID] = (),
) -> Collection:
    """Create a collection: smart if it has rules, else manual, with samples in this order.

    Raises:
        NotFound: If a sample does not exist, is in the trash or belongs to another user; the
            same for what rules name.
        ValidationFailed: If a value is invalid.
        Conflict: If the user has `MAX_COLLECTIONS` collections, or it would hold too many samples.
    """
    if rules is not None and sample_ids:
        refuse("sample_ids", "A smart collection has no samples of its own.")
    parsed = None if rules is None else _parse_rules(session, user_id, rules)
    collection = Collection(
        user_id=user_id,
        name=parse_name(name),
        note=parse_note(note),
        colour=parse_colour(colour),
        rules=None if parsed is None else rules_to_json(parsed),
    )
    return _insert(session, collection, sample_ids)


def update_collection(
    session: Session,
    user_id: uuid.UUID,
    collection_id: uuid.UUID,
    *,
    name: object = None,
    note: object = None,
    colour: object = None,
    rules: object = None,
) -> Collection:
    """Change what is given of a collection; None leaves a value as it is.

    Raises:
        NotFound: If it, or what the rules name, does not exist or belongs to another user.
        ValidationFailed: If a value is invalid, or rules are given for a manual collection.
        Conflict: If it is in the trash.
    """
    collection = lock_collection(session, user_id, collection_id)
    if name is not None:
        collection.name = parse_name(name)
    if note is not None:
        collection.note = parse_note(note)
    if colour is not None:
        collection.colour = parse_colour(colour)
    if rules is not None:
        if collection.rules is None:
            refuse("rules", "A manual collection has no rules.")
        known = parse_rules(collection.rules)
        collection.rules = rules_to_json(_parse_rules(session, user_id, rules, known))
    mark_changed(session, collection)
    return collection


def duplicate_collection(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID, *, as_manual: bool = False
) -> Collection:
    """Copy a collection; `as_manual` makes a manual one of the samples that match the rules now.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        Conflict: If the user has `MAX_COLLECTIONS` collections, or too many samples match.
    """
    original = get_collection(session, user_id, collection_id)
    rules = None if as_manual else original.rules
    copy = Collection(
        user_id=user_id,
        name=clean_name(f"{original.name[:190]} copy"),
        note=original.note,
        colour=original.colour,
        rules=rules,
    )
    ids = [] if rules is not None else _members(session, original)
    return _insert(session, copy, ids, skip_missing=True)


def merge_collections(
    session: Session, user_id: uuid.UUID, collection_ids: Sequence[uuid.UUID], name: object
) -> Collection:
    """Create a manual collection of the samples of several, in their order, each sample once.

    Raises:
        NotFound: If one does not exist or belongs to another user.
        ValidationFailed: If none or more than `MAX_MERGED_COLLECTIONS` are given.
        Conflict: If the user has `MAX_COLLECTIONS` collections, or there are too many samples.
    """
    wanted = list(dict.fromkeys(collection_ids))
    if not 1 <= len(wanted) <= MAX_MERGED_COLLECTIONS:
        refuse("collection_ids", f"Choose 1 to {MAX_MERGED_COLLECTIONS} collections.")
    originals = [get_collection(session, user_id, each) for each in wanted]
    ids = dict.fromkeys(each for found in originals for each in _members(session, found))
    colour = next((each.colour for each in originals if each.colour), "")
    merged = Collection(user_id=user_id, name=parse_name(name), colour=colour)
    return _insert(session, merged, list(ids), skip_missing=True)


def delete_collection(session: Session, user_id: uuid.UUID, collection_id: uuid.UUID) -> None:
    """Move a collection to the trash, or delete it permanently if it is there already.

    The trash holds `MAX_TRASHED_COLLECTIONS`; the oldest beyond that are permanently deleted.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    collection = get_collection(session, user_id, collection_id, lock=True)
    if collection.deleted_at is not None:
        session.delete(collection)
        publish_collection(session, collection)
        return
    collection.deleted_at = now()
    mark_changed(session, collection)
    trashed = select(Collection.id).where(
        Collection.user_id == user_id, col(Collection.deleted_at).is_not(None)
    )
    newest_first = trashed.order_by(col(Collection.deleted_at).desc(), col(Collection.id).desc())
    _purge(session, col(Collection.id).in_(newest_first.offset(MAX_TRASHED_COLLECTIONS)))


def restore_collection(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID
) -> Collection:
    """Restore a collection from the trash.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        Conflict: If the user has `MAX_COLLECTIONS` collections.
    """
    quotas.lock_library(session, user_id)  # everywhere the user is locked before collections
    collection = get_collection(session, user_id, collection_id, lock=True)
    if collection.deleted_at is not None:
        _ensure_room(session, user_id)
        collection.deleted_at = None
        mark_changed(session, collection)
    return collection


def purge_old_collections(session: Session, at: dt.datetime) -> int:
    """Permanently delete collections trashed over 30 days ago by any user; return their number."""
    return _purge(session, col(Collection.deleted_at) < at - dt.timedelta(days=TRASH_DAYS))


def lock_collection(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID, *, manual: bool = False
) -> Collection:
    """Lock a collection for a change; with `manual`, only a manual one.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        Conflict: If it is in the trash, or is a smart one.
    """
    collection = get_collection(session, user_id, collection_id, lock=True)
    if collection.deleted_at is not None:
        raise Conflict("This collection is in the trash. Restore it to change it.")
    if manual and collection.rules is not None:
        raise Conflict("This is a smart collection: its rules choose the samples.")
    return collection


def mark_changed(session: Session, collection: Collection) -> None:
    """Write a changed collection with a new revision, and publish it after the commit."""
    collection.revision += 1
    collection.updated_at = now()
    session.add(collection)
    session.flush()
    publish_collection(session, collection)


def publish_collection(session: Session, collection: Collection) -> None:
    """Publish, after the commit, that a collection changed."""
    event = Event(Topic.COLLECTION, str(collection.id), collection.revision)
    after_commit(session, partial(events.publish, collection.user_id, event))


def count_matching(session: Session, user_id: uuid.UUID, rules: object) -> int:
    """Return how many of the user's samples match rules, without those in the trash.

    Raises:
        NotFound: If what the rules name does not exist or belongs to another user.
        ValidationFailed: If the rules are invalid.
    """
    return count_rules(session, user_id, _parse_rules(session, user_id, rules))


def _insert(
    session: Session,
    collection: Collection,
    sample_ids: Sequence[uuid.UUID],
    *,
    skip_missing: bool = False,
) -> Collection:
    _ensure_room(session, collection.user_id)
    session.add(collection)
    session.flush()
    collection_rows.insert_rows(session, collection, sample_ids, skip_missing=skip_missing)
    publish_collection(session, collection)
    return collection


def _members(session: Session, collection: Collection) -> list[uuid.UUID]:
    query = SampleQuery(collection=collection.id, sort="position")
    return search.search_ids(session, collection.user_id, query)


def _ensure_room(session: Session, user_id: uuid.UUID) -> None:
    quotas.lock_library(session, user_id)  # two requests at once cannot exceed the limit
    if count_collections(session, user_id) >= MAX_COLLECTIONS:
        raise Conflict(f"You can have up to {MAX_COLLECTIONS} collections. Delete one first.")


def _purge(session: Session, condition: Any) -> int:
    """Permanently delete collections; those that a transaction holds are left for the next time."""
    locked = select(Collection.id).where(condition).with_for_update(skip_locked=True)
    ids = list(session.exec(locked))
    return session.exec(delete(Collection).where(col(Collection.id).in_(ids))).rowcount


def _parse_rules(
    session: Session, user_id: uuid.UUID, rules: object, known: Rules | None = None
) -> Rules:
    parsed = parse_rules(rules)
    ensure_references(session, user_id, parsed, known)
    return parsed
