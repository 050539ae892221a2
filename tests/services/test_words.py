"""Names become words, whatever people type."""

import sys
import unicodedata

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
    shown, kept = words.clean_name(text), words.file_name(text)
    for name in (shown, kept):
        assert name == name.strip(words.BLANK) != ""
        assert not {unicodedata.category(c) for c in name if c not in words.JOINERS} & {
            "Cc", "Cf", "Cs", "Zl", "Zp",
        }  # fmt: skip
        name.encode()
    assert len(shown) <= words.MAX_NAME
    assert len(kept) <= words.MAX_FILE_NAME
    assert "/" not in kept
    assert words.clean_name(shown) == shown
    assert words.file_name(kept) == kept


@pytest.mark.parametrize(
    "name",
    [
        '12" break.wav', "100% wet.wav", "12%22 break.wav", "Äpfel.wav", "太鼓 01.wav", "कड़क.wav",
        "می\u200cخواهم.wav", "👩\u200d🎤 hook.wav", "a\\b.wav", "a;b='c'.wav", "<b>.wav", "C#.wav",
        "two  spaces.wav", ".wav", "Loop 92.5 BPM", "no extension", "a.b.c", "x" * 251 + ".wav",
        "\U0001fae9 new emoji.wav", "CON", "--help", "=1+1.wav",
    ],
)  # fmt: skip
def test_a_file_name_stays_as_it_is(name: str) -> None:
    assert words.file_name(name) == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (" kick.wav ", "kick.wav"),
        ("a\r\nb\tc.wav", "a b c.wav"),
        ("a\u202egpj.wav", "agpj.wav"),
        ("A\u0308pfel.wav", "Äpfel.wav"),
        ("folder/kick.wav", "kick.wav"),
        ("..", "untitled"),
        ("/", "untitled"),
        ("\u200d", "untitled"),
        ("", "untitled"),
    ],
)
def test_a_file_name_loses_only_what_cannot_be_kept(name: str, kept: str) -> None:
    assert words.file_name(name) == kept


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("Drums/Dusty Kit", ["Drums", "Dusty Kit"]),
        ("A:\\Samples\\Drums", ["Samples", "Drums"]),
        ("c:/Samples", ["Samples"]),
        ("\\\\nas\\share\\Drums", ["nas", "share", "Drums"]),
        ("\\\\?\\C:\\Drums", ["Drums"]),
        ("../Drums/./Kit", ["Drums", "Kit"]),
        ("Drums/../Kit", ["Kit"]),
        ("..", []),
        ("../..", []),
        ("/Drums//Kit/", ["Drums", "Kit"]),
        ("...", ["..."]),
        ("Side A: intro/x", ["Side A: intro", "x"]),
        (" \x00/\u202e/Drums", ["Drums"]),
        ("", []),
    ],
)
def test_a_path_is_split_into_its_folders(path: str, parts: list[str]) -> None:
    assert words.folder_parts(path) == parts


@given(ANYTHING)
def test_no_folder_leads_anywhere(text: str) -> None:
    parts = words.folder_parts(text)
    assert not {"", ".", ".."} & set(parts)
    assert all("/" not in part and "\\" not in part for part in parts)
    assert words.folder_parts("/".join(parts)) == parts


def test_what_a_multipart_header_escapes_is_put_back() -> None:
    assert words.unescaped("12%22 a%0d%0Ab 50%25 100%") == '12" a\r\nb 50%25 100%'
    assert words.last_part("C:\\Kits\\kick.wav") == "kick.wav"
    assert words.last_part("Kits/kick.wav") == "kick.wav"


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
    assert len(words.file_name("x" * 300 + ".aiff")) == words.MAX_FILE_NAME
    assert words.file_name("Loop 120.5 bpm") == "Loop 120.5 bpm"
    assert words.file_name(".wav") == ".wav"
    assert words.file_name("x" * 300) == "x" * words.MAX_FILE_NAME


def test_every_character_there_is_can_be_in_a_name() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    words.fold(every)
    assert words.clean_text(every).count("\x00") == 0
    words.clean_text(every).encode()
