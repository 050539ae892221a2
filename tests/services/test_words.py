"""Names become words, whatever people type."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.services import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dusty_Break90bpm.wav", "dusty break90bpm break 90 bpm wav"),
        ("KickHard", "kick hard"),
        ("Ärger-Schläge", "arger schlage"),
        ("STRASSE Straße", "strasse"),
        ("太鼓 01", "太鼓 01"),
        ("a_b-c.d/e", "a b c d e"),
        ("  ", ""),
        ("Kick kick KICK", "kick"),
    ],
)
def test_names_are_split_where_people_would(text: str, found: str) -> None:
    assert words.words_of(text) == found


def test_what_would_break_the_index_is_bounded() -> None:
    assert len(words.words_of("x" * 10_000)) == words.MAX_WORD
    assert len(words.words_of(" ".join(map(str, range(5000))))) <= 4000
    wanted, unwanted = words.wanted_and_unwanted("㌀" * 10_000 + " -" + "y" * 10_000)
    assert all(len(word) <= words.MAX_WORD for word in wanted + unwanted)
    assert len(words.wanted_and_unwanted("a " * 5000)[0]) == words.MAX_TERMS


ANYTHING = st.text(st.characters(codec=None), max_size=60)


@given(ANYTHING)
def test_every_name_is_fit_to_be_shown_and_kept(text: str) -> None:
    for name in (words.clean_name(text), words.file_name(text)):
        assert name == name.strip() != ""
        assert len(name) <= words.MAX_NAME
        assert name.isprintable()
        name.encode()
    assert words.clean_name(words.clean_name(text)) == words.clean_name(text)


@given(ANYTHING)
def test_every_word_is_found_by_what_was_typed(text: str) -> None:
    known = set(words.words_of(text).split())
    wanted, unwanted = words.wanted_and_unwanted(text.replace("-", " "))
    assert unwanted == []
    for word in words.words_of(text).split()[: words.MAX_TERMS]:
        assert words.wanted_and_unwanted(word) == ([word], [])
    assert all(word in known or not word.isascii() or _is_joined(word, known) for word in wanted)


def _is_joined(word: str, known: set[str]) -> bool:
    """`KickHard` is kept as two words, and typed as one it finds its first part's prefix."""
    return any(word.startswith(part) for part in known)


@pytest.mark.parametrize(
    ("query", "wanted", "unwanted"),
    [
        ("kick -loud", ["kick"], ["loud"]),
        ("-", [], []),
        ("a & b | !c <-> (d:*) '\"\\", ["a", "b", "c", "d"], []),
        ("\x00kick\ud800", ["kick"], []),
        ("--x", [], ["x"]),
        ("", [], []),
    ],
)
def test_only_letters_and_digits_are_looked_for(
    query: str, wanted: list[str], unwanted: list[str]
) -> None:
    assert words.wanted_and_unwanted(query) == (wanted, unwanted)


def test_what_means_the_same_is_looked_for_too() -> None:
    assert words.alternatives("bd") == ["bd", "bassdrum", "kick", "kik"]
    assert words.alternatives("rain") == ["rain"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("snaer", ["snare"]),
        ("kickk", ["kick"]),
        ("xy", []),
        ("breakbaet", ["breakbeat"]),
        ("q", []),
    ],
)
def test_a_slip_of_the_finger_is_near(typed: str, found: list[str]) -> None:
    assert words.near(typed, ["snare", "kick", "breakbeat", "xz", "rim"]) == found


def test_long_file_names_keep_their_ending() -> None:
    assert words.file_name("x" * 300 + ".aiff").endswith(".aiff")
    assert len(words.file_name("x" * 300 + ".aiff")) == words.MAX_NAME
    assert words.file_name("Loop 120.5 bpm") == "Loop 120.5 bpm"
    assert words.file_name(".wav") == ".wav"
    assert words.file_name("x" * 300) == "x" * words.MAX_NAME


def test_every_character_there_is_can_be_in_a_name() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    words.fold(every)
    assert words.clean_text(every).count("\x00") == 0
    words.clean_text(every).encode()
