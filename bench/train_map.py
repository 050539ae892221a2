"""Train the places of sounds on the map: `python -m bench.train_map [--cache DIR]`.

t-SNE (van der Maaten & Hinton 2008) lays out the embeddings of rendered and openly licensed real
sounds in two dimensions; a small net learns to place a sound where t-SNE put it (parametric t-SNE,
van der Maaten 2009). So the place of a sound depends on that sound alone: the map stays as it is
when sounds are added. Run it again when `bench/train.py` changed the embedding.

It prints the trustworthiness (Venna & Kaski 2001; 1 is best) of real sounds that were left out,
beside that of the first two principal components.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neural_network import MLPRegressor

from bench import train
from bench.ears_sounds import read_hits
from bench.train_cache import load_or_make
from bench.train_save import save_weights
from sp404_app.audio.model_weights import Linear, Net
from sp404_app.audio.similarity import embedding, sound_map

Array = npt.NDArray[np.float32]

SEED, UNITS, NEIGHBOURS = 404, 128, 10
PERPLEXITY = 40.0
EDGE_SHARE = 0.5  # per cent of the sounds that lie beyond each edge, and are moved onto it


def embed(sounds: list[train.Sound]) -> Array:
    """Return the embeddings, scaled by the weights of their parts."""
    rows = [embedding.embed_sound(each.mels, each.env, each.chroma) for each in sounds]
    return embedding.apply_part_weights(np.array(rows, np.float32))


def lay_out(vectors: Array) -> Array:
    """Return a place in 0..1, 0..1 for each vector."""
    places = TSNE(2, perplexity=PERPLEXITY, init="pca", random_state=SEED).fit_transform(vectors)
    low, high = np.percentile(places, [EDGE_SHARE, 100 - EDGE_SHARE], axis=0)
    return np.clip((places - low) / (high - low), 0, 1).astype(np.float32)


def fit_net(vectors: Array, places: Array) -> Net:
    """Fit the net that places vectors."""
    # Not standardised: the dimensions of the embedding are weighted already.
    centre, spread = places.mean(axis=0), places.std(axis=0)
    fitted = MLPRegressor(
        hidden_layer_sizes=(UNITS,), activation="tanh", alpha=1e-3, max_iter=2000, random_state=SEED
    ).fit(vectors, (places - centre) / spread)
    (hidden, out), (offset, bias) = fitted.coefs_, fitted.intercepts_
    size = vectors.shape[1]
    linear = Linear(np.zeros(size), np.ones(size), np.zeros((size, 2)), bias * spread + centre)
    return Net(linear, hidden, offset, out * spread)


def report(name: str, vectors: Array, places: Array) -> None:
    """Print how many of the neighbours on the map are neighbours in sound."""
    print(f"{name:36} {trustworthiness(vectors, places, n_neighbors=NEIGHBOURS):.3f}")


def main() -> None:
    """Train, save the weights, and print how well left-out sounds are placed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path, help="that of bench.train")
    cache = options.parse_args().cache
    made = load_or_make(cache, "rendered", train.measure_rendered)
    open_hits = load_or_make(cache, "open_hits", train.measure_open_hits)
    vectors = embed(made + open_hits)
    net = fit_net(vectors, lay_out(vectors))
    provenance = f"{len(made)} rendered sounds, {len(open_hits)} openly licensed hits, seed {SEED}"
    features = [f"embedding {number}" for number in range(embedding.DIMENSIONS)]
    save_weights(sound_map.WEIGHTS, provenance, features, net)
    closed = [train.sound_of_real(each) for each in read_hits() if not each.is_open]
    for name, sounds in (("real hits, left out", closed), ("rendered and open, trained on", made)):
        rows = embed(sounds)
        report(f"{name} (n={len(rows)}), map", rows, net(rows))
        report(f"{name}, two principal components", rows, PCA(2).fit(vectors).transform(rows))


if __name__ == "__main__":
    main()
