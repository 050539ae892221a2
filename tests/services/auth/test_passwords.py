import asyncio
import threading
import unicodedata

import bcrypt
import pytest

from sp404_app.errors import Unavailable, ValidationFailed
from sp404_app.services.auth import passwords
from sp404_app.settings import settings
from tests.hashing import record_password_checks

pytestmark = pytest.mark.usefixtures("environment")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "12 bars of blues",
        "x" * 7 + "y",
        "a" * 1023 + "b",
        "🥁🎛🎚🎧🎹🎷🎺🎸",
        "pass\0word with zero",
        "пароль барабанщика",
        "        space        ",
    ],
)
def test_acceptable_passwords_are_accepted_and_verified_in_full(password: str) -> None:
    passwords.ensure_acceptable_password(password)
    hashed = passwords.hash_password_blocking(password)
    assert passwords.verify_password_blocking(password, hashed)
    assert not passwords.verify_password_blocking(password + "x", hashed)
    assert not passwords.verify_password_blocking(password[:-1], hashed)


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("", "at least 8"),
        ("seven77", "at least 8"),
        ("🥁" * 7, "at least 8"),
        ("x" * 1025, "at most 1024"),
        ("password", "common password"),
        ("PassWord1", "common password"),
        ("12345678", "common password"),
        ("qwertyuiop", "common password"),
        ("iiiiiiiiiiii", "common password"),
        ("drummer@example.org", "use your email"),
        ("DRUMMER@example.org", "use your email"),
        ("SP-404 mkII", "name of our product"),
        ("crate 404", "name of our product"),
        ("Roland SP-404!", "name of our product"),
        ("half \ud83e a drum", "incomplete character"),
    ],
)
def test_unacceptable_passwords_are_refused_with_a_reason(password: str, word: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        passwords.ensure_acceptable_password(password, "drummer@example.org")
    assert word in refusal.value.details["password"][0]


def test_bytes_after_the_72nd_count() -> None:
    stem = "é" * 60
    assert not passwords.verify_password_blocking(
        stem + "2", passwords.hash_password_blocking(stem + "1")
    )


def test_composed_and_decomposed_unicode_are_the_same_password() -> None:
    hashed = passwords.hash_password_blocking(unicodedata.normalize("NFD", "café über alles"))
    assert passwords.verify_password_blocking(
        unicodedata.normalize("NFC", "café über alles"), hashed
    )


def test_a_hash_does_not_verify_with_another_pepper() -> None:
    hashed = passwords.hash_password_blocking("correct horse battery")
    assert not bcrypt.checkpw(b"correct horse battery", hashed.encode())


def test_the_pepper_is_created_once_and_readable_by_the_owner_only() -> None:
    first = passwords.pepper()
    assert passwords.pepper() == first
    assert len(first) == 32
    path = settings().secrets / "pepper"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_bcrypt_cost_is_twelve_and_other_costs_need_a_rehash() -> None:
    assert passwords.hash_password_blocking("correct horse battery").startswith("$2b$12$")
    assert not passwords.needs_rehash(passwords.DUMMY_HASH)
    assert passwords.needs_rehash("$2b$10$" + "x" * 53)


def test_a_value_that_is_no_hash_matches_nothing() -> None:
    assert not passwords.verify_password_blocking("correct horse battery", "!")


async def test_verifying_without_an_account_hashes_once_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks = record_password_checks(monkeypatch)
    hashed = await passwords.hash_password("correct horse battery")
    assert not await passwords.verify_password("wrong horse battery", hashed)
    assert not await passwords.verify_password("wrong horse battery", None)
    assert not await passwords.verify_password("wrong horse battery", "!")
    known, unknown, without = checks
    assert known.cost == unknown.cost == without.cost


async def test_many_sign_ins_do_not_block_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks = record_password_checks(monkeypatch)
    await asyncio.gather(*(passwords.verify_password("x" * 20, None) for _ in range(12)))
    assert len(checks) == 12
    assert threading.main_thread().name not in {check.thread for check in checks}


async def test_a_full_bcrypt_pool_answers_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords._bcrypt_pool.cache_clear()
    monkeypatch.setattr(passwords, "MAX_WAITING", 2)
    tasks = [asyncio.create_task(passwords.verify_password("x" * 20, None)) for _ in range(4)]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    passwords._bcrypt_pool.cache_clear()
    assert sum(isinstance(result, Unavailable) for result in results) == 2


async def test_sign_in_slots_are_bounded_and_a_full_queue_answers_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "MAX_WAITING", 8)
    inside = most = 0

    async def come() -> None:
        nonlocal inside, most
        async with passwords.sign_in_slot():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    results = await asyncio.gather(*(come() for _ in range(10)), return_exceptions=True)
    assert most == passwords.MAX_CONCURRENT
    assert sum(isinstance(result, Unavailable) for result in results) == 2
    await come()


def test_the_list_of_common_passwords_is_clean() -> None:
    words = passwords.common_passwords()
    assert len(words) > 3000
    assert all(len(word) >= 8 and word == word.casefold() for word in words)
