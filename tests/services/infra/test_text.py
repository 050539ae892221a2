"""Names are cleaned, can be stored, and sort in natural order."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.services.infra import text as words

ANYTHING = st.text(st.characters(codec=None), max_size=60)


@given(ANYTHING)
def test_every_cleaned_name_can_be_shown_and_stored(text: str) -> None:
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
def test_valid_file_names_are_unchanged(name: str) -> None:
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
def test_a_file_name_loses_only_invalid_characters(name: str, kept: str) -> None:
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
def test_folder_parts_contain_no_path_traversal(text: str) -> None:
    parts = words.folder_parts(text)
    assert not {"", ".", ".."} & set(parts)
    assert all("/" not in part and "\\" not in part for part in parts)
    assert words.folder_parts("/".join(parts)) == parts


def test_characters_escaped_in_a_multipart_header_are_decoded() -> None:
    assert words.unescaped("12%22 a%0d%0Ab 50%25 100%") == '12" a\r\nb 50%25 100%'
    assert words.last_part("C:\\Kits\\kick.wav") == "kick.wav"
    assert words.last_part("Kits/kick.wav") == "kick.wav"


def test_long_file_names_keep_their_extension() -> None:
    assert words.file_name("x" * 300 + ".aiff").endswith(".aiff")
    assert len(words.file_name("x" * 300 + ".aiff")) == words.MAX_FILE_NAME
    assert words.file_name("Loop 120.5 bpm") == "Loop 120.5 bpm"
    assert words.file_name(".wav") == ".wav"
    assert words.file_name("x" * 300) == "x" * words.MAX_FILE_NAME


def test_every_unicode_character_can_be_in_a_name() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    words.fold(every)
    assert words.clean_text(every).count("\x00") == 0
    words.clean_text(every).encode()


@pytest.mark.parametrize(
    "ordered",
    [
        ["kick", "kick2", "kick10"],
        ["Kick 1", "kick_2", "KICK-3", "kick4", "Kick 010"],
        ["01 intro", "2 verse", "10 outro"],
        ["Apfel", "Äpfel", "Apfelkern", "Birne", "Zug"],
        ["Eva", "événement", "Evian"],
        ["Olaf", "Ørsted", "Otto"],
        ["loop 92.5", "loop 92.25", "loop 120"],
        ["!first", "_second", "1 third", "a", "z", "Ж", "太鼓"],
        ["strasse", "straße 2", "STRASSE 3"],
        ["take 9" + "9" * 30, "take 1" + "0" * 31],
        ["٢ two", "١٠ ten"],
    ],
)
def test_names_sort_in_natural_order(ordered: list[str]) -> None:
    assert sorted(ordered, key=words.sort_key) == ordered


@given(ANYTHING)
def test_every_name_has_a_short_sort_key_that_postgresql_can_store(text: str) -> None:
    name = words.clean_name(text)
    key = words.sort_key(name)
    assert key == words.sort_key(name)
    assert len(key.encode()) < 2600  # an index entry has at most 2,704 bytes
    assert "\x00" not in key


def test_the_longest_names_have_short_sort_keys() -> None:
    for piece in ("ﷺ", "9", "1 ", "🥁", "ΐ", "!", "㌀"):
        assert len(words.sort_key(words.clean_name(piece * 300)).encode()) < 2600
