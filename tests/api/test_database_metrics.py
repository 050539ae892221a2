"""Metrics that are read from the database at a scrape."""

import datetime as dt

import pytest
from sqlmodel import Session

from sp404_app.api import database_metrics
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.infra import backup_log
from sp404_app.settings import Settings


def rehearsed_at(session: Session) -> float:
    families = database_metrics._backup(session)
    (found,) = (each for each in families if each.name == "sp404_rehearsal_timestamp_seconds")
    return found.samples[0].value


def test_a_library_without_a_rehearsal_counts_from_its_first_account(
    session: Session, services: Settings
) -> None:
    assert rehearsed_at(session) == pytest.approx(now().timestamp(), abs=60)
    created = now() - dt.timedelta(days=9)
    session.add(User(email="ada@example.org", password_hash="x", created_at=created))
    session.add(User(email="bob@example.org", password_hash="x"))
    session.commit()
    assert rehearsed_at(session) == pytest.approx(created.timestamp(), abs=1)
    backup_log.record_rehearsal(services.database_url, "", succeeded=True)
    assert rehearsed_at(session) == pytest.approx(now().timestamp(), abs=60)
