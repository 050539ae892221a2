"""Expired data is really gone: every table, every object of the store, every key of Redis."""

import asyncio
import datetime as dt
import importlib
import pkgutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from sqlalchemy import Table, insert, select, update
from sqlmodel import SQLModel

from sp404_app import db
from sp404_app.db import transaction
from sp404_app.jobs import cleanup
from sp404_app.models import Sample, User
from sp404_app.models.columns import now, uuid7
from sp404_app.services import infra
from sp404_app.services.account import avatars, data_export, deletion
from sp404_app.services.auth import session_cache
from sp404_app.services.auth.expired_credentials import KEPT_FOR as CREDENTIALS_KEPT
from sp404_app.services.infra import (
    conversion_files,
    events,
    export_files,
    import_files,
    object_deletions,
    pictures,
    queue,
    rate_limits,
    render_files,
    storage,
)
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.sharing import share_counts
from sp404_app.settings import Settings, settings
from tests.security import world
from tests.security.world import Person

pytestmark = pytest.mark.usefixtures("services")

DAY = dt.timedelta(days=1)
CUSTOMER = "cus_of_somebody"
# Tables without a path to `users`: how a row of them can name a person.
INDIRECT: dict[str, dict[str, Any]] = {
    "unsent_mails": {"subject": "Hello", "due_at": None, "failed_at": now()},  # plus the recipient
    "stripe_events": {
        "id": "evt_of_somebody",
        "realm": "emulator",
        "type": "customer.updated",
        "customer_id": CUSTOMER,
        "created": now(),
        "handled_at": now(),
        "attempts": 1,
        "error": "",
    },
    "reconcile_reports": {"day": now().date(), "checked": 1, "healed": []},  # plus its problems
    "trial_claims": {"key": "a digest", "realm": "emulator", "subscription_id": ""},
    "object_deletions": {"due_at": now()},  # plus a key
}
NAMES_NOBODY = {"stripe_objects": "products and prices of this installation"}
# What is left of a deleted account, and why.
LEFT = {
    "audit_log": "the log of security events: ids and names of actions, without IP and details",
    "trial_claims": "a digest, so that one mailbox or card gets one free trial",
}
# What else is left until its own time has passed.
LEFT_FOR_A_WHILE = {
    "unsent_mails": "the mail that confirms the deletion, until it is sent, 30 days at most",
    "reconcile_reports": "what the nightly comparison said to the operator, 90 days",
}

# How the rows of a table come to their end: what is set in a row, and how long it then stays.
EXPIRING: dict[str, tuple[dict[str, Any], dt.timedelta]] = {
    "samples": ({"deleted_at": now()}, 30 * DAY),
    "projects": ({"deleted_at": now()}, 30 * DAY),
    "collections": ({"deleted_at": now()}, 30 * DAY),
    "shares": ({"revoked_at": now()}, 30 * DAY),
    "share_reports": ({"closed_at": now(), "outcome": "dismissed"}, 90 * DAY),
    "sign_ins": ({"expires_at": now()}, CREDENTIALS_KEPT),
    "refresh_tokens": ({"expires_at": now()}, CREDENTIALS_KEPT),
    "one_time_tokens": ({"expires_at": now()}, CREDENTIALS_KEPT),
    "totp_factors": ({"confirmed_at": None, "created_at": now()}, CREDENTIALS_KEPT),
    "personal_tokens": ({"expires_at": now()}, 30 * DAY),
    "unsent_mails": ({"created_at": now()}, 30 * DAY),
    "pad_renders": ({"last_used_at": now(), "size_bytes": 4}, 30 * DAY),
    "project_exports": ({"last_used_at": now()}, 7 * DAY),
    "card_imports": ({"created_at": now()}, DAY),
    "card_import_files": ({}, DAY),  # with their import
    "bulk_edits": ({"created_at": now()}, 30 * DAY),
    "bulk_edit_items": ({}, 30 * DAY),  # with their edit
    "processing_jobs": ({"finished_at": now()}, 30 * DAY),
    "stripe_events": ({"handled_at": now()}, 90 * DAY),
    "reconcile_reports": ({"day": now().date()}, 91 * DAY),  # whole days
    "object_deletions": ({"due_at": now()}, 0 * DAY),
}
# Other ways to the same end: an ended session, a used link.
ALSO_EXPIRING: list[tuple[str, dict[str, Any], dt.timedelta]] = [
    ("sign_ins", {"revoked_at": now(), "expires_at": now() + 30 * DAY}, CREDENTIALS_KEPT),
    (
        "sign_ins",
        {"cookie_hash": b"c", "last_seen_at": now(), "expires_at": now() + 30 * DAY},
        7 * DAY + CREDENTIALS_KEPT,
    ),
    ("one_time_tokens", {"used_at": now(), "expires_at": now() + 7 * DAY}, CREDENTIALS_KEPT),
]
PARENTS = {"card_import_files": "card_imports", "bulk_edit_items": "bulk_edits"}
# Tables whose rows stay as long as the account, or as what they belong to.
LASTING = {
    "users": "until the account is deleted",
    "user_preferences": "with the account",
    "tags": "until they are deleted",
    "recovery_codes": "until they are renewed, or two-factor authentication is turned off",
    "waveforms": "with their sample",
    "analyses": "with their sample",
    "sample_vectors": "with their sample",
    "prints": "with their sample",
    "collection_samples": "with their collection or sample",
    "project_pads": "with their project",
    "project_steps": "with their project, which keeps its last 200",
    "project_sources": "with their project",
    "project_files": "with their project",
    "project_cards": "with their project",
    "pad_sources": "with the account: by them, a card that is read again is recognised",
    "share_days": "with their link; they count visits and name no visitor",
    "billing_customers": "with the account",
    "subscriptions": "with the account: what was paid for",
    "invoices": "with the account: its owner looks them up",
    "usage_events": "with the account: they explain what was counted",
    "usage_periods": "with the account",
    "mail_log": "with the account, so that no mail about a payment is sent twice",
    "trial_claims": "for good: see LEFT",
    "stripe_objects": "products and prices of this installation",
    "audit_log": "as long as the operator keeps it: docs/SECURITY.md has the statement",
}


def all_tables() -> dict[str, Table]:
    return {table.name: table for table in SQLModel.metadata.sorted_tables}


def leads_to_users(table: Table) -> bool:
    """Return whether the rows of a table belong to a user: by a column, or by foreign keys."""
    if table.name == "users" or "user_id" in table.columns:
        return True
    return any(leads_to_users(key.column.table) for key in table.foreign_keys)


def test_every_table_is_known_to_this_test() -> None:
    names = set(all_tables())
    unreachable = {name for name, table in all_tables().items() if not leads_to_users(table)}
    assert unreachable == INDIRECT.keys() | NAMES_NOBODY.keys(), "how do its rows name a person?"
    assert names == EXPIRING.keys() | LASTING.keys(), "when are its rows deleted?"
    assert not EXPIRING.keys() & LASTING.keys()


def house_keeping(at: dt.datetime) -> None:
    for task in (*cleanup.HOURLY, object_deletions.delete_due_objects):
        with transaction() as session:
            task(session, at)


# ---- a deleted account


def resident(folder: Path) -> Person:
    """Create a person with a row in every table that can name one; none of their jobs is active."""
    found = world.person(folder)
    user_id, tables = found.who.id, all_tables()
    added: dict[str, dict[str, Any]] = {
        **{name: dict(values) for name, values in INDIRECT.items()},
        "share_reports": {
            "share_id": uuid.UUID(found.ids["shares"]),
            "reason": "spam",
            "note": "Look at this.",
            "outcome": "",
        },
        "audit_log": {
            "user_id": user_id,
            "action": "signed_in",
            "request_id": "",
            "ip": "203.0.113.7",
            "details": {"user_agent": "Firefox"},
        },
    }
    added["unsent_mails"] |= {"recipient": found.who.email}
    added["reconcile_reports"] |= {"problems": [f"{user_id}: has 2 subscriptions"]}
    added["object_deletions"] |= {"key": f"imports/{user_id.hex}/left-by-a-crash"}
    changed = {
        "processing_jobs": {"status": "done", "finished_at": now()},
        "billing_customers": {"stripe_id": CUSTOMER},
        "one_time_tokens": {"new_email": former_address(found)},
    }
    with db.engine().begin() as connection:
        for name, values in added.items():
            own_id = {} if "id" in values or "id" not in tables[name].c else {"id": uuid7()}
            connection.execute(insert(tables[name]).values(own_id | values))
        for name, values in changed.items():
            mine = tables[name].c.user_id == user_id
            connection.execute(update(tables[name]).where(mine).values(values))
    return found


def former_address(person: Person) -> str:
    return f"former-{person.who.email}"


def store_an_object_of_each_kind(person: Person) -> set[str]:
    """Store what each feature stores for a person; return the keys."""
    user_id, ids = (
        person.who.id,
        {
            name: uuid.UUID(id_)
            for name, id_ in person.ids.items()
            if name in {"samples", "shares", "processing_jobs", "project_exports", "card_imports"}
        },
    )
    picture = b"a picture"
    with transaction() as session:
        avatars.save_avatar(session, user_id, picture)
        sample = session.get_one(Sample, ids["samples"])
        sample.preview_key = storage.new_key(".ogg")
        render = (
            session.connection()
            .execute(
                select(all_tables()["pad_renders"].c.render_key).where(
                    all_tables()["pad_renders"].c.user_id == user_id
                )
            )
            .scalar_one()
        )
        keys = {sample.storage_key, sample.preview_key}
        keys |= set(avatars.avatar_keys(session.get_one(User, user_id)))
    sound, job = ids["samples"], ids["processing_jobs"]
    import_key = import_files.new_import_key(user_id, ids["card_imports"])
    job_sound = storage.new_key()
    keys |= {
        data_export.export_key(job),
        pictures.picture_key(user_id, sound, "spectrum"),
        pictures.picture_key(user_id, ids["shares"], "share-1.png"),
        render_files.render_file_key(user_id, render),
        export_files.export_file_key(user_id, ids["project_exports"]),
        conversion_files.converted_file_key(user_id, "a-name", ".wav"),
        conversion_files.archive_key(user_id, job),
        conversion_files.plan_key(user_id, job),
        conversion_files.playlist_key(user_id, job),
        import_key,
        job_sound,
    }
    tables = all_tables()
    with db.engine().begin() as connection:
        for name, values in {
            "card_imports": {"sample_keys": [job_sound]},
            "card_import_files": {"storage_key": import_key},
            "processing_jobs": {"kind": "account_export"},
        }.items():
            mine = tables[name].c.user_id == user_id
            connection.execute(update(tables[name]).where(mine).values(values))
    for key in keys - stored_keys():
        storage.save_bytes(b"bytes", key)
    return keys


def stored_keys() -> set[str]:
    """Return the keys of every object in the store."""
    return {found["path"] for page in obstore.list(storage.store()) for found in page}


def rows_that_name(words: set[str]) -> dict[str, list[str]]:
    """Return the rows of all tables in which one of these words occurs, by table."""
    found: dict[str, list[str]] = {}
    with db.engine().connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                text = str(tuple(row))
                if any(word in text for word in words):
                    found.setdefault(table.name, []).append(text)
    return found


def words_of(person: Person) -> set[str]:
    user_id = person.who.id
    ids = {str(id_) for name, id_ in person.ids.items() if len(str(id_)) == 36}
    return ids | {
        str(user_id),
        user_id.hex,
        person.who.email,
        former_address(person),
        CUSTOMER,
        "evt_of_somebody",
        "a digest",
    }


def write_redis_keys(person: Person) -> None:
    """Do what makes keys of Redis for a person."""
    user_id = person.who.id
    sign_in, job = uuid.UUID(person.ids["sign_ins"]), uuid.UUID(person.ids["processing_jobs"])
    events.publish(user_id, Event(Topic.LIBRARY), Event(Topic.JOB, str(job)))
    queue.enqueue_job(job, queue.LOW, 0)
    queue.enqueue_email(uuid.UUID(person.ids["samples"]), 0)
    session_cache.publish_revocations([sign_in])

    async def count() -> None:
        await rate_limits.count_request(user_id, 100, media=False)
        await rate_limits.count_two_factor_attempt(user_id)
        await rate_limits.count_sign_in(person.who.email, "203.0.113.7")
        await rate_limits.clear_sign_in_failures(person.who.email, "203.0.113.7")
        await session_cache.cache_owner(uuid7(), user_id)
        await session_cache.cache_cookie(b"cookie", sign_in)
        await share_counts.count(uuid.UUID(person.ids["shares"]), share_counts.PLAYS)

    asyncio.run(count())


def lasting_redis_keys() -> dict[str, str]:
    """Return the keys of Redis that never expire, with all that they hold."""
    client = events.connection()
    readers: dict[object, Callable[[Any], object]] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    return {
        key.decode(): f"{key} {readers[client.type(key)](key)}"
        for key in client.scan_iter()
        if client.ttl(key) == -1
    }


@pytest.fixture
def without_billing(services: Settings, environment: pytest.MonkeyPatch) -> None:
    """No Stripe: `tests/services/billing` ends subscriptions with the emulator."""
    environment.setenv("SP404_BILLING", "off")
    settings.cache_clear()


@pytest.mark.usefixtures("without_billing")
def test_a_deleted_account_leaves_nothing_but_what_is_listed(tmp_path: Path) -> None:
    other = world.person(tmp_path)
    before = stored_keys()
    person = resident(tmp_path)
    keys = store_an_object_of_each_kind(person)
    assert keys <= stored_keys()
    assert rows_that_name(words_of(person)).keys() == all_tables().keys() - NAMES_NOBODY.keys()

    asyncio.run(deletion.delete_account(person.who.id))

    left = rows_that_name(words_of(person))
    assert left.keys() == LEFT.keys() | LEFT_FOR_A_WHILE.keys() | {"object_deletions"}, left
    assert len(left["unsent_mails"]) == 1, "all but the mail that confirms the deletion"
    assert not {text for text in left["audit_log"] if "203.0.113.7" in text or "Firefox" in text}
    assert stored_keys() == before, "files are deleted at once"
    assert rows_that_name({str(other.who.id)})

    house_keeping(now() + 100 * DAY)
    assert rows_that_name(words_of(person)).keys() == LEFT.keys()


def test_the_objects_of_this_test_are_of_every_kind_that_is_stored(tmp_path: Path) -> None:
    folders = {
        module.FOLDER
        for found in pkgutil.iter_modules(infra.__path__)
        if hasattr(module := importlib.import_module(f"{infra.__name__}.{found.name}"), "FOLDER")
    } | {data_export.FOLDER}
    stored = {key.partition("/")[0] for key in store_an_object_of_each_kind(resident(tmp_path))}
    assert folders <= stored
    assert "avatars" in stored


@pytest.mark.usefixtures("without_billing")
def test_keys_of_redis_expire_or_are_taken_by_workers(tmp_path: Path) -> None:
    person = resident(tmp_path)
    write_redis_keys(person)
    asyncio.run(deletion.delete_account(person.who.id))
    with transaction() as session:
        share_counts.write_counts(session)
    words = words_of(person)
    named = [key for key, text in lasting_redis_keys().items() if any(w in text for w in words)]
    # A worker takes them within seconds, and finds no row.
    queued = [key for key in named if key.startswith(("rq:queue:", "rq:job:"))]
    assert named == queued
    assert queued


# ---- an account that lives on


def cases() -> Iterator[Any]:
    for name, (values, lasts) in EXPIRING.items():
        yield pytest.param(name, values, lasts, id=name)
    for name, values, lasts in ALSO_EXPIRING:
        yield pytest.param(name, values, lasts, id=f"{name}-by-{next(iter(values))}")


@pytest.mark.parametrize(("name", "values", "lasts"), list(cases()))
def test_rows_that_have_expired_are_deleted(
    name: str, values: dict[str, Any], lasts: dt.timedelta, tmp_path: Path
) -> None:
    resident(tmp_path)
    parent = PARENTS.get(name)
    table, changed = all_tables()[name], parent or name
    began = now()
    with db.engine().begin() as connection:
        for column in ("created_at", "started_at", "last_seen_at"):
            if column in all_tables()[changed].c:
                connection.execute(update(all_tables()[changed]).values({column: began}))
        chosen = EXPIRING[parent][0] if parent else values
        connection.execute(update(all_tables()[changed]).values(shifted(chosen, began)))
    minute = dt.timedelta(minutes=1)
    house_keeping(began + 0.95 * lasts - minute)
    assert count_rows(table), "it is deleted before its time"
    house_keeping(began + lasts + minute)
    assert not count_rows(table)


def shifted(values: dict[str, Any], began: dt.datetime) -> dict[str, Any]:
    """Return values whose times are counted from the begin of the test, not of the module."""
    offset = began - LOADED
    return {
        name: value + offset if isinstance(value, dt.datetime) else value
        for name, value in values.items()
    }


LOADED = now()


def count_rows(table: Table) -> int:
    with db.engine().connect() as connection:
        return len(connection.execute(select(table)).all())
