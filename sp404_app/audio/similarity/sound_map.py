"""Places of sounds on a map, where similar sounds are near each other."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.model_weights import Net
from sp404_app.audio.similarity.embedding import apply_part_weights

WEIGHTS: Final = "map"


@lru_cache(maxsize=1)
def map_net() -> Net:
    """Load the net that `bench/train_map.py` fitted."""
    return Net.load(WEIGHTS)


def place_on_map(vector: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return the place (x, y), each in 0..1, of an embedding (64,).

    It depends on nothing but the embedding, so the map does not move when sounds are added
    (parametric t-SNE, van der Maaten 2009).
    """
    x, y = np.clip(map_net()(apply_part_weights(vector)), 0, 1)
    return round(float(x), 4), round(float(y), 4)
