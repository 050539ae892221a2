"""Mails: what is sent, when, and through which door."""

import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from sp404_app.db import transaction
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.infra import dev_outbox, email, email_templates
from sp404_app.services.infra.email_templates import EmailContent
from sp404_app.settings import settings
from tests.accounts import mails, somebody, text_of

pytestmark = pytest.mark.usefixtures("services")

LETTER = email_templates.verify_email("a-token")


class Postman(socketserver.StreamRequestHandler):
    """A real SMTP server of a few words; it refuses as often as it is told to."""

    server: "Office"

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line.upper().split(":")[0].split()[0]
            if word == "EHLO":
                self._say("250-here\r\n250-AUTH PLAIN\r\n250 8BITMIME")
            elif word == "AUTH":
                self.server.logins.append(line)
                self._say("235 fine")
            elif word == "DATA":
                self._say("354 go on")
                self._take()
            elif word == "MAIL" and self.server.refusals:
                self.server.refusals -= 1
                self._say("451 later")
            elif word == "RCPT":
                self.server.recipients.append(line.partition("<")[2].partition(">")[0])
                unknown = self.server.recipients[-1] == self.server.unknown
                self._say("550 no such mailbox" if unknown else "250 fine")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.server.letters.append(b"".join(lines).decode())
        self._say("250 taken")


class Office(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Postman)
        self.letters: list[str] = []
        self.logins: list[str] = []
        self.refusals = 0
        self.recipients: list[str] = []
        self.unknown = ""


@pytest.fixture
def office(environment: pytest.MonkeyPatch) -> Iterator[Office]:
    with Office() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment.setenv(
            "SP404_SMTP_URL", f"smtp://ada%40x:pass%2Fword@127.0.0.1:{server.server_address[1]}"
        )
        environment.setattr(email, "PAUSES", (0.01, 0.01, 0.01))
        settings.cache_clear()
        yield server
        server.shutdown()


def send(letter: EmailContent = LETTER, address: str = "ada@example.org") -> None:
    with transaction() as session:
        email.send_to_address(session, address, letter)


def test_a_mail_leaves_after_the_commit_and_not_before() -> None:
    with transaction() as session:
        email.send_to_address(session, "ada@example.org", LETTER)
        assert mails() == []
    assert [letter["To"] for letter in mails()] == ["ada@example.org"]


def test_what_is_rolled_back_is_not_mailed() -> None:
    def change_your_mind() -> None:
        with transaction() as session:
            email.send_to_address(session, "ada@example.org", LETTER)
            raise ValidationFailed("No.")

    with pytest.raises(ValidationFailed):
        change_your_mind()
    assert mails() == []


def test_a_mail_is_text_and_html_with_the_same_link() -> None:
    send()
    (letter,) = mails()
    link = f"{settings().origin}/verify-email?token=a-token"
    assert link in text_of(letter)
    page = letter.get_body(("html",))
    assert page is not None
    assert f'href="{link}"' in page.get_content()
    assert "width=device-width" in page.get_content()
    assert "http" not in page.get_content().replace(settings().origin, "")  # nothing to download
    assert letter["Auto-Submitted"] == "auto-generated"


def test_the_outbox_is_for_nobody_else() -> None:
    send()
    assert email.flush()
    (path,) = settings().outbox.glob("*.eml")
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings().outbox.stat().st_mode & 0o777 == 0o700


def test_the_outbox_shows_the_latest_first_and_its_link() -> None:
    send()
    assert email.flush()
    send(email_templates.password_changed(), "bob@example.org")
    assert email.flush()
    first, second = dev_outbox.newest()
    assert (first.recipient, second.recipient) == ("bob@example.org", "ada@example.org")
    assert second.link == LETTER.link
    assert second.subject == "Confirm your address"


def test_production_has_no_outbox(environment: pytest.MonkeyPatch) -> None:
    send()
    environment.setenv("SP404_ENV", "production")
    settings.cache_clear()
    with pytest.raises(NotFound):
        dev_outbox.newest()


def test_a_mail_goes_to_the_address_a_person_has_now() -> None:
    ada = somebody("ada@example.org")
    with transaction() as session:
        email.send_to_user(session, ada.id, LETTER)
    assert len(mails("ada@example.org")) == 1


def test_mail_goes_through_a_real_server(office: Office) -> None:
    send()
    assert email.flush()
    (letter,) = office.letters
    assert "To: ada@example.org" in letter
    assert "Subject: Confirm your address" in letter
    assert office.logins
    assert not settings().outbox.exists()


def test_a_server_that_says_later_is_asked_again(office: Office) -> None:
    office.refusals = 2
    send()
    assert email.flush()
    assert len(office.letters) == 1


def test_a_server_that_is_away_breaks_nothing(
    office: Office, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()
    send()
    assert email.flush()
    assert office.letters == []


def test_encryption_that_was_asked_for_is_never_dropped(
    office: Office, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_SMTP_URL", f"smtps://127.0.0.1:{office.server_address[1]}")
    settings.cache_clear()
    environment.setattr(email, "PAUSES", ())
    send()
    assert email.flush()
    assert office.letters == []


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
def test_every_letter_leads_to_our_own_pages(letter: EmailContent) -> None:
    assert letter.link.startswith(f"{settings().origin}/")
    assert letter.link in email_templates.as_text(letter)
    message = EmailMessage()
    message.set_content(email_templates.as_html(letter), subtype="html")
    assert letter.subject in email_templates.as_html(letter)


def test_a_letter_cannot_carry_markup() -> None:
    page = email_templates.as_html(
        EmailContent("<b>", ("<script>alert(1)</script>",), '"x"', 'https://x/"y')
    )
    assert "<script>" not in page
    assert 'x/"y' not in page
