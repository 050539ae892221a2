"""Undelivered emails are listed for operators and for their recipients."""

import datetime as dt

import pytest
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.errors import EmailNotVerified, NotFound
from sp404_app.jobs import scheduler
from sp404_app.models import UnsentMail
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.auth import admin_access, email_change, login
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.infra import email, email_templates, unsent_emails
from sp404_app.settings import settings
from sp404_app.state.account.personal_data import OwnDataState
from sp404_app.state.auth import signup
from tests.accounts import CLIENT, PASSWORD, SignedUpUser, cookie, deliver_mails, sign_up_user
from tests.smtp_server import SmtpServer, smtp_server
from tests.tabs import in_tab

__all__ = ["smtp_server"]
pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def no_smtp_server(environment: pytest.MonkeyPatch) -> None:
    """Name a mail server that does not answer; list emails after their first failure."""
    environment.setenv("SP404_SMTP_URL", "smtp://127.0.0.1:1")
    environment.setattr(unsent_emails, "LISTED_AFTER_ATTEMPTS", 1)
    settings.cache_clear()


def send(address: str = "ada@example.org") -> None:
    with transaction() as session:
        email.send_email_to_address(session, address, email_templates.password_changed())
    deliver_mails()


def rows() -> list[UnsentMail]:
    with transaction() as session:
        return list(session.exec(select(UnsentMail).order_by(UnsentMail.recipient)))


def test_the_row_of_a_sent_email_is_deleted(smtp_server: SmtpServer) -> None:
    send()
    assert (len(smtp_server.messages), rows()) == (1, [])


def test_an_unsent_email_has_a_reason_and_a_next_attempt(no_smtp_server: None) -> None:
    send()
    (row,) = rows()
    assert (row.recipient, row.subject) == ("ada@example.org", "Your password was changed")
    assert row.reason == "The mail server did not answer."
    assert row.due_at is not None
    assert row.due_at > now()


def test_a_refused_recipient_is_not_tried_again_and_no_body_is_kept(
    smtp_server: SmtpServer,
) -> None:
    smtp_server.unknown_recipient = "ada@example.org"
    send()
    assert smtp_server.recipients == ["ada@example.org"]
    (row,) = rows()
    assert row.reason == "The mail server refused this address (550)."
    assert (row.encrypted_body, row.due_at) == (None, None)
    assert row.failed_at is not None


def test_an_address_that_smtp_cannot_carry_is_listed(smtp_server: SmtpServer) -> None:
    """A user may have signed up before such addresses were refused."""
    send("adä@example.org")
    (row,) = rows()
    assert row.reason == "The mail server does not support what this mail needs."


def test_an_email_that_no_worker_sends_is_listed_after_a_while() -> None:
    with transaction() as session:
        email.send_email_to_address(session, "ada@example.org", email_templates.password_changed())
        assert unsent_emails.count_unsent_emails(session) == 0  # it may still be sent
        session.add(
            UnsentMail(
                recipient="bob@example.org",
                subject="Lost",
                created_at=now() - unsent_emails.LISTED_AFTER - dt.timedelta(seconds=1),
            )
        )
    with transaction() as session:
        (unsent,) = unsent_emails.list_unsent_emails(session)
    assert (unsent.recipient, unsent.reason) == ("bob@example.org", unsent_emails.NOT_TRIED)


def test_only_operators_see_the_undelivered_emails_of_all_users(
    no_smtp_server: None, environment: pytest.MonkeyPatch
) -> None:
    send()
    boss, other = sign_up_user(), sign_up_user()
    environment.setenv("SP404_OPERATORS", boss.email)
    settings.cache_clear()
    with transaction() as session:
        (seen,) = admin_access.list_unsent_emails(session, signed_in(boss))
        assert seen.recipient == "ada@example.org"
    with pytest.raises(NotFound), transaction() as session:
        admin_access.list_unsent_emails(session, signed_in(other))


async def test_a_user_sees_the_emails_that_did_not_reach_them(no_smtp_server: None) -> None:
    ada, bob = sign_up_user(), sign_up_user()
    with transaction() as session:
        email_change.request_email_change(session, ada.id, "new@example.org", CLIENT)
    send(bob.email)
    with transaction() as session:
        mine = {
            (one.recipient, one.subject)
            for one in unsent_emails.list_unsent_emails_of_user(session, ada.id)
        }
    assert {recipient for recipient, _ in mine} == {ada.email, "new@example.org"}
    tab = in_tab(OwnDataState(), cookie(ada.id))
    async for _ in tab.load():
        pass
    assert len(tab.unsent) == 2
    assert any("to new@example.org. The mail server did not answer." in one for one in tab.unsent)


async def test_a_sign_in_with_the_right_password_says_that_the_email_was_not_sent(
    no_smtp_server: None,
) -> None:
    await login.register("ada@example.org", PASSWORD, "", "", CLIENT)
    deliver_mails()
    with pytest.raises(EmailNotVerified, match="couldn't deliver") as refused:
        await login.verify_credentials("ada@example.org", PASSWORD, CLIENT)
    assert refused.value.details == {"mail": "not_sent"}
    bob = sign_up_user(verified=False)
    with pytest.raises(EmailNotVerified, match="Open the link in the email"):
        await login.verify_credentials(bob.email, PASSWORD, CLIENT)


async def test_a_deleted_account_leaves_only_the_email_about_its_deletion(
    no_smtp_server: None,
) -> None:
    ada = sign_up_user()
    send(ada.email)
    await deletion.delete_account(ada.id)
    deliver_mails()
    assert [row.subject for row in rows()] == ["Your account is deleted"]
    with transaction() as session:
        assert unsent_emails.purge_old_emails(session, now() + unsent_emails.KEPT) == 1


def test_the_sign_up_page_checks_for_failures_longer_than_four_attempts_take() -> None:
    pauses = unsent_emails.RETRY_PAUSES_S[: unsent_emails.LISTED_AFTER_ATTEMPTS - 1]
    assert sum(signup.MAIL_CHECK_DELAYS_S) > sum(pauses) + len(pauses) * scheduler.INTERVAL_S


def signed_in(user: SignedUpUser) -> SignedIn:
    """Return a session whose password was confirmed just now."""
    from sqlmodel import update

    from sp404_app.models import SignIn

    cookie(user.id)
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=now()))
        row = session.exec(select(SignIn).where(SignIn.user_id == user.id)).one()
    return SignedIn(user.id, row.id)
