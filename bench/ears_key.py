"""Accuracy and calibration of the key: `python -m bench.ears_key --cache DIR`.

Uses rendered music with another seed than training, and the real sounds whose key is known if
SP404_SOUNDS names their folder. Nothing that ranks the keys is fitted; the one fitted number, the
slope of the probabilities, is fitted again without the source in question. `--cache` is the one of
bench.train.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt

from bench import train
from bench.ears_score import chance_calibration_error, expected_calibration_error, format_percent
from bench.ears_sounds import RealSound, read_manifest, sounds_folder
from bench.train_cache import load_or_make
from bench.train_key import KeyCase, fit_key, mirex_score
from bench.train_render import render_takes
from sp404_app.audio.dsp.chroma import compute_chroma
from sp404_app.audio.features.key_detection import key_evidence
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.model_weights import softmax

Signal = npt.NDArray[np.float32]
SEED, TAKES = 100, 240
KRUMHANSL = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)


def krumhansl_key(y: Signal, sr: float) -> str:
    """Return the key as most tutorials compute it: chroma_cqt and Krumhansl's profiles."""
    mean = librosa.feature.chroma_cqt(y=y, sr=sr).mean(axis=1)
    fits = [
        np.corrcoef(np.roll(profile, pitch), mean)[0, 1]
        for profile in KRUMHANSL for pitch in range(12)
    ]  # fmt: skip
    return KEYS[int(np.argmax(fits))]


def key_sounds(reals: list[RealSound]) -> dict[str, list[tuple[Signal, float, str]]]:
    """Return (signal, rate, key) of rendered music and real sounds, by set."""
    sets: dict[str, list[tuple[Signal, float, str]]] = defaultdict(list)
    for take in render_takes("tonal", TAKES, SEED):
        if take.key:
            sets["rendered"].append((take.signal, 44_100.0, take.key))
    for real in reals:
        if real.key:
            found = real.survey()
            sets[f"real {real.kind}"].append((found.window, found.window_rate, real.key))
    return sets


def show_key(reals: list[RealSound], known: list[KeyCase] | None = None) -> None:
    """Print the share of right keys, the MIREX score, and how often the first two hold the key."""
    sounds = key_sounds(reals)
    cases: dict[str, list[KeyCase]] = {}
    for which, rows in sounds.items():
        heard = [(compute_chroma(y, sr), key) for y, sr, key in rows]
        cases[which] = [(key_evidence(chroma), key) for chroma, key in heard if chroma]
        librosa_keys = [(krumhansl_key(y, sr), key) for y, sr, key in rows]
        show_row(which, "librosa", librosa_keys, "-")
    for which, rows in cases.items():
        others = [case for name, other in cases.items() if "real" in name and name != which
                  for case in other]  # fmt: skip
        made = known if known is not None else cases["rendered"]
        model = fit_key(made, others)
        chances = softmax(np.array([model(evidence) for evidence, _ in rows]))
        order = np.argsort(-chances, axis=1)
        named = [(KEYS[best], key) for best, (_, key) in zip(order[:, 0], rows, strict=True)]
        first_two = [
            KEYS.index(key) in best for best, (_, key) in zip(order[:, :2], rows, strict=True)
        ]
        show_row(which, "engine", named, format_percent(first_two))
        show_key_calibration(which, chances.max(axis=1).tolist(), [a == b for a, b in named])


def show_row(which: str, method: str, pairs: list[tuple[str, str]], first_two: str) -> None:
    """Print one row of the table."""
    same = format_percent(found == truth for found, truth in pairs)
    mirex = format_percent(mirex_score(*pair) for pair in pairs)
    print(f"| key, {which} | {method} | {same} | {mirex} | {first_two} |")


def show_key_calibration(which: str, sure: list[float], right: list[bool]) -> None:
    """Print the mean confidence and the calibration error beside that of a perfect confidence."""
    error, _ = expected_calibration_error(sure, right)
    chance = chance_calibration_error(sure)
    print(f"  {which}: confidence {np.mean(sure):.2f}, ECE {error:.3f} (perfect {chance:.3f})")


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path)
    cache = options.parse_args().cache
    made = load_or_make(cache, "rendered", train.measure_rendered) if cache else []
    known = train.key_cases(made) if made else None
    where = sounds_folder()
    show_key(list(read_manifest(where)) if where else [], known)


if __name__ == "__main__":
    main()
