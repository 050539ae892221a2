"""Changes of one account run one after the other; uploads do not wait for them."""

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, text

from sp404_app.db import transaction
from sp404_app.errors import Unauthenticated
from sp404_app.models import User, UserPreferences
from sp404_app.services.auth.account_lock import lock_account

pytestmark = pytest.mark.usefixtures("services")


def give_up_at_once(session: Session) -> None:
    """Let a statement fail if it would have to wait for a lock."""
    session.execute(text("set local lock_timeout = '100ms'"))


def test_a_second_change_of_the_account_waits(user: User) -> None:
    with transaction() as first:
        lock_account(first, user.id)
        with transaction() as second:
            give_up_at_once(second)
            with pytest.raises(OperationalError, match="lock timeout"):
                lock_account(second, user.id)
    with transaction() as third:
        give_up_at_once(third)
        assert lock_account(third, user.id).id == user.id


def test_rows_that_refer_to_a_locked_user_are_inserted_without_waiting(user: User) -> None:
    with transaction() as first:
        lock_account(first, user.id)
        with transaction() as second:
            give_up_at_once(second)
            second.add(UserPreferences(user_id=user.id, autoplay=False))
    with transaction() as session:
        assert session.get_one(UserPreferences, user.id).autoplay is False


def test_the_locked_row_is_read_again(user: User, session: Session) -> None:
    stale = session.get_one(User, user.id)
    with transaction() as other:
        other.get_one(User, user.id).first_name = "Grace"
    assert stale.first_name == ""
    assert lock_account(session, user.id).first_name == "Grace"


def test_pending_changes_survive_the_lock(user: User) -> None:
    with transaction() as session:
        session.get_one(User, user.id).first_name = "Ada"
        with session.no_autoflush:
            assert lock_account(session, user.id).first_name == "Ada"


def test_a_deleted_account_cannot_be_locked(user: User) -> None:
    with transaction() as session:
        session.delete(session.get_one(User, user.id))
    with transaction() as session, pytest.raises(Unauthenticated, match="Sign in again"):
        lock_account(session, user.id)
