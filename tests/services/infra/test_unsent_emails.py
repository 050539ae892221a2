"""A mail that did not leave is seen: by the operator, and by its recipient."""

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.errors import EmailNotVerified, NotFound
from sp404_app.models import UnsentMail
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.auth import admin_access, email_change, login
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.infra import email, email_templates, unsent_emails
from sp404_app.settings import settings
from sp404_app.state.account.personal_data import OwnDataState
from sp404_app.state.auth import signup
from tests.accounts import CLIENT, PASSWORD, Somebody, cookie, somebody
from tests.services.infra.test_email import Office, office
from tests.tabs import in_tab

__all__ = ["office"]
pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def away(environment: pytest.MonkeyPatch) -> Iterator[None]:
    """A mail server that nobody answers for."""
    environment.setenv("SP404_SMTP_URL", "smtp://127.0.0.1:1")
    environment.setattr(email, "PAUSES", ())
    settings.cache_clear()
    yield
    email.flush()


def send(address: str = "ada@example.org") -> None:
    with transaction() as session:
        email.send_to_address(session, address, email_templates.password_changed())
    assert email.flush()


def rows() -> list[UnsentMail]:
    with transaction() as session:
        return list(session.exec(select(UnsentMail).order_by(UnsentMail.recipient)))


def test_of_a_mail_that_was_sent_nothing_is_left(office: Office) -> None:
    send()
    assert (len(office.letters), rows()) == (1, [])


def test_a_mail_that_could_not_be_sent_says_why(away: None) -> None:
    send()
    (row,) = rows()
    assert (row.recipient, row.subject) == ("ada@example.org", "Your password was changed")
    assert row.reason == "The mail server did not answer."
    assert row.failed_at is not None


def test_an_address_that_is_refused_is_not_tried_again(office: Office) -> None:
    office.unknown = "ada@example.org"
    send()
    assert office.recipients == ["ada@example.org"]
    (row,) = rows()
    assert row.reason == "The mail server refused this address (550)."


def test_an_address_that_cannot_travel_is_seen(office: Office) -> None:
    """Somebody who signed up before such addresses were refused."""
    send("adä@example.org")
    (row,) = rows()
    assert row.reason == "The mail server does not support what this mail needs."


def test_a_mail_whose_process_ended_is_seen_too() -> None:
    with transaction() as session:
        unsent_emails.note(session, "ada@example.org", "Lost")
        assert unsent_emails.count(session) == 0  # it may still be on its way
        session.add(
            UnsentMail(
                recipient="bob@example.org",
                subject="Lost",
                created_at=now() - unsent_emails.LOST_AFTER - dt.timedelta(seconds=1),
            )
        )
    with transaction() as session:
        (lost,) = unsent_emails.newest(session)
    assert (lost.recipient, lost.reason) == ("bob@example.org", unsent_emails.LOST)


def test_the_operator_sees_them_and_nobody_else(
    away: None, environment: pytest.MonkeyPatch
) -> None:
    send()
    boss, other = somebody(), somebody()
    environment.setenv("SP404_OPERATORS", boss.email)
    settings.cache_clear()
    with transaction() as session:
        (seen,) = admin_access.mails_not_sent(session, signed_in(boss))
        assert seen.recipient == "ada@example.org"
    with pytest.raises(NotFound), transaction() as session:
        admin_access.mails_not_sent(session, signed_in(other))


async def test_a_person_sees_what_did_not_reach_them(away: None) -> None:
    ada, bob = somebody(), somebody()
    with transaction() as session:
        email_change.ask(session, ada.id, "new@example.org", CLIENT)
    send(bob.email)
    with transaction() as session:
        mine = {(one.recipient, one.subject) for one in unsent_emails.for_person(session, ada.id)}
    assert {recipient for recipient, _ in mine} == {ada.email, "new@example.org"}
    tab = in_tab(OwnDataState(), cookie(ada.id))
    async for _ in tab.load():
        pass
    assert len(tab.unsent) == 2
    assert any("to new@example.org. The mail server did not answer." in one for one in tab.unsent)


async def test_who_knows_the_password_is_told_that_the_mail_did_not_arrive(away: None) -> None:
    await login.register("ada@example.org", PASSWORD, "", "", CLIENT)
    assert email.flush()
    with pytest.raises(EmailNotVerified, match="couldn't deliver") as refused:
        await login.sign_in("ada@example.org", PASSWORD, CLIENT)
    assert refused.value.details == {"mail": "not_sent"}
    bob = somebody(verified=False)
    with pytest.raises(EmailNotVerified, match="link is in the mail"):
        await login.sign_in(bob.email, PASSWORD, CLIENT)


async def test_of_a_deleted_account_no_mail_is_kept(away: None) -> None:
    ada = somebody()
    send(ada.email)
    await deletion.delete_account(ada.id)
    assert email.flush()
    assert [row.subject for row in rows()] == ["Your account is deleted"]
    with transaction() as session:
        assert unsent_emails.purge_old(session, now() + unsent_emails.KEPT) == 1


def test_a_sign_up_looks_for_longer_than_a_mail_is_tried() -> None:
    assert sum(signup.LOOKS) > 1 + 5 + 20 + 4


def signed_in(person: Somebody) -> SignedIn:
    """Return a sign-in that proved its password just now."""
    from sqlmodel import update

    from sp404_app.models import SignIn

    cookie(person.id)
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=now()))
        row = session.exec(select(SignIn).where(SignIn.user_id == person.id)).one()
    return SignedIn(person.id, row.id)
