"""The lock order of accounts: the row of the person first, then everything that is theirs.

Each transaction that changes how a person signs in, or who they are, locks their row before it
locks or changes another row of theirs. Two of them then run one after the other, and none waits
for a row while it holds one that the other needs.
"""

import uuid

from sqlmodel import Session

from sp404_app.errors import Unauthenticated
from sp404_app.models import User

MEANWHILE = "This account was changed meanwhile. Please sign in again."


def lock_account(session: Session, user_id: uuid.UUID) -> User:
    """Lock the row of a person until the transaction ends, and return it as it is now.

    The lock is weak: rows that refer to the person, such as those of an upload, do not wait.

    Raises:
        Unauthenticated: If the account is gone.
    """
    session.flush()  # reading the row anew would undo what is not written yet
    weak = {"key_share": True}
    user = session.get(User, user_id, with_for_update=weak, populate_existing=True)
    if user is None:
        raise Unauthenticated(MEANWHILE)
    return user
