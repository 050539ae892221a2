"""Find and replace in names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.errors import ValidationFailed
from sp404_app.services.bulk.replacement import MAX_RESULT_LENGTH, compile_replacement


@pytest.mark.parametrize(
    ("find", "replacement", "options", "name", "expected"),
    [
        ("kick", "Snare", {}, "Kick KICK kick", "Snare Snare Snare"),
        ("kick", "Snare", {"match_case": True}, "Kick kick", "Kick Snare"),
        (".", "!", {}, "a.b", "a!b"),
        ("a", r"\1", {}, "banana", r"b\1n\1n\1"),
        (r"(\w+) (\d+)", r"\2 \1", {"is_regex": True}, "Kick 04", "04 Kick"),
        (r"(?P<what>\w+) \d+", r"\g<what>!", {"is_regex": True}, "Kick 04", "Kick!"),
        (r"(x)?k", r"[\1]", {"is_regex": True, "match_case": True}, "Kk", "K[]"),
        (r"^", r"\\", {"is_regex": True}, "Kick", "\\Kick"),
        (r"ü+", "u", {"is_regex": True}, "Brüütal ÜX", "Brutal uX"),
        (r"x*", "-", {"is_regex": True}, "ab", "-a-b-"),
        ("🎛️", "", {}, "Knob🎛️ 1", "Knob 1"),
    ],
)
def test_all_matches_are_replaced(
    find: str, replacement: str, options: dict[str, bool], name: str, expected: str
) -> None:
    assert compile_replacement(find, replacement, **options)(name) == expected


@pytest.mark.parametrize(
    ("find", "replacement", "message"),
    [
        ("", "", "Enter a text to find."),
        ("(", "", "This pattern isn’t valid: missing ): ("),
        ("(?=a)", "", "This pattern isn’t valid"),
        (r"(a)\1", "", "This pattern isn’t valid"),
        ("a{1000}{1000}", "", "This pattern isn’t valid"),
        ("((a{100}){100}){100}", "", "This pattern isn’t valid"),
        ("a", r"\1", "The pattern has no group “1”."),
        ("a", r"\g<b>", "The pattern has no group “b”."),
        ("a", "\\", "After “\\”"),
        ("a", r"\q", "After “\\”"),
        ("a" * 401, "", "Use at most 400 characters."),
        ("a", "b" * 401, "Use at most 400 characters."),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(
    find: str, replacement: str, message: str
) -> None:
    with pytest.raises(ValidationFailed, match="^" + message[:20].replace("\\", r"\\")):
        compile_replacement(find, replacement, is_regex=True)


@pytest.mark.parametrize("bomb", ["(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){20}", "(x+x+)+y"])
def test_a_pattern_that_explodes_elsewhere_is_answered(bomb: str) -> None:
    replace = compile_replacement(bomb, "b", is_regex=True)
    assert replace("a" * 199 + "!") is not None
    assert replace("x" * 199 + "!") is not None


def test_a_result_that_grows_without_end_is_cut() -> None:
    replace = compile_replacement("(.*?)x*", r"\1\1\1\1" * 40, is_regex=True)
    assert len(replace("abc" * 66)) <= MAX_RESULT_LENGTH


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=60), st.booleans())
def test_any_pattern_is_used_or_refused(find: str, with_: str, name: str, is_regex: bool) -> None:
    clean = [each.encode("utf-8", "ignore").decode() for each in (find, with_, name)]
    try:
        replace = compile_replacement(clean[0], clean[1], is_regex=is_regex)
    except ValidationFailed:
        return
    assert isinstance(replace(clean[2]), str)
