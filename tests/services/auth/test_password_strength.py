"""A word about a password: honest about words, runs and disguises."""

import pytest

from sp404_app.services.auth import password_strength


@pytest.mark.parametrize(
    "password",
    ["", "short", "password1", "a" * 16, "1234567890123", "qwertyuiopasdf", "p4$$w0rd2024"],
)
def test_what_is_tried_first_is_called_weak(password: str) -> None:
    assert password_strength.estimate_strength(password).level <= 1


@pytest.mark.parametrize(
    "password", ["tape delay and dust", "correct horse battery staple", "x9$Kq2!mZp7wRt5&"]
)
def test_some_words_or_true_chance_are_called_good(password: str) -> None:
    assert password_strength.estimate_strength(password).level >= 3


def test_a_word_more_never_makes_it_weaker() -> None:
    words, before = "", 0
    for word in ("tape", "delay", "dust", "needle", "crate"):
        words = f"{words} {word}".strip()
        level = password_strength.estimate_strength(words).level
        assert level >= before
        before = level
    assert before == 4


@pytest.mark.parametrize("password", ["\ud800" * 9, "\0" * 9, "é" * 100_000, "𝄞🎛️ drum machine"])
def test_odd_passwords_are_weighed_too(password: str) -> None:
    assert 0 <= password_strength.estimate_strength(password).level <= 4


def test_nothing_of_the_password_is_said_back() -> None:
    assert "hunter" not in password_strength.estimate_strength("hunter2hunter2").message
