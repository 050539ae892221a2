"""Accuracy of the engine beside librosa's defaults: `python -m bench.ears`.

Uses rendered sounds (with other seeds than training) and real ones if SP404_SOUNDS names a folder
with manifest.csv. `--cache DIR`, the one of bench.train, adds the calibration, leaving each pack
out. `--plots DIR` draws them. The decision loop or one-shot is not part of these figures; what a
person gets is measured by `bench/ears_person.py`.
"""

import argparse
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
import soundfile

from bench import train
from bench.ears_key import show_key
from bench.ears_loops import SEED, producers_loops, real_loops, rendered_loops
from bench.ears_others import Estimator, available_estimators
from bench.ears_plots import draw_reliability, draw_tempo
from bench.ears_score import (
    chance_calibration_error,
    expected_calibration_error,
    format_percent,
    precision_at,
)
from bench.ears_sounds import RealSound, read_manifest, sounds_folder
from bench.train_cache import load_or_make
from bench.train_render import render_takes
from bench.train_tempo import tempo_accuracy
from sp404_app.audio.dsp import onset
from sp404_app.audio.dsp.chroma import compute_chroma
from sp404_app.audio.features import analysis, tempo
from sp404_app.audio.features.key_detection import estimate_key
from sp404_app.audio.features.survey import ExcerptCollector
from sp404_app.audio.io import decode, peaks
from sp404_app.audio.model_weights import Linear
from sp404_app.audio.similarity import embedding, fingerprint

Signal = npt.NDArray[np.float32]
PLOTTED_SETS = (
    "rendered, all, clean", "rendered, all, distorted", "real, packs, clean",
    "real, well labelled, clean", "real, well labelled, distorted", "real, 100 BPM and slower",
)  # fmt: skip
CLASS_BY_NAME_PART = (
    ("bassdrum", "kick"), ("snare", "snare"), ("clap", "clap"), ("opened", "open hat"),
    ("openhh", "open hat"), ("hihat", "closed hat"), ("tom", "tom"), ("cowbell", "percussion"),
    ("rim", "percussion"), ("kick0", "kick"), ("kick_", "kick"), ("ride", "cymbal"),
)  # fmt: skip
CLASS_BY_FOLDER = {
    "808bd": "kick", "bd": "kick", "hardkick": "kick", "808sd": "snare", "sd": "snare",
    "sn": "snare", "808oh": "open hat", "oh": "open hat", "808cy": "cymbal", "cr": "cymbal",
    "ht": "tom", "lt": "tom", "bass": "bass", "basses": "bass", "sax": "lead", "stab": "chord",
    "stringsnpads": "chord", "perc": "percussion", "hand": "percussion", "effects": "fx",
    "glitch": "fx",
}  # fmt: skip


def engine_tempo(y: Signal, sr: float) -> float:
    """Return the engine's tempo."""
    found = tempo.estimate_tempo(onset.onset_strength(y, sr), len(y) / sr)
    return found.bpm if found else 0.0


METHODS: dict[str, Estimator] = {"engine": engine_tempo} | available_estimators()


def show_tempo(
    loops: list[tuple[str, Signal, float, float]], plots: Path | None, names: set[str]
) -> None:
    """Print Acc1e / Acc1 / Acc2 for rows of (set, signal, rate, bpm), of methods in `names`."""
    print("| loops | method | Acc1e | Acc1 | Acc2 |\n|---|---|---|---|---|")
    found: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
    for name, method in ((name, METHODS[name]) for name in METHODS if name in names):
        rows = [(which, tempo_accuracy(method(y, sr) or 1.0, bpm)) for which, y, sr, bpm in loops]
        for which in dict.fromkeys(which for which, _ in rows):
            scores = np.array([score for other, score in rows if other == which], float)
            found[which, name] = scores
            print(f"| {which} | {name} | " + " | ".join(map(format_percent, scores.T)) + " |")
    if plots:
        sets = [name for name in PLOTTED_SETS if (name, "engine") in found]
        draw_tempo(found, sets, plots / "tempo.svg")


def mfcc_vector(y: Signal, sr: float) -> npt.NDArray[np.float64]:
    """Return mean and standard deviation of 20 MFCCs, the usual similarity baseline."""
    y = librosa.resample(y, orig_sr=sr, target_sr=22_050)
    rows = librosa.feature.mfcc(y=y, sr=22_050, n_mfcc=20, n_fft=min(2048, max(256, len(y))))
    return np.concatenate([rows.mean(axis=1), rows.std(axis=1)])


def engine_vector(y: Signal, sr: float) -> npt.NDArray[np.float64]:
    """Return the engine's embedding, scaled for cosine similarity."""
    found = embedding.embed_sound(
        embedding.mel_patch(y, sr), onset.onset_strength(y, sr), compute_chroma(y, sr)
    )
    return embedding.apply_part_weights(found)


def class_of_real_hit(real: RealSound) -> str | None:
    """Return the class of a real hit, from its folder or its original name."""
    if real.kind != "oneshot":
        return None
    if real.category in CLASS_BY_FOLDER:
        return CLASS_BY_FOLDER[real.category]
    return next((sort for part, sort in CLASS_BY_NAME_PART if part in real.original.lower()), None)


def show_likeness(reals: list[RealSound]) -> None:
    """Print precision at ten, over rendered kits and across real packs."""
    made = [
        (t.signal, 44_100.0, t.label, str(n)) for n, t in enumerate(render_takes("hits", 600, SEED))
    ]
    real = []
    for one in reals:
        if sort := class_of_real_hit(one):
            found = one.survey()
            real.append((found.window, found.window_rate, sort, one.pack))
    for which, rows in (("rendered", made), ("real, across packs", real)):
        for method, measure in (
            ("engine", engine_vector),
            ("MFCC", mfcc_vector),
            ("MFCC scaled", mfcc_vector),
        ):
            x = np.array([measure(y, sr) for y, sr, *_ in rows])
            if "MFCC" in method and len(x):
                x = (x - x.mean(axis=0)) / (x.std(axis=0) if "scaled" in method else 1)
            scores = precision_at(x, [row[2] for row in rows], [row[3] for row in rows])
            print(f"| similarity P@10, {which} | {method} | {format_percent(scores)} |")


def show_class(reals: list[RealSound]) -> None:
    """Print the accuracy of the class of single hits."""
    made = [(t.signal, 44_100.0, t.label) for t in render_takes("hits", 600, SEED)]
    real = [(one.survey().window, one.survey().window_rate, sort)
            for one in reals if (sort := class_of_real_hit(one))]  # fmt: skip
    for which, rows in (("rendered", made), ("real", real)):
        classes = [analysis.analyse(y, sr, duration=len(y) / sr).sound_class for y, sr, _ in rows]
        right = format_percent(
            sort == truth for sort, (_, _, truth) in zip(classes, rows, strict=True)
        )
        print(f"| class of a hit, {which} | engine | {right} |")


def show_calibration(cache: Path | None, plots: Path | None) -> None:
    """Print the reliability of `bpm_confidence`, calibrated without the pack in question."""
    if cache is None:
        return
    found: dict[str, tuple[float, list[tuple[float, float, int]]]] = {}
    held = train.split_held_out(load_or_make(cache, "cases", train.render_tempo_cases))
    ranking = tempo.tempo_model()
    judge = train.fit_ranking(held.rest, train.case_weight, seeds=(0,))
    real = [case for _, case in load_or_make(cache, "real_cases", train.collect_real_cases)]
    seen: list[tuple[str, float, bool]] = []
    for pack in sorted({case.group for case in real}):
        others = [case for case in real if case.group != pack]
        model = train.fit_confidence(held.held, others, judge, ranking)
        seen += calibration_cases("real", model, [case for case in real if case.group == pack])
    made = train.rendered_cases(take for what, n in (("drums", 160), ("tonal", 90))
                          for take in render_takes(what, n, SEED))  # fmt: skip
    seen += calibration_cases(
        "rendered", train.fit_confidence(held.held, real, judge, ranking), made
    )
    for which in ("real", "rendered", "all"):
        sure, right = zip(*[row[1:] for row in seen if which in ("all", row[0])], strict=True)
        error, rows = found[which] = expected_calibration_error(sure, right)
        by_chance = chance_calibration_error(sure)
        print(f"\n{which}: ECE {error:.3f} (perfect: {by_chance:.3f}), n={len(sure)}\n")
        print("| confidence | correct | n |\n|---|---|---|")
        for confidence, correct, count in rows:
            print(f"| {confidence:.2f} | {correct:.2f} | {count} |")
        half = np.argsort(sure)[len(sure) // 2 :]
        print(f"\nAcc1 of the more confident half: {format_percent(np.array(right)[half])}")
    if plots:
        draw_reliability(found, plots / "reliability.svg")


def calibration_cases(
    which: str, model: Linear, cases: list[train.Case]
) -> list[tuple[str, float, bool]]:
    """Return (set, confidence, whether the tempo was right) for each case."""
    rows = [
        train.confidence_case(case, tempo.tempo_model()) for case in cases if len(case.found.bpm)
    ]
    return [(which, tempo.sigmoid(float(model(row))), right) for row, right in rows]


def run_full_job(path: Path) -> None:
    """Run everything that the job does for a new file."""
    found = analysis.analyse_file(path)
    fingerprint.compute_fingerprint(found.survey.window, found.survey.window_rate)


def run_naive_scope(path: Path) -> None:
    """Run the scope of the naive stack with the engine: decode, tempo, key, embedding, waveform."""
    with decode.open_audio(path) as (header, blocks):
        waveform, excerpt = peaks.PeaksBuilder(header.sample_rate), ExcerptCollector(header)
        for block in blocks:
            waveform.feed(block)
            excerpt.feed(np.ascontiguousarray(block.T))
    waveform.done()
    y, sr = excerpt.mono(), header.sample_rate / excerpt.factor
    env, notes = onset.onset_strength(y, sr), compute_chroma(y, sr)
    tempo.estimate_tempo(env, len(y) / sr)
    if notes:
        estimate_key(notes)
    embedding.embed_sound(embedding.mel_patch(y, sr), env, notes)


def run_naive_stack(path: Path) -> None:
    """Run what a first version with librosa would do, decoding once."""
    y, sr = librosa.load(path, sr=22_050)
    librosa.beat.beat_track(y=y, sr=sr)
    librosa.feature.chroma_cqt(y=y, sr=sr)
    librosa.feature.mfcc(y=y, sr=sr, n_mfcc=20)
    rows = y[: len(y) // 256 * 256].reshape(-1, 256)
    np.stack([rows.min(axis=1), rows.max(axis=1)], axis=1)


def show_cost(paths: list[Path]) -> None:
    """Print CPU time per file when warm, and wall time of a cold process."""
    stacks = {
        "engine, everything": run_full_job,
        "engine, what the naive stack does": run_naive_scope,
        "naive librosa stack": run_naive_stack,
    }
    costs = dict.fromkeys(stacks, 0.0)
    for run in stacks.values():
        run(paths[0])
    for path in paths:  # alternating, so that all run under the same conditions
        for name, run in stacks.items():
            started = time.process_time()
            run(path)
            costs[name] += (time.process_time() - started) / len(paths) * 1000
    for name, cost in costs.items():
        print(f"| CPU per file, warm | {name} | {cost:.1f} ms (n={len(paths)}) |")
    for name in [name for name in costs if name.startswith("engine")]:
        print(f"| naive stack to {name} | | {costs['naive librosa stack'] / costs[name]:.1f} |")
    walls = []
    script = (
        "import sys; from pathlib import Path; from sp404_app.audio import cli;"
        "cli.main([Path(sys.argv[1])], True)"
    )
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", script, paths[0]], check=True, capture_output=True)
        walls.append(time.perf_counter() - started)
    best, middle = min(walls), float(np.median(walls))
    print(f"| cold process, one loop | engine | {best:.2f} s best, {middle:.2f} s median |")


def main() -> None:
    """Print all tables."""
    warnings.simplefilter("ignore", UserWarning)  # librosa warns about short hits
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path)
    options.add_argument("--plots", type=Path)
    options.add_argument("--only", default="tempo,key,likeness,class,calibration,cost")
    options.add_argument("--methods", default=",".join(METHODS), help="estimators of the tempo")
    chosen = options.parse_args()
    where = sounds_folder()
    reals = list(read_manifest(where)) if where else []
    steps: dict[str, Callable[[], None]] = {
        "tempo": lambda: show_tempo(
            rendered_loops() + real_loops(reals) + producers_loops(),
            chosen.plots,
            set(chosen.methods.split(",")),
        ),
        "key": lambda: show_key(reals),
        "likeness": lambda: show_likeness(reals),
        "class": lambda: show_class(reals),
        "calibration": lambda: show_calibration(chosen.cache, chosen.plots),
        "cost": lambda: show_cost([real.path for real in reals] or write_rendered_files()),
    }
    for step in chosen.only.split(","):
        steps[step]()


def write_rendered_files() -> list[Path]:
    """Write rendered loops, used if there are no real ones."""
    target = Path(".cache")
    target.mkdir(exist_ok=True)
    paths = []
    for number, take in enumerate(render_takes("drums", 20, SEED)):
        path = target / f"bench{number}.wav"
        soundfile.write(path, take.signal, 44_100)
        paths.append(path)
    return paths


if __name__ == "__main__":
    main()
