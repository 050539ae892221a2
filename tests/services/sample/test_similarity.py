"""Similarity search in one user's library."""

import uuid
from collections.abc import Callable

import numpy as np
import pytest
from sqlmodel import Session

from sp404_app.audio.similarity import embedding as measure
from sp404_app.audio.similarity.embedding import DIMENSIONS, Aspect
from sp404_app.errors import NotFound
from sp404_app.models import Sample, SampleVector, User
from sp404_app.models import similarity as table
from sp404_app.models.columns import now
from sp404_app.services.sample import similarity


def vector(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)


@pytest.fixture
def heard(session: Session, user: User) -> Callable[..., Sample]:
    """Save a sample with a given vector."""

    def keep(values: np.ndarray, owner: User = user) -> Sample:
        name = uuid.uuid4().hex
        sample = Sample(
            user_id=owner.id,
            name=name,
            filename=name,
            storage_key=name,
            size=1,
            digest=name,
            format="WAV",
        )
        session.add(sample)
        session.flush()
        similarity.save_vector(session, owner.id, sample.id, values)
        return sample

    return keep


def test_the_table_has_the_dimensions_of_the_embedding() -> None:
    assert table.VECTOR_DIMENSIONS == DIMENSIONS


def test_results_are_nearest_first_with_the_distance_of_the_embedding(
    session: Session, user: User, heard: Callable[..., Sample]
) -> None:
    seed = vector(1)
    wanted = heard(seed)
    near, far = heard(seed + 0.1 * vector(2)), heard(vector(3))
    found = similarity.find_similar(session, user.id, wanted.id, 10)
    assert [alike.sample.id for alike in found] == [near.id, far.id]
    expected = measure.embedding_distance(seed, vector(3))
    assert found[1].distance == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("aspect", list(Aspect))
def test_an_old_pgvector_finds_the_same(
    session: Session,
    user: User,
    heard: Callable[..., Sample],
    monkeypatch: pytest.MonkeyPatch,
    aspect: Aspect,
) -> None:
    wanted, *_ = [heard(vector(seed)) for seed in range(1, 6)]
    expected = similarity.find_similar(session, user.id, wanted.id, 10, aspect)
    assert similarity.has_subvector(session)
    monkeypatch.setattr(similarity, "has_subvector", lambda _: False)  # before 0.7
    assert similarity.find_similar(session, user.id, wanted.id, 10, aspect) == expected


@pytest.mark.parametrize("aspect", list(Aspect))
def test_an_aspect_ignores_the_other_parts_of_the_vector(
    session: Session, user: User, heard: Callable[..., Sample], aspect: Aspect
) -> None:
    seed, other = vector(1), vector(9)
    wanted, twin = heard(seed), other.copy()
    parts = (
        measure.VECTOR_PARTS if aspect is Aspect.OVERALL else {aspect: measure.VECTOR_PARTS[aspect]}
    )
    for cut, _ in parts.values():
        twin[cut] = seed[cut]
    same, different = heard(twin), heard(other)
    found = similarity.find_similar(session, user.id, wanted.id, 10, aspect)
    assert [alike.sample.id for alike in found] == [same.id, different.id]
    assert found[0].distance == 0


def test_saving_a_vector_replaces_the_older_one(
    session: Session, user: User, heard: Callable[..., Sample]
) -> None:
    wanted, other = heard(vector(1)), heard(vector(2))
    similarity.save_vector(session, user.id, other.id, vector(1))
    assert [a.distance for a in similarity.find_similar(session, user.id, wanted.id, 10)] == [0]


def test_another_users_samples_are_never_found(
    session: Session, user: User, person: Callable[..., User], heard: Callable[..., Sample]
) -> None:
    stranger = person()
    mine, theirs = heard(vector(1)), heard(vector(1), stranger)
    assert similarity.find_similar(session, user.id, mine.id, 10) == []
    with pytest.raises(NotFound):
        similarity.find_similar(session, user.id, theirs.id, 10)


def test_trashed_samples_are_not_found(
    session: Session, user: User, heard: Callable[..., Sample]
) -> None:
    mine, gone = heard(vector(1)), heard(vector(1))
    gone.deleted_at = now()
    session.add(gone)
    session.flush()
    assert similarity.find_similar(session, user.id, mine.id, 10) == []


def test_vectors_of_another_engine_version_are_not_compared(
    session: Session, user: User, heard: Callable[..., Sample]
) -> None:
    mine, older = heard(vector(1)), heard(vector(1))
    session.get_one(SampleVector, older.id).engine_version = "0"
    session.flush()
    assert similarity.find_similar(session, user.id, mine.id, 10) == []
