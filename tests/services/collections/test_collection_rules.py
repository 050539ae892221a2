"""Rules of smart collections: what each term matches, and what is refused."""

import datetime as dt
import itertools
import string
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.errors import AppError, NotFound, ValidationFailed
from sp404_app.models import Collection, Sample, User
from sp404_app.models.columns import now, uuid7
from sp404_app.models.sample import FITS_FILTER_INDEX
from sp404_app.services.collections import (
    collection_samples,
    collection_totals,
    collections,
)
from sp404_app.services.collections.collection_totals import Totals
from sp404_app.services.library import samples, search
from sp404_app.services.library.collection_rules import (
    MAX_TERMS,
    OPERATORS,
    parse_rules,
    rules_to_json,
)
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.sample import similarity
from tests.services.collections.conftest import Add

Rules = dict[str, Any]
GREEK, THAI = "αβγδεζηθικλμνξοπρστυφχψω", "กขคงจฉชซฌญฎฏฐฑฒณ"


def term(field: str, op: str, value: object) -> Rules:
    return {"field": field, "op": op, "value": value}


def group(match: str, *terms: Rules) -> Rules:
    return {"match": match, "terms": list(terms)}


def like(*ids: uuid.UUID, distance: float = 0.3) -> Rules:
    return term("like", "near", {"sample_ids": list(map(str, ids)), "max_distance": distance})


def matching(session: Session, user: User, rules: Rules) -> list[str]:
    """Return the names of the samples that rules match, checked in three ways."""
    made = collections.create_collection(session, user.id, name="Smart", rules=rules)
    query = SampleQuery(collection=made.id, sort="name")
    rows = search.search_page(session, user.id, query, "", 200).rows
    assert collections.count_matching(session, user.id, rules) == len(rows)
    assert collections.get_summary(session, user.id, made.id).count == len(rows)
    listed = collection_samples.list_sample_ids(session, user.id, made.id)
    assert set(listed) == {row.id for row in rows}
    seconds = sum(row.duration or 0 for row in rows)
    totals = collection_totals.measure_collection(session, user.id, made.id)
    assert totals == Totals(len(rows), seconds)
    return [row.name for row in rows]


def id_of(moment: dt.datetime) -> uuid.UUID:
    """Return an id of a row that was created at a moment."""
    milliseconds = int(moment.timestamp() * 1000)
    return uuid.UUID(int=milliseconds << 80 | uuid7().int & (1 << 80) - 1)


@pytest.fixture(params=[10_000, 0], ids=str)
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count in both ways: in one index, and with too many samples beside it."""
    monkeypatch.setattr(collection_totals, "MAX_EXCEEDING", request.param)


@pytest.fixture
def library(session: Session, user: User, add: Add) -> None:
    """Three samples that differ in every field."""
    add(
        "Kick", bpm=90.0, key="A minor", kind="one_shot", sound_class="kick", tags=["drums"],
        duration=0.5, favourite=True, rating=5, status="ready",
    )  # fmt: skip
    add(
        "Loop", bpm=120.0, key="C major", kind="loop", sound_class="break", tags=["drums", "live"],
        duration=4.0, rating=3, status="ready", id=id_of(now() - dt.timedelta(days=40)),
    )  # fmt: skip
    add("Raw", status="queued")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (term("q", "matches", "kick"), ["Kick"]),
        (term("q", "matches", "-kick"), ["Loop", "Raw"]),
        (term("bpm", "between", [80, 100]), ["Kick"]),
        (term("bpm", "at_least", 90), ["Kick", "Loop"]),
        (term("bpm", "at_most", 90.0), ["Kick"]),
        (term("key", "is", "A minor"), ["Kick"]),
        (term("key", "is_not", "A minor"), ["Loop", "Raw"]),
        (term("key", "any_of", ["A minor", "C major"]), ["Kick", "Loop"]),
        (term("compatible_key", "is", "C major"), ["Kick", "Loop"]),
        (term("kind", "is", "loop"), ["Loop"]),
        (term("sound_class", "any_of", ["kick", "snare"]), ["Kick"]),
        (term("tag", "all_of", ["drums", "live"]), ["Loop"]),
        (term("tag", "any_of", ["live", "drums"]), ["Kick", "Loop"]),
        (term("tag", "none_of", ["live"]), ["Kick", "Raw"]),
        (term("duration", "at_least", 1), ["Loop"]),
        (term("favourite", "is", True), ["Kick"]),
        (term("favourite", "is", False), ["Loop", "Raw"]),
        (term("rating", "is", 0), ["Raw"]),
        (term("rating", "between", [3, 5]), ["Kick", "Loop"]),
        (term("status", "is_not", "ready"), ["Raw"]),
        (term("added", "within_days", 30), ["Kick", "Raw"]),
        (term("added", "before_days", 30), ["Loop"]),
        (term("added", "since", "2000-01-01"), ["Kick", "Loop", "Raw"]),
        (term("added", "before", "2000-01-01"), []),
        (term("copies", "is", False), ["Kick", "Loop", "Raw"]),
        (term("copies", "is", True), []),
    ],
    ids=str,
)
def test_a_term_matches(session: Session, user: User, rule: Rules, expected: list[str]) -> None:
    assert matching(session, user, group("all", rule)) == expected


@pytest.mark.usefixtures("library", "limits")
def test_terms_are_combined_and_nested(session: Session, user: User) -> None:
    kick, loud = term("q", "matches", "kick"), term("rating", "at_least", 5)
    live, raw = term("tag", "any_of", ["live"]), term("status", "is", "queued")
    assert matching(session, user, group("all", kick, live)) == []
    assert matching(session, user, group("any", kick, live)) == ["Kick", "Loop"]
    assert matching(session, user, group("any", raw, group("all", kick, loud))) == ["Kick", "Raw"]
    drums = term("tag", "any_of", ["drums"])
    assert matching(session, user, group("all", drums, group("any", live, raw))) == ["Loop"]


@pytest.mark.usefixtures("limits")
def test_samples_with_long_texts_or_many_tags_are_counted(
    session: Session, user: User, add: Add
) -> None:
    add("Short kick", rating=5)
    add("Long kick", note="word " * 100)
    add("Tagged kick", tags=[f"tag{n}" for n in range(7)])
    add("Other", note="word " * 100)
    rules = group("any", term("q", "matches", "kick"), term("rating", "is", 5))
    assert len(matching(session, user, rules)) == 3
    excluded = group("all", term("tag", "none_of", ["tag3"]))
    assert len(matching(session, user, excluded)) == 3


@pytest.mark.parametrize("alphabet", [string.ascii_lowercase, GREEK, THAI])
def test_the_longest_values_of_the_index_of_filters_are_stored(
    session: Session, add: Add, alphabet: str
) -> None:
    words = map("".join, itertools.product(alphabet, repeat=2))
    text = ""
    for word in words:
        text = f"{text} {word}" if len(f"{text} {word}".encode()) <= 200 else text
    tags = [f"{chr(0x1F600 + n)}" * 30 + f"{chr(0x1F640 + n)}" * 30 for n in range(6)]
    sample = session.get_one(Sample, add("A", tags=tags))
    sample.search_text = text
    session.flush()
    fits = select(Sample.id).where(FITS_FILTER_INDEX)
    assert session.exec(fits).all() == [sample.id]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("match", "op", "expected"),
    [
        ("all", "any_of", ["Loop"]),
        ("any", "any_of", ["Kick", "Loop"]),
        ("all", "all_of", ["Loop"]),
        ("any", "all_of", ["Kick", "Loop"]),
        ("all", "none_of", ["Raw"]),
        ("any", "none_of", ["Kick", "Raw"]),
    ],
)
def test_several_terms_about_tags(
    session: Session, user: User, match: str, op: str, expected: list[str]
) -> None:
    rules = group(match, term("tag", op, ["drums"]), term("tag", op, ["live"]))
    assert matching(session, user, rules) == expected
    named = group(match, *rules["terms"], term("q", "matches", "zzz"))
    assert matching(session, user, named) == (expected if match == "any" else [])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("kick", "raw"), ["Kick", "Raw"]),
        (("kick raw", "loop", "zzz"), ["Loop"]),  # words of one text must all match
        (("kick", "Am zzz", "-kick loop"), ["Kick", "Loop"]),  # excludes words: compares names
        (("zzz", "..."), []),
    ],
)
def test_several_texts_of_which_one_is_enough(
    session: Session, user: User, texts: tuple[str, ...], expected: list[str]
) -> None:
    terms = [term("q", "matches", text) for text in texts]
    assert matching(session, user, group("any", *terms)) == expected
    assert matching(session, user, group("all", group("any", *terms))) == expected


@pytest.mark.usefixtures("library")
def test_tags_that_no_match_has_beside_other_terms(session: Session, user: User, add: Add) -> None:
    trashed = add("Gone", tags=["live"], status="ready")
    session.get_one(Sample, trashed).deleted_at = now()
    no_live = term("tag", "none_of", ["live", "unknown"])
    ready, drums = term("status", "is", "ready"), term("tag", "all_of", ["drums"])
    assert matching(session, user, group("all", ready, no_live)) == ["Kick"]
    assert matching(session, user, group("all", drums, no_live)) == ["Kick"]
    assert matching(session, user, group("all", term("q", "matches", "raw"), no_live)) == ["Raw"]
    assert matching(session, user, group("any", ready, no_live)) == ["Kick", "Loop", "Raw"]
    nested = group("all", no_live, group("any", ready, drums))
    assert matching(session, user, nested) == ["Kick"]


@pytest.mark.usefixtures("library")
def test_a_smart_collection_can_be_searched_and_sorted(session: Session, user: User) -> None:
    rules = group("all", term("tag", "any_of", ["drums"]))
    made = collections.create_collection(session, user.id, name="Drums", rules=rules)

    def found(**fields: Any) -> list[str]:
        query = SampleQuery(collection=made.id, **fields)
        return [row.name for row in search.search_window(session, user.id, query, 0, 10).rows]

    assert found(sort="-bpm") == ["Loop", "Kick"]
    assert found(kind="loop") == ["Loop"]
    assert found(sort="position") == found(sort="-created")


def test_samples_of_a_collection_match_until_it_is_deleted(
    session: Session, user: User, add: Add
) -> None:
    inside, _ = add("In"), add("Out")
    made = collections.create_collection(session, user.id, name="Set", sample_ids=[inside])
    rules = group("all", term("collection", "is", str(made.id)))
    others = group("all", term("collection", "is_not", str(made.id)))
    smart = collections.create_collection(session, user.id, name="Smart", rules=rules)
    assert matching(session, user, rules) == ["In"]
    assert matching(session, user, others) == ["Out"]
    for _ in range(2):  # to the trash, then permanently
        collections.delete_collection(session, user.id, made.id)
        assert collections.get_summary(session, user.id, smart.id).count == 0
    # Rules that were saved can still be changed.
    changed = group("any", rules["terms"][0], term("q", "matches", "out"))
    collections.update_collection(session, user.id, smart.id, rules=changed)
    assert collections.get_summary(session, user.id, smart.id).count == 1


def test_rules_cannot_name_a_smart_collection(session: Session, user: User) -> None:
    made = collections.create_collection(
        session, user.id, name="Smart", rules=group("all", term("favourite", "is", True))
    )
    with pytest.raises(ValidationFailed):
        collections.count_matching(
            session, user.id, group("all", term("collection", "is", str(made.id)))
        )


@pytest.fixture
def vector(session: Session, user: User) -> Callable[[uuid.UUID, float], None]:
    """Return a function that gives a sample a vector at an angle to the first axis."""

    def save(sample_id: uuid.UUID, angle: float, owner: uuid.UUID | None = None) -> None:
        values = np.zeros(DIMENSIONS, np.float32)
        values[:2] = np.cos(angle), np.sin(angle)
        similarity.save_vector(session, owner or user.id, sample_id, values)

    return save


def test_like_matches_what_similarity_search_finds_within_the_distance(
    session: Session, user: User, add: Add, vector: Callable[[uuid.UUID, float], None]
) -> None:
    ids = [add(name) for name in "ABCDE"]
    for number, sample_id in enumerate(ids):
        vector(sample_id, number * 0.4)
    add("Not analysed")
    for distance in (0.0, 0.01, 0.05, 0.2, 1.0):
        near = similarity.find_similar(session, user.id, ids[0], 10)
        expected = ["A", *(each.sample.name for each in near if each.distance <= distance)]
        assert matching(session, user, group("all", like(ids[0], distance=distance))) == expected
    two = group("all", like(ids[0], ids[4], distance=0.05))
    assert matching(session, user, two) == ["A", "B", "D", "E"]


def test_like_matches_nothing_once_its_sample_is_gone(
    session: Session, user: User, add: Add, vector: Callable[[uuid.UUID, float], None]
) -> None:
    first, second = add("A"), add("B")
    for sample_id in (first, second):
        vector(sample_id, 0.0)
    smart = collections.create_collection(
        session, user.id, name="Alike", rules=group("all", like(first))
    )
    session.commit()
    assert collections.get_summary(session, user.id, smart.id).count == 2
    samples.delete_samples(session, user.id, [first])
    assert collections.get_summary(session, user.id, smart.id).count == 0
    samples.delete_for_good(session, user.id, [first])
    assert collections.get_summary(session, user.id, smart.id).count == 0


def test_names_of_other_users_rows_are_unknown(
    session: Session, user: User, person: Callable[..., User], add: Add
) -> None:
    other = person().id
    theirs = add("Theirs", owner=other)
    made = collections.create_collection(session, other, name="Set", sample_ids=[theirs])
    for rule in (
        like(theirs),
        like(add("Mine"), theirs),
        term("collection", "is", str(made.id)),
        group("any", like(theirs)),
    ):
        with pytest.raises(NotFound):
            collections.create_collection(session, user.id, name="x", rules=group("all", rule))


def test_stored_rules_reach_no_rows_of_other_users(
    session: Session,
    user: User,
    person: Callable[..., User],
    add: Add,
    vector: Callable[..., None],
) -> None:
    other = person().id
    theirs, mine = add("Theirs", owner=other), add("Mine")
    vector(theirs, 0.0, other)
    vector(mine, 0.0)
    made = collections.create_collection(session, other, name="Set", sample_ids=[theirs])
    rules = group("any", like(theirs), term("collection", "is", str(made.id)))
    # Written past the check of the references.
    smart = Collection(user_id=user.id, name="Smart", rules=rules)
    session.add(smart)
    session.flush()
    assert collection_samples.list_sample_ids(session, user.id, smart.id) == []


WORD = term("q", "matches", "kick")
DEEP = group("all", group("any", group("all", WORD)))


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        (None, "rules"),
        ([], "rules"),
        ("all", "rules"),
        ({}, "rules"),
        (group("some", WORD), "rules.match"),
        (group("all") | {"terms": "x"}, "rules.terms"),
        (group("all"), "rules.terms"),
        (group("all", WORD) | {"extra": 1}, "rules"),
        (group("all", *[WORD] * (MAX_TERMS + 1)), "rules.terms"),
        (group("all", *[WORD] * 1000), "rules.terms"),
        (group("all", *[group("any", *[WORD] * 26)] * 2), "rules"),
        (DEEP, "rules.terms.0.terms.0"),
        (group("all", WORD, group("any")), "rules.terms.1.terms"),
        (group("all", {"field": "q", "op": "matches"}), "rules.terms.0"),
        (group("all", WORD | {"field": "password"}), "rules.terms.0.field"),
        (group("all", WORD | {"field": []}), "rules.terms.0.field"),
        (group("all", WORD | {"op": "is"}), "rules.terms.0.op"),
        (group("all", WORD | {"op": {}}), "rules.terms.0.op"),
        (group("all", term("q", "matches", " ")), "rules.terms.0.value"),
        (group("all", term("q", "matches", "x" * 401)), "rules.terms.0.value"),
        (group("all", term("bpm", "at_least", "90")), "rules.terms.0.value"),
        (group("all", term("bpm", "at_least", True)), "rules.terms.0.value"),
        (group("all", term("bpm", "at_least", float("nan"))), "rules.terms.0.value"),
        (group("all", term("bpm", "at_least", 10**400)), "rules.terms.0.value"),
        (group("all", term("bpm", "between", [100, 90])), "rules.terms.0.value"),
        (group("all", term("bpm", "between", [1, 2, 3])), "rules.terms.0.value"),
        (group("all", term("rating", "is", 2.5)), "rules.terms.0.value"),
        (group("all", term("key", "is", "H minor")), "rules.terms.0.value"),
        (group("all", term("tag", "any_of", [])), "rules.terms.0.value"),
        (group("all", term("tag", "any_of", ["x"] * 31)), "rules.terms.0.value"),
        (group("all", term("tag", "any_of", [["x"]])), "rules.terms.0.value"),
        (group("all", term("added", "since", "yesterday")), "rules.terms.0.value"),
        (group("all", term("added", "within_days", 0)), "rules.terms.0.value"),
        (group("all", term("collection", "is", "x")), "rules.terms.0.value"),
        (group("all", term("favourite", "is", 1)), "rules.terms.0.value"),
        (group("all", like()), "rules.terms.0.value"),
        (group("all", like(*[uuid.UUID(int=1)] * 6)), "rules.terms.0.value"),
        (group("all", like(uuid.UUID(int=1), distance=1.5)), "rules.terms.0.value"),
        (group("all", *[like(uuid.UUID(int=1), uuid.UUID(int=2))] * 3), "rules"),
    ],
)
def test_invalid_rules_are_refused_with_their_place(rules: object, place: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        parse_rules(rules)
    assert list(refusal.value.details) == [place]


def test_rules_nested_ten_thousand_times_are_refused() -> None:
    rules: Any = WORD
    for _ in range(10_000):
        rules = {"match": "all", "terms": [rules]}
    with pytest.raises(ValidationFailed):
        parse_rules(rules)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.uuids(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
TERMS = st.sampled_from([(field, op) for field, ops in OPERATORS.items() for op in ops]).flatmap(
    lambda known: st.builds(lambda value: term(*known, value), JSON)
)


@given(JSON | st.builds(group, st.sampled_from(["all", "any"]), TERMS))
def test_any_value_is_parsed_or_refused_and_survives_storage(rules: object) -> None:
    try:
        parsed = parse_rules(rules)
    except ValidationFailed:
        return
    assert parse_rules(rules_to_json(parsed)) == parsed


@pytest.mark.parametrize(
    "text", ["'; drop table samples; --", "%", "\\", ":name", "a & | b", "🥁", "é" * 400]
)
def test_no_text_breaks_the_statement(session: Session, user: User, add: Add, text: str) -> None:
    add("Kick")
    rules = group("any", term("q", "matches", text), term("tag", "any_of", [text[:60]]))
    try:
        assert collections.count_matching(session, user.id, rules) in {0, 1}
    except AppError as refusal:
        pytest.fail(str(refusal))
    assert session.exec(select(Sample.name)).all() == ["Kick"]
