"""Canonical email addresses, and addresses that mail cannot be delivered to."""

import pytest
from sqlmodel import text

from sp404_app.db import transaction
from sp404_app.errors import ValidationFailed
from sp404_app.models import User
from sp404_app.services.auth import admin_access, email_change, login, users
from sp404_app.services.infra import email, email_addresses, email_templates
from sp404_app.settings import settings
from tests.accounts import CLIENT, PASSWORD, deliver_mails, mails, sign_up_user
from tests.smtp_server import SmtpServer, smtp_server
from tests.test_migrations import migration

__all__ = ["smtp_server"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ada@Example.ORG ", "ada@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        ("ada@ｅxample.org", "ada@example.org"),
        ("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_all_spellings_of_a_mailbox_have_one_canonical_address(typed: str, kept: str) -> None:
    assert email_addresses.canonical_address(typed) == kept
    assert email_addresses.deliverable_address(typed) == kept
    assert kept.isascii()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("adä@example.org", "letters a–z"),
        ("用户@example.org", "letters a–z"),
        ("ａda@example.org", "letters a–z"),
        ("a" * 65 + "@example.org", "at most 64"),
        ("a" * 5000 + "@example.org", "valid email"),
        ("ada@" + "ü" * 70 + ".example", "valid email"),
        ("ada@☃.example", "valid email"),
        ("ada@example.org\r\nBcc: bob@example.org", "valid email"),
        ("", "valid email"),
        ("\ud800@example.org", "valid email"),
    ],
)
async def test_an_undeliverable_address_is_rejected_with_a_message(
    services: object, typed: str, words: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        email_addresses.deliverable_address(typed)
    assert words in refused.value.details["email"][0]
    with pytest.raises(ValidationFailed) as refused:
        await login.register(typed, PASSWORD, "", "", CLIENT)
    assert words in refused.value.details["email"][0]
    with pytest.raises(ValidationFailed) as refused, transaction() as session:
        email_change.request_email_change(session, sign_up_user().id, typed, CLIENT)
    assert words in refused.value.details["email"][0]


async def test_an_international_domain_signs_up_and_in_with_any_spelling(services: object) -> None:
    await login.register("ada@bücher.example", PASSWORD, "", "", CLIENT)
    (letter,) = mails("ada@xn--bcher-kva.example")
    assert str(letter["From"]).isascii()
    for typed in ("ada@bücher.example", "ADA@BÜCHER.EXAMPLE", "ada@xn--bcher-kva.example"):
        with transaction() as session:
            assert users.find_credential(session, typed) is not None, typed


def test_an_account_with_an_address_that_is_rejected_now_still_signs_in(services: object) -> None:
    with transaction() as session:
        session.add(User(email="adä@example.org", password_hash="x"))
    with transaction() as session:
        assert users.find_credential(session, "Adä@example.org") is not None


def test_the_migration_makes_stored_addresses_findable(services: object) -> None:
    sign_up_user("eve@example.org")
    with transaction() as session:
        session.add(User(email="ada@bücher.example", password_hash="x"))
        session.add(User(email="adä@straße.example", password_hash="x"))
    change = migration("c5ab766c296c")
    with transaction() as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(change.op, "get_bind", session.connection, raising=False)
        change._to_punycode("users", "email")
        change._to_punycode("one_time_tokens", "new_email")
    with transaction() as session:
        kept = session.connection().execute(text("select email from users order by email"))
        assert set(kept.scalars()) == {
            "ada@xn--bcher-kva.example", "adä@xn--strae-oqa.example", "eve@example.org"
        }  # fmt: skip
        assert users.find_credential(session, "ada@bücher.example") is not None


def test_operators_are_matched_in_any_spelling(
    services: object, environment: pytest.MonkeyPatch
) -> None:
    boss = sign_up_user("boss@xn--bcher-kva.example")
    environment.setenv("SP404_OPERATORS", "not an address, boss@BÜCHER.example")
    settings.cache_clear()
    with transaction() as session:
        admin_access.ensure_operator(session, boss.id)


@pytest.mark.parametrize(
    "named", ["Kiste <crate@bücher.example>", "Kästchen <crate@bücher.example>", "crate@x.org"]
)
def test_the_sender_header_is_ascii(
    services: object, smtp_server: SmtpServer, environment: pytest.MonkeyPatch, named: str
) -> None:
    environment.setenv("SP404_MAIL_FROM", named)
    environment.setenv("SP404_PUBLIC_URL", "https://bücher.example")
    settings.cache_clear()
    with transaction() as session:
        email.send_email_to_address(session, "ada@example.org", email_templates.password_changed())
    deliver_mails()
    (message,) = smtp_server.messages
    head, _, _ = message.partition("\r\n\r\n")
    assert head.isascii()
    assert "@xn--bcher-kva.example>" in head
