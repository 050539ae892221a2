"""Password strength estimates."""

import pytest

from sp404_app.services.auth import password_strength


@pytest.mark.parametrize(
    "password",
    ["", "short", "password1", "a" * 16, "1234567890123", "qwertyuiopasdf", "p4$$w0rd2024"],
)
def test_common_passwords_are_very_weak(password: str) -> None:
    assert password_strength.estimate_strength(password).level <= 1


@pytest.mark.parametrize(
    "password", ["tape delay and dust", "correct horse battery staple", "x9$Kq2!mZp7wRt5&"]
)
def test_several_words_or_random_characters_are_good(password: str) -> None:
    assert password_strength.estimate_strength(password).level >= 3


def test_adding_a_word_never_lowers_the_level() -> None:
    words, before = "", 0
    for word in ("tape", "delay", "dust", "needle", "crate"):
        words = f"{words} {word}".strip()
        level = password_strength.estimate_strength(words).level
        assert level >= before
        before = level
    assert before == 4


@pytest.mark.parametrize("password", ["\ud800" * 9, "\0" * 9, "é" * 100_000, "𝄞🎛️ drum machine"])
def test_unusual_passwords_get_an_estimate(password: str) -> None:
    assert 0 <= password_strength.estimate_strength(password).level <= 4


def test_the_message_never_contains_the_password() -> None:
    assert "hunter" not in password_strength.estimate_strength("hunter2hunter2").message
