"""Delete records of Stripe that nothing reads any more."""

import datetime as dt
from typing import Final

from sqlmodel import Session, col, delete

from sp404_app.models import ReconcileReport, StripeEvent

# Stripe repeats an event for three days and lists it for 30. One that is received again after its
# row was deleted is handled again, which changes nothing.
KEPT_FOR: Final = dt.timedelta(days=90)


def purge_old_records(session: Session, at: dt.datetime) -> int:
    """Delete handled events and nightly reports of over 90 days ago; return how many.

    Events that failed for good stay until an operator replays them.
    """
    events = delete(StripeEvent).where(col(StripeEvent.handled_at) < at - KEPT_FOR)
    reports = delete(ReconcileReport).where(col(ReconcileReport.day) < (at - KEPT_FOR).date())
    return session.exec(events).rowcount + session.exec(reports).rowcount
