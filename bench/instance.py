"""A running product and test users for the benches."""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine
from sqlmodel import Session, create_engine, insert

from sp404_app import db
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.models import Sample, User, Waveform
from sp404_app.models.columns import now, uuid7
from sp404_app.services.auth import passwords
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library.heard_words import MEANINGS, sample_tokens
from sp404_app.services.library.key_words import key_search_words
from sp404_app.services.library.search_terms import search_words
from sp404_app.settings import settings
from sp404_app.supervisor import postgresql, redis_server
from sp404_app.supervisor.home import Home
from tests.product import Product, home_in, slot

PASSWORD = "tape delay and dust"  # noqa: S105 - of temporary users
FIRST = [
    "dusty",
    "warm",
    "broken",
    "velvet",
    "paper",
    "night",
    "tape",
    "low",
    "high",
    "golden",
    "rusty",
    "slow",
    "blue",
    "late",
]
SECOND = [
    "kick",
    "snare",
    "hat",
    "clap",
    "bass",
    "chord",
    "break",
    "loop",
    "vox",
    "stab",
    "rim",
    "tom",
    "crash",
    "bell",
    "arp",
    "keys",
]


@contextmanager
def running_product(extra: dict[str, str] | None = None) -> Iterator[Product]:
    """Start the whole product with an empty home and extra settings, and stop it."""
    with slot() as folder, home_in(folder) as instance:
        instance.extra |= extra or {}
        instance.start()
        try:
            yield instance
        finally:
            instance.stop()


@contextmanager
def open_database(instance: Product) -> Iterator[Session]:
    """Open one transaction in the product's database; services use it, too."""
    own = {
        "SP404_HOME": str(instance.home),
        "SP404_DATABASE_URL": postgresql.postgres_url(Home(instance.home)),
        "SP404_REDIS_URL": redis_server.embedded_redis_url(Home(instance.home)),
    }
    os.environ.update(own)
    settings.cache_clear()
    try:
        with db.transaction() as session:
            yield session
    finally:
        db.engine().dispose()
        db.engine.cache_clear()
        for name in own.keys() - {"SP404_HOME"}:
            del os.environ[name]
        settings.cache_clear()


def _engine(instance: Product) -> Engine:
    folder = instance.home / "run" / "postgres"
    return create_engine(f"postgresql+psycopg://postgres@/sp404?host={folder}")


def create_user(
    session: Session, email: str = "bench@example.org", password_hash: str = ""
) -> User:
    """Create a user who can sign in."""
    user = User(
        email=email,
        password_hash=password_hash or passwords.hash_password_blocking(PASSWORD),
        email_verified_at=now(),
        is_demo=True,  # the demo account is on Pro, whose limits fit the measurements
    )
    session.add(user)
    session.flush()
    return user


def fill_library(session: Session, user: User, size: int, seed: int = 404) -> None:
    """Give a user `size` analysed samples with plausible names, tempos, keys and tags."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    session.flush()
    columns = [column.name for column in Sample.__table__.columns if column.computed is None]  # type: ignore[attr-defined]
    statement = f"copy samples ({', '.join(columns)}) from stdin"
    first = None
    with session.connection().connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
        for number in range(size):
            row = Sample(**_sample_row(user, number, rng))  # type: ignore[arg-type]
            first = first or row.id
            copy.write_row([getattr(row, name) for name in columns])
    wave = {"sample_id": first, "user_id": user.id, "peaks": b""}
    session.exec(insert(Waveform), params=[wave])  # type: ignore[call-overload]


def vacuum_database(instance: Product) -> None:
    """Vacuum and analyse, as autovacuum does a minute after so many inserts."""
    with _engine(instance).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("vacuum analyze")


def _sample_row(user: User, number: int, rng: random.Random) -> dict[str, object]:
    name = f"{rng.choice(FIRST)} {rng.choice(SECOND)} {number:05}".title()
    loop = rng.random() < 0.5
    tags, key = rng.sample(SECOND, 2), rng.choice(KEYS)
    words, kind = rng.sample(list(MEANINGS), 3), "loop" if loop else "one_shot"
    sound_class = rng.choice(list(SoundClass))
    tokens = sample_tokens(words, sound_class, kind)
    return {
        "id": uuid7(),
        "user_id": user.id,
        "name": name,
        "filename": f"{name}.wav",
        "storage_key": f"bench/{user.id}/{number}",
        "size": 100_000,
        "digest": f"{number:064x}",
        "format": "WAV 16-bit",
        "sample_rate": 44_100,
        "channels": 2,
        "duration": round(rng.uniform(0.1, 12), 3),
        "status": "ready",
        "thumbnail": "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef", k=48)),
        "loudness_lufs": -14.0,
        "peak_dbfs": -1.0,
        "kind": kind,
        "sound_class": sound_class,
        "sound_words": words,
        "bpm": rng.choice([82, 90, 96, 120, 128, 174]) if loop else None,
        "bpm_confidence": 0.9,
        "key": key,
        "tags": sorted(tags),
        "search_text": f"{key_search_words(key)} {tokens} {search_words(name, *tags)}",
        "sort_key": sort_key(name),
    }
