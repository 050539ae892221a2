"""Accounts, sounds and their bytes of the whole installation, for the operator's metrics."""

from dataclasses import dataclass

from sqlmodel import Session, func, select

from sp404_app.models import Sample, User


@dataclass(frozen=True, slots=True)
class LibraryTotals:
    """Numbers of accounts and sounds, and the bytes of these sounds, those in the trash too."""

    accounts: int
    sounds: int
    bytes: int


def read_totals(session: Session) -> LibraryTotals:
    """Return the totals; reads the whole table of sounds, so call it every few minutes only."""
    accounts = session.exec(select(func.count()).select_from(User)).one()
    sounds, size = session.exec(
        select(func.count(), func.coalesce(func.sum(Sample.size), 0)).select_from(Sample)
    ).one()
    return LibraryTotals(accounts, sounds, int(size))
