"""Delete credentials that can never be used again: sessions, tokens, unfinished setups."""

import datetime as dt
from typing import Final

from sqlalchemy import and_, or_
from sqlmodel import Session, col, delete

from sp404_app.models import OneTimeToken, PersonalToken, RefreshToken, SignIn, TotpFactor
from sp404_app.services.auth.sessions import IDLE_TIMEOUT

# Clocks of several hosts may differ, and requests that began before the end still read the row.
KEPT_FOR: Final = dt.timedelta(days=1)
PERSONAL_TOKENS_KEPT_FOR: Final = dt.timedelta(days=30)  # their owner sees why a program fails


def purge_expired_credentials(session: Session, at: dt.datetime) -> int:
    """Delete what ended over a day ago, personal access tokens over 30 days; return how many.

    A refresh token is deleted with its session, or when it has expired: until then, its reuse is
    detected.
    """
    over = at - KEPT_FOR
    browser_is_idle = and_(
        col(SignIn.cookie_hash).is_not(None), col(SignIn.last_seen_at) < over - IDLE_TIMEOUT
    )
    ended = or_(col(SignIn.revoked_at) < over, col(SignIn.expires_at) < over, browser_is_idle)
    used = or_(col(OneTimeToken.used_at) < over, col(OneTimeToken.expires_at) < over)
    unconfirmed = and_(col(TotpFactor.confirmed_at).is_(None), col(TotpFactor.created_at) < over)
    expired = col(PersonalToken.expires_at) < at - PERSONAL_TOKENS_KEPT_FOR
    return sum(
        session.exec(statement).rowcount
        for statement in (
            delete(SignIn).where(ended),
            delete(RefreshToken).where(col(RefreshToken.expires_at) < over),
            delete(OneTimeToken).where(used),
            delete(TotpFactor).where(unconfirmed),
            delete(PersonalToken).where(expired),
        )
    )
