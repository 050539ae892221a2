"""Set up the Stripe emulator on a start without Stripe keys, through its HTTP API."""

from sqlmodel import Session

from sp404_app.services.billing import catalog, emulator_controls
from sp404_app.settings import settings


def set_up_emulator(session: Session) -> int:
    """Create prices and dunning settings in a new emulator, or correct the portal of an older one.

    Returns 1 if anything was missing, else 0.

    Raises:
        AppError: If the emulator does not answer yet.
    """
    if not settings().stripe_emulated:
        return 0
    if catalog.is_catalog_set_up(session):
        return int(catalog.mend_portal(session))
    emulator_controls.set_unpaid_after_retries()
    catalog.set_up_catalog(session)
    return 1
