"""Similar sounds have nearby embeddings; altered versions of a sound are nearest."""

import numpy as np
import pytest
import soxr

from sp404_app.audio.features.analysis import analyse
from sp404_app.audio.similarity import embedding
from sp404_app.audio.similarity.embedding import (
    DIMENSIONS,
    Aspect,
    apply_part_weights,
    embedding_distance,
)
from sp404_app.audio.synth import drums
from tests.audio.conftest import RATE, sine


def vector(signal: np.ndarray, rate: int = RATE) -> np.ndarray:
    return analyse(signal.astype(np.float32), rate, duration=len(signal) / rate).likeness


@pytest.fixture(scope="module")
def hits() -> dict[str, list[np.ndarray]]:
    rng = np.random.default_rng(1)
    makers = {
        "kick": lambda: drums.kick(rng, rng.uniform(42, 65), rng.uniform(0.12, 0.3)),
        "snare": lambda: drums.snare(rng, rng.uniform(160, 230), rng.uniform(0.1, 0.2)),
        "hat": lambda: drums.hat(rng, rng.uniform(0.02, 0.05), rng.uniform(1.4, 1.9)),
    }
    return {name: [vector(make()) for _ in range(4)] for name, make in makers.items()}


def test_an_embedding_is_finite_and_of_fixed_size(hits: dict[str, list[np.ndarray]]) -> None:
    for vectors in hits.values():
        for found in vectors:
            assert found.shape == (DIMENSIONS,)
            assert found.dtype == np.float32
            assert np.isfinite(found).all()


@pytest.mark.parametrize("aspect", [Aspect.OVERALL, Aspect.TIMBRE])
def test_kicks_are_nearer_to_kicks_than_to_hats(
    hits: dict[str, list[np.ndarray]], aspect: Aspect
) -> None:
    inside = [embedding_distance(hits["kick"][0], other, aspect) for other in hits["kick"][1:]]
    across = [
        embedding_distance(hits["kick"][0], other, aspect) for other in hits["hat"] + hits["snare"]
    ]
    assert max(inside) < min(across)


def test_altered_versions_of_a_sound_are_nearest(hits: dict[str, list[np.ndarray]]) -> None:
    snare = drums.snare(np.random.default_rng(5), 200, 0.15)
    plain = vector(snare)
    altered = (
        vector(snare * 0.1),
        vector(soxr.resample(snare, RATE, 48_000), 48_000),
        vector(np.pad(snare, (3000, 20_000))),
        vector(-snare),
    )
    for other in altered:
        assert embedding_distance(plain, other) < 0.1
        assert embedding_distance(plain, other) < min(
            embedding_distance(plain, kick) for kick in hits["kick"]
        )


def test_the_distance_is_symmetric_and_0_for_equal_embeddings(
    hits: dict[str, list[np.ndarray]],
) -> None:
    one, other = hits["kick"][0], hits["snare"][0]
    for aspect in Aspect:
        assert embedding_distance(one, one, aspect) == pytest.approx(0.0, abs=1e-6)
        assert embedding_distance(one, other, aspect) == pytest.approx(
            embedding_distance(other, one, aspect)
        )
        assert 0 <= embedding_distance(one, other, aspect) <= 2


def test_l2_distance_of_weighted_embeddings_ranks_as_the_distance(
    hits: dict[str, list[np.ndarray]],
) -> None:
    everything = np.array([found for vectors in hits.values() for found in vectors])
    target = everything[0]
    for aspect in (Aspect.OVERALL, Aspect.TIMBRE, Aspect.ENVELOPE):
        scaled = apply_part_weights(everything, aspect)
        plain = np.linalg.norm(scaled - scaled[0], axis=1)
        gaps = [embedding_distance(target, other, aspect) for other in everything]
        assert np.argsort(plain).tolist() == np.argsort(gaps).tolist()


def test_the_pitch_aspect_matches_the_same_note_in_another_voice() -> None:
    def tone(hertz: float, falls: float) -> np.ndarray:
        return sum(sine(hertz * n, 1.0, 0.3 * falls**n) for n in range(1, 6))

    one, same, other = vector(tone(220, 0.8)), vector(tone(220, 0.3)), vector(tone(311, 0.8))
    assert embedding_distance(one, same, Aspect.PITCH) < embedding_distance(
        one, other, Aspect.PITCH
    )


def test_the_mel_patch_has_a_fixed_shape() -> None:
    for signal in (np.zeros(1), np.zeros(RATE), sine(440, 0.01), sine(440, 5.0)):
        assert embedding.mel_patch(signal.astype(np.float32), RATE).shape == (13, 40)
    assert embedding.mel_filter_bank(8000).shape == (513, 40)
    assert embedding.mel_filter_bank(8000).sum(axis=0) == pytest.approx(np.ones(40), abs=1e-4)
