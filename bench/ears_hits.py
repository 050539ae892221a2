"""Accuracy of the class of real drum hits, whole kits left out: `python -m bench.ears_hits`.

`--cache DIR` is the one of bench.train. SP404_SOUNDS names the folder of sounds; the hits are
looked for beside it. The kits are dealt into `FOLDS` folds; the weights of `class` are trained
again without the kits of the fold, on rendered sounds and on openly licensed kits.
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
    hits = load_or_make(cache, "hits", lambda: [train.sound_of_real(real) for real in known])
    made = load_or_make(cache, "rendered", train.measure_rendered)
    sounds = made + hits
    x = np.array([train.class_feature_row(sound) for sound in sounds])
    label = np.array([train.class_label(sound) for sound in sounds])
    real = np.arange(len(sounds)) >= len(made)
    kit = np.array(["" for _ in made] + [each.pack for each in known])
    usable = np.array([True] * len(made) + [each.is_open for each in known])
    found = np.full(len(sounds), -1)
    kits = np.random.default_rng(SEED).permutation(sorted({each.pack for each in known}))
    for fold in range(FOLDS):
        out = np.isin(kit, kits[fold::FOLDS])
        model = train.fit_class(x[usable & ~out], label[usable & ~out], real[usable & ~out])
        found[out] = model(x[out]).argmax(axis=1)
    right = (found == label)[real]
    print("| hits | correct |\n|---|---|")
    print(f"| all, {len(kits)} kits | {format_percent(right)} |")
    print(f"| of the kits that are never trained on | {format_percent(right[~usable[real]])} |")
    for number in sorted(set(label[real])):
        recall = format_percent(right[label[real] == number])
        print(f"| {sound_class.CLASSES[number].value} | {recall} |")


if __name__ == "__main__":
    main()
