"""Searches such as "like dusty break but faster"."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session

from sp404_app.models import Sample, User
from sp404_app.services.library import samples
from sp404_app.services.library.likeness_words import LikePhrase, find_likeness, parse_like
from sp404_app.services.library.search import SampleQuery


def save(session: Session, owner: User, name: str, **measured: float) -> uuid.UUID:
    sample = Sample(
        user_id=owner.id, name=name, filename=name, storage_key=uuid.uuid4().hex,
        size=1, digest=uuid.uuid4().hex, format="WAV", **measured,
    )  # fmt: skip
    samples.update_search_fields(sample)
    session.add(sample)
    session.flush()
    return sample.id


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("like dusty break", LikePhrase("dusty break")),
        (" Like Dusty Break, but FASTER ", LikePhrase("Dusty Break", ("faster",))),
        ("like dusty break but", LikePhrase("dusty break")),
        ("like pad but longer and a bit darker", LikePhrase("pad", ("longer",), "dark")),
        ("like rhodes but in Am around 90", LikePhrase("rhodes", (), "in Am around 90")),
        ("like x but slower, shorter, slower", None),
        ("like butter kick", LikePhrase("butter kick")),
        (
            "like rhodes but in A minor, a bit longer",
            LikePhrase("rhodes", ("longer",), "in A minor"),
        ),
        ("like İstanbul but faster", LikePhrase("İstanbul", ("faster",))),
        ("like", None),
        ("like ", None),
        ("likes kick", None),
        ("kick like snare", None),
        ('like "dusty break"', None),
        ("", None),
    ],
)
def test_a_phrase_is_parsed_into_a_name_limits_and_words(
    text: str, phrase: LikePhrase | None
) -> None:
    assert parse_like(text) == phrase


def test_the_best_name_is_compared_with_and_its_measurements_are_the_limits(
    session: Session, user: User
) -> None:
    save(session, user, "Very Dusty Break", bpm=80)
    dusty = save(session, user, "Dusty Break", bpm=92.04, duration=2.5)
    save(session, user, "Dusty Break two", bpm=100)
    for text, limits in (
        ("like dusty break", {}),
        ("like dusty break but faster", {"bpm_min": 92.1}),
        ("like dusty break but slower and longer", {"bpm_max": 91.9, "duration_min": 2.6}),
        ("like dusty break but shorter", {"duration_max": 2.4}),
    ):
        found = find_likeness(session, user.id, SampleQuery(), text)
        assert found is not None
        assert (found.sample_id, found.limits, found.words) == (dusty, limits, "")


def test_a_sound_without_a_measurement_sets_no_limit(session: Session, user: User) -> None:
    hit = save(session, user, "Rim", duration=0.04)
    found = find_likeness(session, user.id, SampleQuery(), "like rim but faster and shorter")
    assert found is not None
    assert (found.sample_id, found.limits) == (hit, {"duration_max": 0.0})


def test_plain_words_go_on_meaning_plain_words(
    session: Session, user: User, person: Callable[..., User]
) -> None:
    save(session, user, "Water")
    save(session, user, "Like Water")
    save(session, person(), "Fire")
    for text in ("like water", "like fire", "like nothing here", "water", "like zzzz"):
        assert find_likeness(session, user.id, SampleQuery(), text) is None, text


def test_the_exact_name_is_found_among_many_newer_ones(session: Session, user: User) -> None:
    kick = save(session, user, "Kick", bpm=90)
    for number in range(60):
        save(session, user, f"Kick {number} long", bpm=100)
    found = find_likeness(session, user.id, SampleQuery(), "like kick but faster")
    assert found is not None
    assert (found.sample_id, found.limits) == (kick, {"bpm_min": 90.1})


def test_names_are_compared_as_the_search_splits_them(session: Session, user: User) -> None:
    dusty = save(session, user, "Dusty_Break")
    save(session, user, "Dusty Break loop with a long name")
    found = find_likeness(session, user.id, SampleQuery(), "like dusty break")
    assert found is not None
    assert found.sample_id == dusty


def test_a_phrase_that_names_no_sound_is_a_plain_text(session: Session, user: User) -> None:
    save(session, user, "Pad", bpm=90)
    for text in ("like -kick", "like around 90", "like ---", "like pad -kick"):
        assert find_likeness(session, user.id, SampleQuery(), text) is None, text
