"""Chips of the active filters: what they say, and what removing one leaves."""

import uuid
from dataclasses import fields, replace

import pytest

from sp404_app.errors import ValidationFailed
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.library.filter_chips import (
    chips_of,
    explain_empty_range,
    validate_chips,
    without_chip,
)
from sp404_app.state.library.search_params import EMPTY_QUERY, empty_query

EVERYTHING = SampleQuery(
    q="dark kick around 90",
    bpm_min=90,
    bpm_max=99.5,
    key="A minor",
    compatible_key="C major",
    kind="one_shot",
    sound_class="kick",
    tags=("a", "b"),
    duration_max=2,
    favourite=True,
    rating_min=3,
    status="waiting_for_quota",
    has_copies=True,
    sort="copies",
)


def test_each_limit_has_a_chip_that_says_it() -> None:
    assert [chip.text for chip in chips_of(EVERYTHING)] == [
        "dark: little treble for its class",
        "kick: named so, or of this class",
        "around 90: 86 to 94 BPM",
        "a",
        "b",
        "90–99.5 BPM",
        "up to 2 s",
        "A minor",
        "Fits C major",
        "kick",
        "monthly limit reached",
        "One-shots",
        "★★★ or more",
        "Favourites",
        "Has copies",
    ]
    assert chips_of(EMPTY_QUERY) == chips_of(empty_query(uuid.uuid4())) == []
    assert [chip.text for chip in chips_of(SampleQuery(bpm_min=90))] == ["from 90 BPM"]


def test_every_filter_of_a_search_has_a_chip() -> None:
    without = {"trash", "collection", "sort", "like", "weights", "q"}  # the order has its own
    for field in fields(SampleQuery):
        value = getattr(EVERYTHING, field.name) or 1.0
        if field.name not in without:
            assert chips_of(replace(EMPTY_QUERY, **{field.name: value})), field.name


def test_removing_all_chips_in_any_order_removes_all_limits() -> None:
    for chips in (chips_of(EVERYTHING), chips_of(EVERYTHING)[::-1]):
        query = EVERYTHING
        for chip in chips:
            query = without_chip(query, chip.group, chip.value)
        assert query == SampleQuery()


@pytest.mark.parametrize(
    "chips",
    [None, "tag", {}, [["tag"]], [["tag", "a", "b"]], ["ab"], [["tag", 1]], [["tag", "a"]] * 9],
    ids=repr,
)
def test_chips_that_are_no_short_list_of_pairs_are_refused(chips: object) -> None:
    with pytest.raises(ValidationFailed):
        validate_chips(chips)


def test_a_removed_chip_removes_nothing_else() -> None:
    left = without_chip(EVERYTHING, "tag", "a")
    assert left == replace(EVERYTHING, tags=("b",))
    assert without_chip(EVERYTHING, "tag", "unknown") == EVERYTHING


@pytest.mark.parametrize(
    ("group", "value"),
    [("filter", "q"), ("filter", "collection"), ("filter", ""), ("", "key"), ("nothing", "x")],
)
def test_an_unknown_chip_is_refused(group: str, value: str) -> None:
    with pytest.raises(ValidationFailed):
        without_chip(EVERYTHING, group, value)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (SampleQuery(bpm_min=90, bpm_max=90), ""),
        (SampleQuery(bpm_min=90), ""),
        (SampleQuery(bpm_max=0), ""),
        (SampleQuery(bpm_min=90, bpm_max=0), "No sound has 90 BPM or more and 0 BPM or less."),
        (
            SampleQuery(duration_min=2.5, duration_max=1),
            "No sound has 2.5 s or more and 1 s or less.",
        ),
    ],
)
def test_a_range_that_ends_before_it_begins_is_said(query: SampleQuery, reason: str) -> None:
    assert explain_empty_range(query) == reason
