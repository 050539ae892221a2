"""Search words of names, and the tsquery of a search text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.services.library import key_words, search_terms

ANYTHING = st.text(st.characters(codec=None), max_size=60)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dusty_Break90bpm.wav", "dusty break90bpm break 90 bpm wav"),
        ("KickHard", "kickhard kick hard"),
        ("Ärger-Schläge", "arger schlage"),
        ("STRASSE Straße", "strasse"),
        ("Ørsted Łódź", "orsted lodz"),
        ("太鼓 01", "太鼓 01 1"),
        ("a_b-c.d/e", "a b c d e"),
        ("Snare02", "snare02 snare 02 2"),
        ("000", "000 0"),
        ("Pad F#m", "keyfsharpminor pad f m"),
        ("Pad C#", "keycsharp pad c"),
        ("Pad E♭ major", "keydsharpmajor pad eb major"),
        ("I am bb", "i am bb"),
        ("  ", ""),
        ("Kick kick KICK", "kick"),
    ],
)
def test_names_are_split_into_search_words(text: str, found: str) -> None:
    assert search_terms.search_words(text) == found


def test_word_text_and_query_lengths_are_bounded() -> None:
    assert len(search_terms.search_words("x" * 10_000)) == search_terms.MAX_WORD_LENGTH
    assert (
        len(search_terms.search_words(" ".join(map(str, range(5000)))))
        <= search_terms.MAX_TEXT_LENGTH
    )
    wanted, unwanted = search_terms.parse_terms("㌀" * 10_000 + " -" + "y" * 10_000)
    assert all(len(term.text) <= search_terms.MAX_WORD_LENGTH for term in wanted + unwanted)
    assert len(search_terms.parse_terms("a " * 5000)[0]) == search_terms.MAX_TERMS
    assert len(search_terms.build_tsquery("1a" * 300)) < 3000


def parsed(query: str) -> tuple[list[str], list[str]]:
    wanted, unwanted = search_terms.parse_terms(query)
    return [term.text for term in wanted], [term.text for term in unwanted]


@given(ANYTHING)
def test_every_indexed_word_is_parsed_as_one_term(text: str) -> None:
    for word in search_terms.search_words(text).split()[: search_terms.MAX_TERMS]:
        assert parsed(word) == ([word], [])


@pytest.mark.parametrize(
    ("query", "wanted", "unwanted"),
    [
        ("kick -loud", ["kick"], ["loud"]),
        ("-", [], []),
        ("♭", [], []),
        ("a & b | !c <-> (d:*) '\"\\", ["a", "b", "c", "d"], []),
        ("\x00kick\ud800", ["kick"], []),
        ("--x", [], ["x"]),
        ("", [], []),
        ("!!! ### ---", [], []),
        ("pad C# -F#m", ["pad", "C#"], ["F#m"]),
        ("a minor pad", ["a minor", "pad"], []),
        ("Amen am", ["amen", "am"], []),
    ],
)
def test_a_query_is_parsed_into_included_and_excluded_terms(
    query: str, wanted: list[str], unwanted: list[str]
) -> None:
    assert parsed(query) == (wanted, unwanted)


@pytest.mark.parametrize(
    ("query", "tsquery"),
    [
        ("rain", "(rain:*)"),
        ('"90bpm"', "(90bpm:* | ((90) & (bpm:*)))"),
        ("02", "(02:* | 2)"),
        ("808kick.wav", "(808kick:* | ((808) & (kick:* | bassdrum:* | bd:* | kik:*)))"),
        ("DustyBreak", "(dustybreak:* | ((dusty) & (break:* | breakbeat:* | breaks:*)))"),
        ("C#", "(keycsharp | keycsharpmajor | keycsharpminor)"),
        ("F#m", "(keyfsharpminor)"),
        ("Db minor", "(keycsharpminor)"),
        ("B flat maj", "(keyasharpmajor)"),
        ("Am", "(keyaminor | am:*)"),
        ("Bb", "(keyasharp | keyasharpmajor | keyasharpminor | bb:*)"),
        ("am", "(am:*)"),
        ("-c#", "!(keycsharp | keycsharpmajor | keycsharpminor)"),
        ("C#4", "(c:*) & (4:* | 4)"),
    ],
)
def test_numbers_keys_and_synonyms_are_expanded_in_the_tsquery(query: str, tsquery: str) -> None:
    assert search_terms.build_tsquery(query) == tsquery


@pytest.mark.parametrize("key", KEYS)
def test_every_key_name_matches_its_search_words(key: str) -> None:
    (term,) = search_terms.parse_terms(key)[0]
    word, mode, code = key_words.key_search_words(key).split()
    assert word in term.tsquery
    assert mode == key.split()[1]
    assert code[-1] in "ab"
    assert key_words.key_search_words(None) == ""


def test_synonyms_of_a_word_are_listed() -> None:
    assert search_terms.list_synonyms("bd") == ["bd", "bassdrum", "kick", "kik"]
    assert search_terms.list_synonyms("rain") == ["rain"]


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
def test_words_within_one_or_two_edits_are_similar(typed: str, found: list[str]) -> None:
    assert search_terms.similar_words(typed, ["snare", "kick", "breakbeat", "xz", "rim"]) == found
