"""A new machine without Stripe's keys opens its shop by itself, over HTTP as anybody would."""

from sqlmodel import Session

from sp404_app.services.billing import catalog, emulator_controls
from sp404_app.settings import settings


def set_up_emulator(session: Session) -> int:
    """Set up the emulator of a new machine, which nobody else does; return whether we did.

    Raises:
        AppError: If it does not answer yet.
    """
    if not settings().stripe_emulated or catalog.is_set_up(session):
        return 0
    emulator_controls.dun_as_we_advise()
    catalog.set_up(session)
    return 1
