"""Lock order of accounts: the user's row first, then other rows of that user.

Every transaction that changes credentials or identity locks the user's row before any other row of
the user. Such transactions then run one after the other and cannot deadlock.
"""

import uuid

from sqlmodel import Session

from sp404_app.errors import Unauthenticated
from sp404_app.models import User

ACCOUNT_CHANGED = "Your account changed in the meantime. Sign in again."


def lock_account(session: Session, user_id: uuid.UUID) -> User:
    """Lock the user's row until the transaction ends, and return it freshly read.

    The lock is `FOR NO KEY UPDATE`: inserts that refer to the user, such as uploads, do not wait.

    Raises:
        Unauthenticated: If the account is gone.
    """
    session.flush()  # reading the row again would discard pending changes
    no_key_update = {"key_share": True}
    user = session.get(User, user_id, with_for_update=no_key_update, populate_existing=True)
    if user is None:
        raise Unauthenticated(ACCOUNT_CHANGED)
    return user
