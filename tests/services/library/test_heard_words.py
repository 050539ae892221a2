"""Words of a search that mean measurements: "dark short kick around 90", and their chips."""

import pytest
from sqlmodel import Session

from sp404_app.audio.features.sound_words import Sounding, describe_sound
from sp404_app.models import Kind, User
from sp404_app.services.library import heard_words, search
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.library.search_terms import parse_terms
from tests.services.library.test_search import Add, add, names

__all__ = ["add"]  # a fixture


def test_measured_words_and_classes_find_sounds_with_other_names(
    session: Session, user: User, add: Add
) -> None:
    add("a", sound_words=["dark", "short"], sound_class="kick")
    add("b", sound_words=["dark"], sound_class="snare")
    add("c", sound_words=["bright"], sound_class="kick", tags=["dark"])
    add("Short story")
    assert names(session, user, q="dark kick") == ["a", "c"]
    assert names(session, user, q="muffled tight BD") == ["a"]
    assert names(session, user, q="short") == ["a", "Short story"]
    assert names(session, user, q="dark -snare") == ["a", "c"]
    assert names(session, user, q="-dark") == ["Short story"]


def test_a_word_in_quotes_means_only_itself(session: Session, user: User, add: Add) -> None:
    add("a", sound_words=["dark"], sound_class="kick")
    add("Dark Kick", sound_words=["bright"], sound_class="kick")
    assert names(session, user, q='"dark" kick') == ["Dark Kick"]
    assert names(session, user, q='"dark') == ["Dark Kick"]
    assert names(session, user, q='"bright"') == []
    assert names(session, user, q='kick "') == ["a", "Dark Kick"]


def test_a_pad_is_harmonic_and_soft_or_long(session: Session, user: User, add: Add) -> None:
    add("a", sound_words=["warm", "soft"], sound_class="chord")
    add("b", sound_words=["long"], sound_class="melodic loop", kind=Kind.LOOP)
    add("c", sound_words=["short", "punchy"], sound_class="chord")
    add("d", sound_words=["long"], sound_class="cymbal")
    add("Padded cell")
    assert names(session, user, q="pad") == ["a", "b", "Padded cell"]
    assert names(session, user, q="warm pads") == ["a"]
    assert names(session, user, q="-pad") == ["c", "d"]
    assert names(session, user, q='"pad"') == ["Padded cell"]


def test_closed_and_open_hats_differ_and_loops_are_found_by_kind(
    session: Session, user: User, add: Add
) -> None:
    add("a", sound_class="closed hat", kind=Kind.ONE_SHOT)
    add("b", sound_class="open hat", kind=Kind.ONE_SHOT)
    add("c", sound_class="melodic loop", kind=Kind.LOOP)
    add("d", sound_class="break", kind=Kind.LOOP)
    assert names(session, user, q="open hat") == ["b"]
    assert names(session, user, q="hats") == ["a", "b"]
    assert names(session, user, q="loop") == ["c", "d"]


def test_around_a_tempo_limits_it_and_in_a_key_finds_the_key(
    session: Session, user: User, add: Add
) -> None:
    add("a", bpm=92.0, key="A minor", sound_words=["warm"], sound_class="chord")
    add("b", bpm=120.0, key="A minor", sound_words=["warm"], sound_class="chord")
    add("Around 90")
    assert names(session, user, q="warm chord in Am around 90") == ["a"]
    assert names(session, user, q="around 120 bpm") == ["b"]
    assert names(session, user, q="~90") == ["a"]
    assert names(session, user, q='"around" 90') == ["Around 90"]
    assert names(session, user, q="-warm around 90") == []
    assert names(session, user, q="around 5") == []


def test_a_number_and_bpm_find_the_tempo_and_names_that_say_it(
    session: Session, user: User, add: Add
) -> None:
    add("a", bpm=88.3)
    add("b", bpm=88.6, tags=["dusty"])
    add("Old 88bpm take", bpm=132.0)
    add("c", bpm=88.0, tags=["dusty"])
    assert names(session, user, q="88 bpm") == names(session, user, q="88BPM")
    assert names(session, user, q="88 bpm") == ["a", "c", "Old 88bpm take"]
    assert names(session, user, q="dusty 88 bpm") == ["c"]
    assert names(session, user, q="88.6 bpm dusty") == ["b"]
    assert names(session, user, q='"88 bpm"') == ["Old 88bpm take"]
    assert names(session, user, q="-88bpm") == ["a", "b", "c"]
    assert names(session, user, q="5 bpm") == []
    add("880 Kick 120 bpm", bpm=120.0)
    add("Old 88bpm take two", bpm=140.0)
    assert names(session, user, q="88 bpm") == ["a", "c", "Old 88bpm take", "Old 88bpm take two"]
    assert names(session, user, q="Old 88bpm take.wav") == ["Old 88bpm take", "Old 88bpm take two"]
    assert names(session, user, q="Take 88 bpm.wav") == ["Old 88bpm take", "Old 88bpm take two"]


@pytest.mark.parametrize(
    "q", ["80-88.5 bpm", "bpm 80-88.5", "BPM80–88.5", "88.5-80bpm", "80-88.5bpm"]
)
def test_two_numbers_and_bpm_limit_the_tempo_and_find_names_that_say_them(
    session: Session, user: User, add: Add, q: str
) -> None:
    for name, bpm in (("a", 79.9), ("b", 80.0), ("c", 88.5), ("d", 88.6)):
        add(name, bpm=bpm, tags=["dusty"])
    add("Drums 80-88.5bpm", bpm=132.0)
    assert names(session, user, q=q) == ["b", "c", "Drums 80-88.5bpm"]
    assert names(session, user, q=f"dusty {q}") == ["b", "c"]
    (heard,) = heard_words.explain_words(f"{q} x")
    assert heard == heard_words.Heard(q, "80 to 88.5 BPM, or named so")
    assert heard_words.without_word(f"disco {q}", q) == "disco"


@pytest.mark.parametrize("q", ["10-90 bpm", "80-1000 bpm", "80-90", "bpm 80", "80 - 90", "1-2bpm"])
def test_other_numbers_are_words(q: str) -> None:
    assert heard_words.parse_tempo(q) is None


def test_a_tempo_stays_when_spelling_is_corrected(session: Session, user: User, add: Add) -> None:
    add("a", bpm=88.0, tags=["dusty"])
    add("b", bpm=90.0, tags=["dusty"])
    found = search.search_page(session, user.id, SampleQuery(q="dutsy 88 bpm"), "", 9)
    assert ([row.name for row in found.rows], found.corrected) == (["a"], "88 bpm dusty")


def test_the_words_of_a_sample_follow_its_class(session: Session, user: User, add: Add) -> None:
    for tokens, of in (
        ("zxdark zxkick", (["dark"], "kick", "one_shot")),
        ("zxmelodic zxloop", ([], "melodic loop", "loop")),
        ("zxbreak zxloop", ([], "break", "loop")),
        ("", ([], None, None)),
        ("", ([], "of an older engine", "one_shot")),
    ):
        assert heard_words.sample_tokens(*of) == tokens


def test_typing_the_first_letters_of_a_word_does_not_find_everything(
    session: Session, user: User, add: Add
) -> None:
    add("a", sound_words=["dark", "short"], sound_class="kick")
    for typed in ("d", "da", "s", "k", "i", "x"):
        assert names(session, user, q=typed) == []


def test_measured_words_are_never_taken_for_misspellings(
    session: Session, user: User, add: Add
) -> None:
    add("bark")
    assert names(session, user, q="dark") == []
    assert names(session, user, q="barc") == ["bark"]


def test_each_measured_word_has_a_meaning_and_can_be_measured() -> None:
    loud = Sounding("kick", False, 0.1, 100, 0.01, 0.001, 0.01, -5)
    quiet = Sounding("kick", False, 9, 9000, 0.9, 0.5, 5, -50)
    middle = Sounding("kick", False, 9, 700, 0.01, 0.5, 5, -50)
    measured = {word for each in (loud, quiet, middle) for word in describe_sound(each)}
    assert measured == set(heard_words.MEANINGS) == set(heard_words.SYNONYMS.values())


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("Dark short kick", ["Dark", "short", "kick"]),
        ("loops hats", ["loops", "hats"]),
        ("disco around 90 bpm", ["around 90 bpm"]),
        ("disco 88 bpm", ["88 bpm"]),
        ("disco 88bpm", ["88bpm"]),
        ("break_88bpm -90bpm 1234 bpm", []),
        ('"dark" disco', []),
        ('"very dark kick" hat', ["hat"]),
        ('"slow around 90 take"', []),
        ('"dark', []),
        ("-dark disco", []),
        ("dark dark", ["dark"]),
        ("warm pad in Am around 90", ["warm", "pad", "in Am", "around 90"]),
        ("F# minor loop", ["F# minor", "loop"]),
        ("am Abmaj7 -Am break_Am a", []),
        ('"in Am" disco', []),
        ("in 88 bpm Am", ["88 bpm", "Am"]),
        ('loop in "dusty" Am', ["loop", "Am"]),
        ('around "dusty" 90 dark"x"', ["dark"]),
        ("A\tsharp A\nflat A\u2028sharp", ["A\tsharp", "A\nflat", "A\u2028sharp"]),
        ("around 5 ~ about", []),
        ("", []),
    ],
)
def test_chips_name_the_words_that_are_measured(query: str, parts: list[str]) -> None:
    assert [each.text for each in heard_words.explain_words(query)] == parts


def test_a_removed_chip_removes_its_word() -> None:
    assert heard_words.without_word("dark short kick", "dark") == "short kick"
    found = heard_words.plain_words('Dusty dark kick "tape hiss" dusty 303 around 90')
    assert found == ["Dusty", "303"]
    assert heard_words.without_word("disco around 90 bpm", "around 90 bpm") == "disco"
    assert heard_words.without_word("disco 88 bpm", "88 bpm") == "disco"
    assert heard_words.without_word("warm disco in Am", "in Am") == "warm disco"
    assert heard_words.without_word("disco F# minor minor", "F# minor") == "disco minor"
    assert heard_words.without_word("Cm cm", "cm") == "Cm"
    assert heard_words.without_word('loop in "dusty" Am', "Am") == 'loop in "dusty"'
    assert heard_words.explain_words("123.456 bpm")[0].meaning.startswith("123.4555 to 123.4565")
    assert heard_words.plain_words("dusty disco F# minor tape in Am") == ["dusty", "disco", "tape"]
    assert [each.meaning for each in heard_words.explain_words("Am F#")] == [
        "A minor, or named so",
        "F# major or minor, or named so",
    ]
    assert heard_words.without_word("dark kick", "unknown") == "dark kick"
    assert heard_words.without_word("dark loop DARK", "dark") == "loop"
    quoted = '"very dark kick" dark around 90'
    assert heard_words.without_word(quoted, "dark") == '"very dark kick" around 90'
    assert heard_words.without_word(quoted, "around 90") == '"very dark kick" dark'
    assert heard_words.parse_tempo('"slow around 90 take"') is None
    assert heard_words.without_tempo('"around 80" x around 90') == '"around 80" x  '
    included, _ = parse_terms('"dark" short')
    assert [term.is_known for term in included] == [False, True]
