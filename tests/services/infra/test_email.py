"""Emails: what is sent, when, and by SMTP or to the outbox."""

from email.message import EmailMessage

import pytest

from sp404_app.db import transaction
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.infra import dev_outbox, email, email_templates
from sp404_app.services.infra.email_templates import EmailContent
from sp404_app.settings import settings
from tests.accounts import deliver_mails, mails, sign_up_user, text_of
from tests.smtp_server import SmtpServer, smtp_server

__all__ = ["smtp_server"]
pytestmark = pytest.mark.usefixtures("services")

LETTER = email_templates.verify_email("a-token")


def send(letter: EmailContent = LETTER, address: str = "ada@example.org") -> None:
    with transaction() as session:
        email.send_email_to_address(session, address, letter)


def test_an_email_is_sent_after_the_commit_and_not_before() -> None:
    with transaction() as session:
        email.send_email_to_address(session, "ada@example.org", LETTER)
        assert mails() == []
    assert [letter["To"] for letter in mails()] == ["ada@example.org"]


def test_a_rolled_back_transaction_sends_no_email() -> None:
    def roll_back() -> None:
        with transaction() as session:
            email.send_email_to_address(session, "ada@example.org", LETTER)
            raise ValidationFailed("No.")

    with pytest.raises(ValidationFailed):
        roll_back()
    assert mails() == []


def test_an_email_has_text_and_html_with_the_same_link() -> None:
    send()
    (letter,) = mails()
    link = f"{settings().origin}/verify-email?token=a-token"
    assert link in text_of(letter)
    page = letter.get_body(("html",))
    assert page is not None
    assert f'href="{link}"' in page.get_content()
    assert "width=device-width" in page.get_content()
    assert "http" not in page.get_content().replace(settings().origin, "")  # no external resources
    assert letter["Auto-Submitted"] == "auto-generated"


def test_only_the_owner_may_read_the_outbox() -> None:
    send()
    deliver_mails()
    (path,) = settings().outbox.glob("*.eml")
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings().outbox.stat().st_mode & 0o777 == 0o700


def test_the_outbox_shows_the_latest_first_and_its_link() -> None:
    send()
    deliver_mails()
    send(email_templates.password_changed(), "bob@example.org")
    deliver_mails()
    first, second = dev_outbox.list_outbox()
    assert (first.recipient, second.recipient) == ("bob@example.org", "ada@example.org")
    assert second.link == LETTER.link
    assert second.subject == "Confirm your email"


def test_production_has_no_outbox(environment: pytest.MonkeyPatch) -> None:
    send()
    environment.setenv("SP404_ENV", "production")
    settings.cache_clear()
    with pytest.raises(NotFound):
        dev_outbox.list_outbox()


def test_an_email_to_a_user_goes_to_their_current_address() -> None:
    ada = sign_up_user("ada@example.org")
    with transaction() as session:
        email.send_email_to_user(session, ada.id, LETTER)
    assert len(mails("ada@example.org")) == 1


def test_an_email_is_sent_by_smtp_with_the_password_of_the_url(smtp_server: SmtpServer) -> None:
    send()
    deliver_mails()
    (message,) = smtp_server.messages
    assert "To: ada@example.org" in message
    assert "Subject: Confirm your email" in message
    assert smtp_server.logins
    assert not settings().outbox.exists()


def test_without_tls_an_smtps_url_sends_nothing(
    smtp_server: SmtpServer, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_SMTP_URL", f"smtps://127.0.0.1:{smtp_server.port}")
    settings.cache_clear()
    send()
    deliver_mails()
    assert smtp_server.messages == []


@pytest.mark.parametrize(
    "letter",
    [
        email_templates.verify_email("t"),
        email_templates.account_exists(),
        email_templates.finish_account("t"),
        email_templates.reset_password("t"),
        email_templates.password_changed(),
        email_templates.token_reused(),
    ],
    ids=lambda letter: letter.subject,
)
def test_every_email_links_to_the_own_origin(letter: EmailContent) -> None:
    assert letter.link.startswith(f"{settings().origin}/")
    assert letter.link in email_templates.as_text(letter)
    message = EmailMessage()
    message.set_content(email_templates.as_html(letter), subtype="html")
    assert letter.subject in email_templates.as_html(letter)


def test_email_content_is_escaped_as_html() -> None:
    page = email_templates.as_html(
        EmailContent("<b>", ("<script>alert(1)</script>",), '"x"', 'https://x/"y')
    )
    assert "<script>" not in page
    assert 'x/"y' not in page
