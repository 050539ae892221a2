"""Metrics that are read from the database, Redis and the disk when they are asked for.

Every web process reads the same values, so dashboards and alerts use `max`, not `sum`. Values are
kept for some seconds, so scraping often costs the database nothing.
"""

import itertools
import platform
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

from prometheus_client.core import GaugeMetricFamily
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, func, select

import sp404_app
from sp404_app.db import transaction
from sp404_app.models import JobKind, User
from sp404_app.models.columns import now
from sp404_app.services.billing import webhooks
from sp404_app.services.infra import backup_log, database_load, queue, storage, unsent_emails
from sp404_app.services.library import library_totals
from sp404_app.services.processing import job_counts
from sp404_app.settings import settings

KEPT_S, TOTALS_KEPT_S = 5.0, 300.0

Families = list[GaugeMetricFamily]


class KeptMetrics:
    """Metrics that are read at most once in `kept_s` seconds; none while reading fails."""

    def __init__(self, read: Callable[[], Families], kept_s: float) -> None:
        self._read, self._kept_s = read, kept_s
        self._lock = threading.Lock()
        self._families: Families = []
        self._until = 0.0

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics, read now or some seconds ago."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._families = self._read_or_nothing()
                self._until = time.monotonic() + self._kept_s
            families = self._families
        yield from families

    def forget(self) -> None:
        """Read again at the next scrape."""
        self._until = 0.0

    def _read_or_nothing(self) -> Families:
        try:
            return self._read()
        except (RedisError, SQLAlchemyError, OSError):
            return []  # /api/health reports it; the other metrics are still useful


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sp404_{name}", text, value)


def _read_database() -> Families:
    with transaction() as session:
        load = database_load.read_database_load(session)
        return [
            *_jobs(session),
            *_webhooks(session),
            _gauge(
                "mails_not_sent",
                "Mails of the last 30 days that were not sent.",
                unsent_emails.count_unsent_emails(session),
            ),
            _gauge("postgres_connections", "Connections of the server.", load.connections),
            _gauge("postgres_connections_max", "Its max_connections.", load.max_connections),
            _gauge("postgres_size_bytes", "Size of our database.", load.size),
            *_backup(session),
        ]


def _jobs(session: Session) -> Families:
    jobs = GaugeMetricFamily("sp404_jobs", "Jobs that wait or run.", labels=["kind", "status"])
    counts = {(kind, status): n for kind, status, n in job_counts.count_active_jobs(session)}
    for kind, status in itertools.product(JobKind, job_counts.ACTIVE):
        jobs.add_metric([kind, status], counts.get((kind, status), 0))
    age = GaugeMetricFamily(
        "sp404_queue_age_seconds", "Age of the oldest job that waits.", labels=["queue"]
    )
    oldest = job_counts.oldest_queued_jobs(session, now())
    for name in (*queue.QUEUES, queue.PICTURES):
        age.add_metric([name], oldest.get(name, 0.0))
    return [jobs, age]


def _webhooks(session: Session) -> Families:
    # Those that were due when billing was turned off stay due, and nobody is to do anything.
    counted = webhooks.count_open_events(session) if settings().billing else (0, 0, None)
    waiting, dead, oldest = counted
    age = (now() - oldest).total_seconds() if oldest else 0.0
    return [
        _gauge("webhooks_waiting", "Events of Stripe that wait.", waiting),
        _gauge("webhooks_dead", "Events of Stripe that failed for good.", dead),
        _gauge("webhooks_age_seconds", "Age of the oldest event that waits.", max(0.0, age)),
    ]


def _backup(session: Session) -> Families:
    """Return when the last backup was completed and rehearsed; 0 if never, so alerts fire.

    Where nobody makes copies elsewhere, the time of the last one is missing. Before the first
    rehearsal, the age of the library counts: a new one has days to rehearse.
    """
    at = backup_log.last_backup_at(session)
    text = "When the last backup was completed; 0 if never."
    last = backup_log.last_rehearsal(session)
    rehearsed = last.at if last else session.scalar(select(func.min(User.created_at))) or now()
    families = [
        _gauge("backup_timestamp_seconds", text, at.timestamp() if at else 0.0),
        _gauge(
            "rehearsal_timestamp_seconds",
            "When a restore was last rehearsed; if never, when the first account was made.",
            rehearsed.timestamp(),
        ),
        _gauge(
            "rehearsal_succeeded",
            "0 if the last rehearsal of a restore failed, otherwise 1.",
            float(last is None or last.succeeded),
        ),
    ]
    if copied := backup_log.last_copy_at(session):
        text = "When a backup was last copied elsewhere."
        families.append(_gauge("backup_copy_timestamp_seconds", text, copied.timestamp()))
    return families


def _read_queues() -> Families:
    waiting = GaugeMetricFamily("sp404_queue_length", "Queued jobs.", labels=["queue"])
    for name in (*queue.QUEUES, queue.PICTURES):
        waiting.add_metric([name], queue.rq_queue(name).count)
    return [waiting]


def _read_disks() -> Families:
    free = GaugeMetricFamily("sp404_disk_free_bytes", "Free space.", labels=["folder"])
    size = GaugeMetricFamily("sp404_disk_size_bytes", "Size of the disk.", labels=["folder"])
    for name, path in {"home": settings().home, "sounds": storage.local_folder()}.items():
        if path and path.exists():
            usage = shutil.disk_usage(path)
            free.add_metric([name], usage.free)
            size.add_metric([name], usage.total)
    return [free, size]


def _read_totals() -> Families:
    with transaction() as session:
        totals = library_totals.read_totals(session)
    return [
        _gauge("accounts", "Accounts.", totals.accounts),
        _gauge("sounds", "Sounds of all accounts.", totals.sounds),
        _gauge("stored_bytes", "Bytes of these sounds.", totals.bytes),
    ]


def _read_build() -> Families:
    build = GaugeMetricFamily(
        "sp404_build_info", "What runs.", labels=["version", "python", "reflex"]
    )
    build.add_metric([sp404_app.__version__, platform.python_version(), version("reflex")], 1)
    return [build]


COLLECTORS = (
    KeptMetrics(_read_database, KEPT_S),
    KeptMetrics(_read_queues, KEPT_S),
    KeptMetrics(_read_disks, KEPT_S),
    KeptMetrics(_read_totals, TOTALS_KEPT_S),
    KeptMetrics(_read_build, TOTALS_KEPT_S),
)
