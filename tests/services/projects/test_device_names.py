"""Names as a device shows and loads them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.services.projects.device_names import device_name, device_names

SAFE = re.compile(r"[a-zA-Z0-9_!&()+\-,.=@\[\]{}](?:[a-zA-Z0-9_!&()+\-,.=@\[\]{} ]{0,22})")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Kick 01", "Kick 01"),
        ("Ørsted Straße", "Orsted Strasse"),
        ("ÆØÅ Ölçü", "AeOA Olcu"),
        ("Kick — hard", "Kick - hard"),
        ("F♯ minor", "F_ minor"),
        ("a/b\\c:d*e?", "a_b_c_d_e_"),
        ("½ time", "1_2 time"),
        ("  .hidden. ", "hidden"),
        ("日本", "__"),
        ("\u202eevil\u202c", "evil"),
        ("שלום", "____"),
        ("", "Untitled"),
        ("…", "Untitled"),
        ("\x00\ud800", "_"),
        ("a" * 300, "a" * 23),
        ("abcdefghijklmnopqrstu v w", "abcdefghijklmnopqrstu v"),
        ("abcdefghijklmnopqrstuv w", "abcdefghijklmnopqrstuv"),
    ],
)
def test_a_name_is_spelled_in_characters_that_the_device_loads(name: str, expected: str) -> None:
    assert device_name(name) == expected


@given(st.text())
def test_any_name_becomes_1_to_23_safe_characters(name: str) -> None:
    made = device_name(name)
    assert SAFE.fullmatch(made)
    assert made == made.strip(" .")
    assert device_name(made) == made


def test_repeated_names_are_numbered_within_23_characters() -> None:
    long = "abcdefghijklmnopqrstuvwxyz"
    assert device_names(["Kick", "kick", "Snare", "KICK", long, long]) == [
        "Kick", "kick 2", "Snare", "KICK 3", long[:23], f"{long[:21]} 2",
    ]  # fmt: skip


def test_a_number_is_not_given_twice() -> None:
    assert device_names(["Kick 2", "Kick", "Kick"]) == ["Kick 2", "Kick", "Kick 3"]


@given(st.lists(st.sampled_from(["Kick", "kick", "Kick 2", "a" * 23, "a" * 30, "日本", ""])))
def test_names_of_a_folder_are_different_whatever_their_case(given_names: list[str]) -> None:
    made = device_names(given_names)
    assert len({name.lower() for name in made}) == len(given_names)
    assert all(map(SAFE.fullmatch, made))
