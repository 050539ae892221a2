"""Set up the Stripe emulator on the first start without Stripe keys, through its HTTP API."""

from sqlmodel import Session

from sp404_app.services.billing import catalog, emulator_controls
from sp404_app.settings import settings


def set_up_emulator(session: Session) -> int:
    """Create prices and dunning settings in a new emulator; return 1 if it did, else 0.

    Raises:
        AppError: If the emulator does not answer yet.
    """
    if not settings().stripe_emulated or catalog.is_catalog_set_up(session):
        return 0
    emulator_controls.set_unpaid_after_retries()
    catalog.set_up_catalog(session)
    return 1
