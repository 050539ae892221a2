"""The order of a search by likeness to one sample: weights, cursors, windows and ownership."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session, update

from sp404_app.audio.similarity.embedding import DIMENSIONS, VECTOR_PARTS, embedding_distance
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Sample, SampleVector, User
from sp404_app.models.columns import now
from sp404_app.services.library import facets, map_points, samples, scrolling, search
from sp404_app.services.library.bulk_actions import parse_filter
from sp404_app.services.library.likeness_order import format_weights, parse_weights
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.library.search_order import LIKENESS_SORT
from sp404_app.services.sample import similarity

Heard = Callable[..., Sample]
PARTS = [cut for cut, _ in VECTOR_PARTS.values()]


def vector(seed: int) -> np.ndarray:
    """Return an embedding, each part of unit length."""
    values = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    for cut in PARTS:
        values[cut] /= np.linalg.norm(values[cut])
    return values


@pytest.fixture
def heard(session: Session, user: User) -> Heard:
    """Save a sample, with a vector if one is given."""

    def keep(name: str, values: np.ndarray | None = None, owner: User = user) -> Sample:
        sample = Sample(
            user_id=owner.id, name=name, filename=name, storage_key=uuid.uuid4().hex,
            size=1, digest=uuid.uuid4().hex, format="WAV",
        )  # fmt: skip
        samples.update_search_fields(sample)
        session.add(sample)
        session.flush()
        if values is not None:
            similarity.save_vector(session, owner.id, sample.id, values)
        return sample

    return keep


@pytest.fixture
def many(heard: Heard) -> list[Sample]:
    """Ten samples with vectors, two of them the same, and two that cannot be compared."""
    found = [heard(f"Kick {seed}", vector(seed)) for seed in range(9)]
    return [*found, heard("Kick twin", vector(0)), heard("New A"), heard("New B")]


def like(sample: Sample, **fields: Any) -> SampleQuery:
    return SampleQuery(sort=LIKENESS_SORT, like=sample.id, **fields)


def names(session: Session, user: User, query: SampleQuery) -> list[str]:
    return [row.name for row in search.search_window(session, user.id, query, 0, 100).rows]


@pytest.mark.parametrize("weights", [(), (100, 50, 0, 25), (0, 0, 100, 0), (3, 3, 3, 3)])
def test_the_sample_is_first_then_the_nearest_then_what_cannot_be_compared(
    session: Session, user: User, many: list[Sample], weights: tuple[int, ...]
) -> None:
    shares = dict(zip(VECTOR_PARTS, weights or (1,) * 4, strict=True))

    def distance(seed: int) -> float:
        return sum(
            share * VECTOR_PARTS[part][1] * embedding_distance(vector(0), vector(seed), part)
            for part, share in shares.items()
        )

    others = [f"Kick {seed}" for seed in sorted(range(1, 9), key=distance)]
    found = names(session, user, like(many[0], weights=weights))
    assert found == ["Kick 0", "Kick twin", *others, "New B", "New A"]


def test_equal_weights_have_the_order_of_similar_sounds(
    session: Session, user: User, many: list[Sample]
) -> None:
    near = [each.sample.name for each in similarity.find_similar(session, user.id, many[3].id, 20)]
    found = names(session, user, like(many[3]))
    near.remove("Kick twin")  # equally near as another one
    found.remove("Kick twin")
    assert found == ["Kick 3", *near, "New B", "New A"]


def test_before_its_analysis_the_sample_is_first_and_the_others_newest_first(
    session: Session, user: User, many: list[Sample]
) -> None:
    found = search.search_window(session, user.id, like(many[-2], weights=(1, 0, 0, 0)), 0, 100)
    rest = [sample.name for sample in many[::-1] if sample is not many[-2]]
    assert [row.name for row in found.rows] == ["New A", *rest]
    assert found.anchor is not None
    assert (found.anchor.name, found.anchor.vector) == ("New A", None)


def test_vectors_of_another_engine_version_are_not_compared(
    session: Session, user: User, many: list[Sample]
) -> None:
    old = [each.id for each in many[1:4]]
    session.execute(
        update(SampleVector)
        .where(SampleVector.sample_id.in_(old))  # type: ignore[attr-defined]
        .values(engine_version="before")
    )
    ends = ["New B", "New A", "Kick 3", "Kick 2", "Kick 1"]
    assert names(session, user, like(many[0]))[-5:] == ends
    assert names(session, user, like(many[1]))[0] == "Kick 1"


@pytest.mark.parametrize("weights", [(), (100, 50, 0, 25)])
@pytest.mark.parametrize("limit", [1, 3, 5])
def test_pages_by_cursor_and_windows_are_the_whole_order(
    session: Session, user: User, many: list[Sample], weights: tuple[int, ...], limit: int
) -> None:
    query = like(many[0], weights=weights)
    whole = search.search_ids(session, user.id, query)
    assert len(whole) == len(set(whole)) == len(many)
    assert search.search_packed_ids(session, user.id, query) == b"".join(i.bytes for i in whole)
    cursor, paged = "", []
    for _ in range(len(many)):
        page = search.search_page(session, user.id, query, cursor, limit)
        paged += [row.id for row in page.rows]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert paged == whole
    for start in range(0, len(many), 4):
        found = scrolling.scroll_window(session, user.id, query, start, 4, None)
        assert [row.id for row in found.rows] == whole[found.start : found.start + 4]
        assert found.anchor is not None
    assert scrolling.find_row(session, user.id, query, whole[7], None) == 7


def test_a_cursor_belongs_to_its_sample_and_weights(
    session: Session, user: User, many: list[Sample]
) -> None:
    query = like(many[0])
    cursor = search.search_page(session, user.id, query, "", 2).next_cursor or ""
    by_name = search.search_page(session, user.id, SampleQuery(sort="name"), "", 2).next_cursor
    for other, old in (
        (like(many[1]), cursor),
        (replace(query, weights=(1, 2, 3, 4)), cursor),
        (SampleQuery(sort="name"), cursor),
        (query, by_name or ""),
    ):
        with pytest.raises(ValidationFailed):
            search.search_page(session, user.id, other, old, 2)


def test_filters_search_and_trash_apply(session: Session, user: User, many: list[Sample]) -> None:
    assert names(session, user, like(many[0], q="twin")) == ["Kick twin"]
    assert names(session, user, like(many[0], q="kick 1")) == ["Kick 1"]
    corrected = search.search_window(session, user.id, like(many[0], q="kcik"), 0, 100)
    assert (corrected.corrected, corrected.total) == ("kick", 10)
    many[0].deleted_at = many[4].deleted_at = now()
    session.flush()
    assert names(session, user, like(many[0], trash=True)) == ["Kick 0", "Kick 4"]
    assert names(session, user, like(many[0]))[0] == "Kick twin"
    counts = facets.count_facets(session, user.id, like(many[1]))
    assert counts.values["status"] == {"queued": 10}
    assert map_points.load_map_points(session, user.id, like(many[1])).total == 0


def test_samples_of_others_are_neither_found_nor_compared(
    session: Session,
    user: User,
    person: Callable[..., User],
    heard: Heard,
    many: list[Sample],
) -> None:
    theirs = heard("Theirs", vector(0), person())
    assert "Theirs" not in names(session, user, like(many[0]))
    for anchor in (theirs.id, uuid.uuid4()):
        query = SampleQuery(sort=LIKENESS_SORT, like=anchor)
        for call in (
            lambda query=query: search.search_window(session, user.id, query, 0, 5),
            lambda query=query: search.search_page(session, user.id, query, "", 5),
            lambda query=query: search.search_ids(session, user.id, query),
            lambda query=query: scrolling.scroll_window(session, user.id, query, 0, 5, None),
            lambda query=query: facets.count_facets(session, user.id, query),
            lambda query=query: map_points.load_map_points(session, user.id, query),
        ):
            with pytest.raises(NotFound, match=r"^There is no such sample\.$"):
                call()


@pytest.mark.parametrize(
    "weights",
    [(1,), (1, 1, 1), (1,) * 5, (0, 0, 0, 0), (-1, 1, 1, 1), (101, 1, 1, 1), (10**400, 1, 1, 1),
     (1.5, 1, 1, 1), (float("nan"), 1, 1, 1), (True, 1, 1, 1), ("1", 1, 1, 1), (None,) * 4],
)  # fmt: skip
def test_faulty_weights_are_rejected(weights: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        SampleQuery(sort=LIKENESS_SORT, like=uuid.uuid4(), weights=weights)
    assert set(refused.value.details) == {"weights"}


@pytest.mark.parametrize(
    "text",
    ["", "1", "1,1,1", "1,1,1,1,1", "0,0,0,0", "-1,1,1,1", "101,1,1,1", "nan,1,1,1", "1e1,1,1,1",
     "1.0,1,1,1", " 1,1,1,1", "1,1,1,1\n", "٣,1,1,1", "0001,1,1,1", "1,,1,1", "9" * 5000],
)  # fmt: skip
def test_faulty_texts_of_weights_are_rejected(text: str) -> None:
    with pytest.raises(ValidationFailed):
        parse_weights(text)


def test_weights_are_written_as_they_are_read() -> None:
    assert format_weights(parse_weights("100,50,0,7")) == "100,50,0,7"
    assert format_weights(parse_weights("100,100,100,100")) == format_weights(()) == ""


def test_likeness_is_the_only_order_beside_a_sample() -> None:
    for faulty in (
        {"like": uuid.uuid4()},
        {"like": uuid.uuid4(), "sort": "name"},
        {"like": uuid.uuid4(), "sort": "-likeness"},
        {"sort": "likeness"},
        {"weights": (1, 1, 1, 1)},
    ):
        with pytest.raises(ValidationFailed):
            SampleQuery(**faulty)  # type: ignore[arg-type]


def test_a_bulk_filter_takes_a_sample_and_weights(
    session: Session, user: User, many: list[Sample]
) -> None:
    query = parse_filter({"like": str(many[0].id), "weights": [0, 0, 0, 9], "q": "kick"})
    assert query == like(many[0], weights=(0, 0, 0, 9), q="kick")
    assert search.search_ids(session, user.id, query)[0] == many[0].id
    for faulty in ([0, 0, 0, 0], [1], ["x", 1, 1, 1], "1,1,1,1", [float("nan"), 1, 1, 1]):
        with pytest.raises(ValidationFailed):
            parse_filter({"like": str(many[0].id), "weights": faulty})
