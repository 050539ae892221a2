"""Accuracy of the class of real drum hits, whole kits left out: `python -m bench.ears_hits`.

`--cache DIR` is the one of bench.train. SP404_SOUNDS names the folder of sounds; the hits are
looked for beside it. The kits are dealt into `FOLDS` folds; the weights of `class` are trained
again without the kits of the fold, on rendered sounds and on openly licensed kits with variations.
"""

import argparse
from pathlib import Path

import numpy as np

from bench import train
from bench.ears_score import format_percent
from bench.ears_sounds import read_hits
from bench.train_cache import load_or_make
from sp404_app.audio.features import sound_class

FOLDS, SEED = 5, 1


def main() -> None:
    """Print the accuracy over all classes, and the recall of each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path)
    cache = options.parse_args().cache
    known = list(read_hits())
    tested = load_or_make(cache, "hits", lambda: [train.sound_of_real(real) for real in known])
    hits = load_or_make(cache, "varied_hits", train.measure_open_hits)
    made = load_or_make(cache, "rendered", train.measure_rendered)
    x = np.array([train.class_feature_row(sound) for sound in made + hits])
    label = np.array([train.class_label(sound) for sound in made + hits])
    real = np.arange(len(x)) >= len(made)
    source = np.array(["" for _ in made] + [hit.group for hit in hits])
    tested_x = np.array([train.class_feature_row(sound) for sound in tested])
    truth = np.array([train.class_label(sound) for sound in tested])
    kit, is_open = np.array([each.pack for each in known]), np.array([r.is_open for r in known])
    found = np.full(len(tested), -1)
    kits = np.random.default_rng(SEED).permutation(sorted(set(kit)))
    for fold in range(FOLDS):
        kept = ~np.isin(source, kits[fold::FOLDS])
        out = np.isin(kit, kits[fold::FOLDS])
        model = train.fit_class(x[kept], label[kept], real[kept])
        found[out] = model(tested_x[out]).argmax(axis=1)
    right = found == truth
    print("| hits | correct |\n|---|---|")
    print(f"| all, {len(kits)} kits | {format_percent(right)} |")
    print(f"| of the kits that are never trained on | {format_percent(right[~is_open])} |")
    for number in sorted(set(truth)):
        recall = format_percent(right[truth == number])
        print(f"| {sound_class.CLASSES[number].value} | {recall} |")


if __name__ == "__main__":
    main()
