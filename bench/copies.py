"""Accuracy of duplicate detection: recall for altered copies, and false positives.

`SP404_SOUNDS=… python -m bench.copies` writes variants of each real sound (see ears_sounds.py),
decodes them as uploads, and compares their fingerprints.
"""

import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
import soundfile

from bench.ears_score import format_percent
from bench.ears_sounds import RealSound, read_manifest, sounds_folder
from sp404_app.audio.features import analysis
from sp404_app.audio.features.survey import survey_file
from sp404_app.audio.io import decode
from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.fingerprint import Fingerprint

Planes = npt.NDArray[np.float32]  # (channels, frames)
MP3_RATES = {8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000}
LONG_RECORDINGS = 8  # longer than 30 s, compared by an excerpt
SOUNDS_PER_RECORDING = 14
SEED = 404
BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class FileVariant:
    """A file to write: `planes` at `rate` Hz with extension `ending` and soundfile's `subtype`."""

    how: str
    planes: Planes
    rate: int
    ending: str = "wav"
    subtype: str | None = "PCM_16"


def file_variants(planes: Planes, rate: int) -> Iterator[FileVariant]:
    """Yield alterations of a file, one at a time and then combined."""
    other = 44_100 if rate == 48_000 else 48_000
    moved = resampled(planes, rate, other)
    padded = pad_with_silence(planes, rate)
    yield FileVariant("12 dB quieter", planes * 10 ** (-12 / 20), rate)
    yield FileVariant("44.1 ↔ 48 kHz", moved, other)
    yield FileVariant("22.05 kHz", resampled(planes, rate, 22_050), 22_050)
    yield FileVariant("silence around it, 24 bit", padded, rate, subtype="PCM_24")
    yield FileVariant("24 bit", planes, rate, subtype="PCM_24")
    if len(planes) == 2:
        yield FileVariant("mono", planes.mean(axis=0, keepdims=True), rate)
    yield FileVariant("Ogg Vorbis", planes, rate, "ogg", None)
    if rate in MP3_RATES:
        yield FileVariant("MP3", planes, rate, "mp3", None)
    together = 0.5 * pad_with_silence(moved, other)
    yield FileVariant("other rate, quieter, silence, MP3", together, other, "mp3", None)


def resampled(planes: Planes, rate: int, other: int) -> Planes:
    """Resample with high quality."""
    return librosa.resample(planes, orig_sr=rate, target_sr=other, res_type="soxr_hq")


def pad_with_silence(planes: Planes, rate: int) -> Planes:
    """Add 237 ms of silence before a sound and 410 ms after it."""
    return np.pad(planes, ((0, 0), (round(0.237 * rate), round(0.41 * rate))))


def read(path: Path) -> tuple[Planes, int]:
    """Decode a whole file, clipped to full scale; at most two channels, as in MP3."""
    with decode.open_audio(path) as (header, blocks):
        frames = np.concatenate(list(blocks))
    return np.clip(np.nan_to_num(frames.T[:2]), -1, 1), header.sample_rate


def fingerprint_of(path: Path) -> Fingerprint | None:
    """Return the fingerprint as the job computes it."""
    surveyed = survey_file(path)
    return fingerprint.compute_fingerprint(surveyed.window, surveyed.window_rate)


def fingerprint_of_variant(variant: FileVariant, where: Path) -> Fingerprint | None:
    """Write a variant and return its fingerprint."""
    path = where / f"variant.{variant.ending}"
    frames = np.clip(variant.planes.T, -1, 1)
    with soundfile.SoundFile(path, "w", variant.rate, frames.shape[1], variant.subtype) as file:
        # libsndfile crashes on a minute of Vorbis at once.
        for start in range(0, len(frames), BLOCK):
            file.write(frames[start : start + BLOCK])
    return fingerprint_of(path)


def is_same_recording_or_none(one: Fingerprint | None, other: Fingerprint | None) -> bool:
    """Return whether both have fingerprints and they match."""
    return one is not None and other is not None and fingerprint.is_same_recording(one, other)


def long_recordings(reals: list[RealSound]) -> Iterator[tuple[Planes, int]]:
    """Yield concatenations of sounds, longer than the analysed excerpt."""
    rng = np.random.default_rng(SEED)
    fit = [planes[:1] for planes, rate in map(read, (real.path for real in reals))
           if rate == 44_100 and planes.shape[1] > 3 * rate]  # fmt: skip
    for _ in range(LONG_RECORDINGS):
        chosen = rng.permutation(len(fit))[:SOUNDS_PER_RECORDING]
        yield np.concatenate([rng.uniform(0.3, 1) * fit[n] for n in chosen], axis=1), 44_100


def show_found(rows: list[tuple[str, bool]]) -> None:
    """Print the recall for each alteration and for all of them."""
    print("| alteration | found |\n|---|---|")
    by_alteration = defaultdict(list)
    for how, found in rows:
        by_alteration[how].append(found)
    for how, found in by_alteration.items():
        print(f"| {how} | {format_percent(found)} |")
    print(f"| all | {format_percent(found for _, found in rows)} |")


def show_false_positives(
    known: dict[str, Fingerprint], copies: list[tuple[str, Fingerprint]]
) -> None:
    """Print which different sounds matched, and the nearest that did not."""
    pairs = list(combinations(known.items(), 2))
    called = [(one, other, fingerprint.is_same_recording(a, b)) for (one, a), (other, b) in pairs]
    share = format_percent(same for *_, same in called)
    print(f"\nDifferent files matched as duplicates: {share}")
    crossed = [(name, other, fingerprint.is_same_recording(a, b)) for name, b in copies
               for other, a in known.items() if name != other]  # fmt: skip
    share = format_percent(same for *_, same in crossed)
    print(f"A variant of one file matched to another file: {share}")
    for name, other in dict.fromkeys((one, two) for one, two, same in called + crossed if same):
        print("  ", name, other)
    near = sorted(
        (fingerprint.fingerprint_distance(a, b), one, other)
        for (one, a), (other, b) in pairs
        if fingerprint.lengths_match(a.length, b.length)
    )
    print(f"Nearest that do not match (duplicates have at most {fingerprint.MAX_DISTANCE_DB} dB):")
    for gap, *names in near[:5]:
        print(f"   {gap:.2f} dB", *names)


def show_cost(reals: list[RealSound]) -> None:
    """Print the CPU time per fingerprint and of the rest of the analysis."""
    costs, sizes = np.zeros(2), []
    fingerprint_of(reals[0].path)
    for real in reals:
        started = time.process_time()
        surveyed = analysis.analyse_file(real.path).survey
        between = time.process_time()
        fingerprint_found = fingerprint.compute_fingerprint(surveyed.window, surveyed.window_rate)
        costs += between - started, time.process_time() - between
        sizes.append(len(fingerprint_found.to_bytes()) if fingerprint_found else 0)
    rest_ms, fingerprint_ms = 1000 * costs / len(reals)
    costs_ms = f"fingerprint {fingerprint_ms:.2f} ms, rest {rest_ms:.2f} ms"
    print(f"\nCPU per file: {costs_ms} (n={len(reals)})")
    print(f"Bytes per fingerprint: median {np.median(sizes):.0f}, maximum {max(sizes)}")


def main() -> int:
    """Print every table."""
    warnings.simplefilter("ignore", UserWarning)
    where = sounds_folder()
    if where is None:
        print("SP404_SOUNDS names no folder with manifest.csv.", file=sys.stderr)
        return 1
    reals = list(read_manifest(where))
    known, copies, rows = {}, [], []
    with tempfile.TemporaryDirectory() as scratch:
        for real in reals:
            original = fingerprint_of(real.path)
            if original:
                known[f"{real.pack}/{Path(real.original).name}"] = original
            for variant in file_variants(*read(real.path)):
                found = fingerprint_of_variant(variant, Path(scratch))
                rows.append((variant.how, is_same_recording_or_none(original, found)))
                if found:
                    copies.append((f"{real.pack}/{Path(real.original).name}", found))
        for planes, rate in long_recordings(reals):
            whole = fingerprint_of_variant(FileVariant("", planes, rate), Path(scratch))
            for variant in file_variants(planes, rate):
                found = is_same_recording_or_none(
                    whole, fingerprint_of_variant(variant, Path(scratch))
                )
                rows.append((f"longer than 30 s: {variant.how}", found))
    long = [row for row in rows if row[0].startswith("longer")]
    show_found([row for row in rows if row not in long])
    print()
    show_found(long)
    show_false_positives(known, copies)
    show_cost(reals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
