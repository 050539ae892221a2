"""Places on the map: near for sounds that are alike, always on the map, the same each time."""

import numpy as np
import pytest

from sp404_app.audio.similarity.embedding import DIMENSIONS, VECTOR_PARTS
from sp404_app.audio.similarity.sound_map import place_on_map


def embedding(seed: int) -> np.ndarray:
    """Return an embedding with parts of unit length."""
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=DIMENSIONS).astype(np.float32)
    for cut, _ in VECTOR_PARTS.values():
        vector[cut] /= np.linalg.norm(vector[cut])
    return vector


@pytest.mark.parametrize("vector", [*map(embedding, range(20)), np.zeros(DIMENSIONS, np.float32)])
def test_every_sound_has_a_place_on_the_map(vector: np.ndarray) -> None:
    x, y = place_on_map(vector)
    assert 0 <= x <= 1
    assert 0 <= y <= 1
    assert place_on_map(vector.copy()) == (x, y)


def test_sounds_that_are_alike_are_near_each_other() -> None:
    places = np.array([place_on_map(embedding(seed)) for seed in range(60)])
    nudged = [place_on_map(embedding(seed) + 0.01 * embedding(seed + 1000)) for seed in range(60)]
    moved = np.linalg.norm(places - np.array(nudged), axis=1)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2).mean()
    assert moved.max() < 0.1 * apart
