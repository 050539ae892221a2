"""Accuracy of what a person gets for an uploaded file: `python -m bench.ears_person`.

Each sound is written to a file, clean and with four kinds of dirt, and goes the way of an upload
(`analysis.analyse_file`), through the decision loop or one-shot; once without its name and once
with a name that states the tempo. A loop that is called a one-shot has no tempo and counts as
wrong. SP404_SOUNDS names the folder of sounds, see `ears_sounds.py`.

`--cache DIR` holds the cases of bench.train: whole sources are then left out. The sources are dealt
into `FOLDS` folds, and the weights of `kind` are trained again without those of the fold.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import soundfile

from bench import train_kind
from bench.ears_score import format_percent
from bench.ears_sounds import RealSound, read_hits, read_loops, read_manifest, sounds_folder
from bench.train_cache import load_or_make
from bench.train_tempo import tempo_accuracy
from sp404_app.audio.features import analysis, loop_detection
from sp404_app.audio.features.analysis import Analysis, Kind

Signal = npt.NDArray[np.float32]
FOLDS = 8
DIRT = ("clean", "100 ms silence", "300 ms silence", "MP3 padding", "1 s reverb")
ENCODER_DELAY, ENCODER_PADDING = 1105, 900  # samples
REVERB_S, REVERB_LEVEL = 1.0, 0.5


def soil(signal: Signal, sr: float, how: str, seed: int) -> Signal:
    """Return a mono sound with one of `DIRT`."""
    if how.endswith("silence"):
        return np.pad(signal, (0, round(int(how.split(maxsplit=1)[0]) * sr / 1000)))
    if how == "MP3 padding":
        return np.pad(signal, (ENCODER_DELAY, ENCODER_PADDING))
    if how == "1 s reverb":
        count = round(REVERB_S * sr)
        noise = np.random.default_rng(seed).standard_normal(count)
        noise = np.convolve(noise, np.ones(6) / 6, "same")
        level = REVERB_LEVEL * np.abs(signal[-len(signal) // 8 :]).max()
        tail = noise * np.exp(-4 * np.arange(count) / count) * level
        return np.concatenate([signal, tail]).astype(np.float32)
    return signal


def analyse_versions(
    sounds: list[tuple[int, RealSound]], folder: Path
) -> Iterator[tuple[RealSound, str, str, Analysis]]:
    """Yield (sound, dirt, names on or off, what the engine finds) for each version of each."""
    path = folder / "sound.wav"
    for number, real in sounds:
        heard = real.survey()
        for how in DIRT:
            soundfile.write(
                path, soil(heard.window, heard.window_rate, how, number), round(heard.window_rate)
            )
            names = {"off": ""} | ({"on": f"loop_{real.bpm:g}bpm.wav"} if real.bpm else {})
            for named, name in names.items():
                yield real, how, named, analysis.analyse_file(path, name).analysis


def analyse_by_fold(
    sounds: list[RealSound], rows: train_kind.KindRows | None
) -> Iterator[tuple[RealSound, str, str, Analysis]]:
    """Analyse all sounds; each by weights that were trained without its source, given rows."""
    packs = sorted({real.pack for real in sounds})
    numbered = list(enumerate(sounds))
    with tempfile.TemporaryDirectory() as folder:
        for fold in range(FOLDS):
            left_out = set(packs[fold::FOLDS])
            chosen = [(n, real) for n, real in numbered if real.pack in left_out]
            model = train_kind.fit_kind(rows, left_out) if rows else loop_detection.loop_model()
            with patch.object(loop_detection, "loop_model", lambda model=model: model):
                yield from analyse_versions(chosen, Path(folder))


def score_sounds(rows: list[tuple[RealSound, str, str, Analysis]]) -> None:
    """Print the tables: loops found, tempo through the gate, one-shots found."""
    kinds: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    tempi: dict[tuple[str, str, str], list[tuple[bool, bool, bool]]] = defaultdict(list)
    sure: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for real, how, named, found in rows:
        what = f"{'loops' if real.kind == 'loop' else 'one-shots'}, {named}"
        kinds[what, how, "found"].append((found.kind is Kind.LOOP) == (real.kind == "loop"))
        if real.kind == "loop" and real.bpm:
            got = tempo_accuracy(found.bpm or 1.0, real.bpm)
            sets = ["all"]
            sets += ["90 BPM and slower"] if real.bpm <= 90 else []
            sets += ["140 BPM and faster"] if real.bpm >= 140 else []
            for which in sets:
                tempi[f"{which}, names {named}", how, ""].append(got)
            if named == "off" and how == "clean":
                sure["clean"].append((found.bpm_confidence, got[1]))
    print("| sounds, names | dirt | right kind |\n|---|---|---|")
    for (what, how, _), right in kinds.items():
        print(f"| {what} | {how} | {format_percent(right)} |")
    if tempi:
        show_tempi(tempi, sure)


def show_tempi(
    tempi: dict[tuple[str, str, str], list[tuple[bool, bool, bool]]],
    sure: dict[str, list[tuple[float, bool]]],
) -> None:
    """Print the accuracy of the tempo by set and dirt, and that of the more confident half."""
    print("\n| loops | dirt | Acc1e | Acc1 | Acc2 |\n|---|---|---|---|---|")
    for (what, how, _), got in sorted(tempi.items()):
        columns = map(format_percent, np.array(got, float).T)
        print(f"| {what} | {how} | " + " | ".join(columns) + " |")
    for which, pairs in sure.items():
        half = sorted(pairs)[len(pairs) // 2 :]
        print(f"\nAcc1 of the more confident half, {which}:", format_percent(r for _, r in half))


def main() -> None:
    """Print the tables for the sounds and the loops, and for the hits."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path)
    options.add_argument("--only", default="sounds,loops,hits")
    options.add_argument("--every", type=int, default=1, help="use every n-th sound only")
    chosen = options.parse_args()
    where = sounds_folder()
    if where is None:
        print("SP404_SOUNDS names no folder with manifest.csv")
        return
    rows: train_kind.KindRows | None = None
    if chosen.cache:
        rows = train_kind.kind_rows(
            load_or_make(chosen.cache, "kind", train_kind.collect_kind_cases)
        )
    readers = {"sounds": lambda: read_manifest(where), "loops": read_loops, "hits": read_hits}
    for which in chosen.only.split(","):
        sounds = [real for real in readers[which]() if real.kind != "phrase"][:: chosen.every]
        print(f"\n{which}: {len({real.pack for real in sounds})} sources\n")
        score_sounds(list(analyse_by_fold(sounds, rows)))


if __name__ == "__main__":
    main()
