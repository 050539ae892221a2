"""How many copies of a recording are found, and what is wrongly called one.

`SP404_SOUNDS=… python -m bench.copies` writes each real sound of the folder (see ears_sounds.py)
in other guises, decodes them as an upload is decoded, and compares their prints.
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
from sp404_app.audio.features.survey import survey
from sp404_app.audio.io import decode
from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.fingerprint import Print

Planes = npt.NDArray[np.float32]  # (channels, frames)
MP3_RATES = {8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000}
LONG_RECORDINGS = 8  # recordings of more than 30 s, of which an excerpt is compared
SOUNDS_PER_RECORDING = 14  # sounds in one of them
SEED = 404
BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class FileVariant:
    """A file to be: `planes` at `rate` Hz, written as `ending` with soundfile's `subtype`."""

    how: str
    planes: Planes
    rate: int
    ending: str = "wav"
    subtype: str | None = "PCM_16"


def file_variants(planes: Planes, rate: int) -> Iterator[FileVariant]:
    """Yield what may have happened to a file, one at a time and then together."""
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
    """Change the sample rate, with a good filter."""
    return librosa.resample(planes, orig_sr=rate, target_sr=other, res_type="soxr_hq")


def pad_with_silence(planes: Planes, rate: int) -> Planes:
    """Put 237 ms of silence before a sound and 410 ms after it."""
    return np.pad(planes, ((0, 0), (round(0.237 * rate), round(0.41 * rate))))


def read(path: Path) -> tuple[Planes, int]:
    """Decode a whole file, kept within full scale; at most two channels, as MP3 has."""
    with decode.open_audio(path) as (header, blocks):
        frames = np.concatenate(list(blocks))
    return np.clip(np.nan_to_num(frames.T[:2]), -1, 1), header.sample_rate


def fingerprint_of(path: Path) -> Print | None:
    """Take the print as the job does."""
    surveyed = survey(path)
    return fingerprint.taken(surveyed.window, surveyed.window_rate)


def fingerprint_of_variant(guise: FileVariant, where: Path) -> Print | None:
    """Write a file and take its print."""
    path = where / f"guise.{guise.ending}"
    frames = np.clip(guise.planes.T, -1, 1)
    with soundfile.SoundFile(path, "w", guise.rate, frames.shape[1], guise.subtype) as file:
        for start in range(0, len(frames), BLOCK):  # a minute of Vorbis at once ends libsndfile
            file.write(frames[start : start + BLOCK])
    return fingerprint_of(path)


def is_same_recording_or_none(one: Print | None, other: Print | None) -> bool:
    """Say whether two prints are of one recording; what has none is like nothing."""
    return one is not None and other is not None and fingerprint.same(one, other)


def long_recordings(reals: list[RealSound]) -> Iterator[tuple[Planes, int]]:
    """Join sounds to recordings of which only an excerpt is compared."""
    dice = np.random.default_rng(SEED)
    fit = [planes[:1] for planes, rate in map(read, (real.path for real in reals))
           if rate == 44_100 and planes.shape[1] > 3 * rate]  # fmt: skip
    for _ in range(LONG_RECORDINGS):
        chosen = dice.permutation(len(fit))[:SOUNDS_PER_RECORDING]
        yield np.concatenate([dice.uniform(0.3, 1) * fit[n] for n in chosen], axis=1), 44_100


def show_found(rows: list[tuple[str, bool]]) -> None:
    """Print the share that was found, for each guise and for all of them."""
    print("| what was done to the file | found |\n|---|---|")
    by_guise = defaultdict(list)
    for how, found in rows:
        by_guise[how].append(found)
    for how, found in by_guise.items():
        print(f"| {how} | {format_percent(found)} |")
    print(f"| all of these | {format_percent(found for _, found in rows)} |")


def show_false_positives(known: dict[str, Print], copies: list[tuple[str, Print]]) -> None:
    """Print which different sounds were called one, and how near the nearest came."""
    pairs = list(combinations(known.items(), 2))
    called = [(one, other, fingerprint.same(a, b)) for (one, a), (other, b) in pairs]
    share = format_percent(same for *_, same in called)
    print(f"\nDifferent files matched as duplicates: {share}")
    crossed = [(name, other, fingerprint.same(a, b)) for name, b in copies
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
    print(f"Nearest of the others (a copy has at most {fingerprint.MAX_DISTANCE_DB} dB):")
    for gap, *names in near[:5]:
        print(f"   {gap:.2f} dB", *names)


def show_cost(reals: list[RealSound]) -> None:
    """Print CPU per print, beside everything else that the engine does with a file."""
    costs, sizes = np.zeros(2), []
    fingerprint_of(reals[0].path)
    for real in reals:
        started = time.process_time()
        heard = analysis.analyse_file(real.path).survey
        between = time.process_time()
        found = fingerprint.taken(heard.window, heard.window_rate)
        costs += between - started, time.process_time() - between
        sizes.append(len(found.to_bytes()) if found else 0)
    rest, ours = 1000 * costs / len(reals)
    print(f"\nCPU per file: print {ours:.2f} ms, all else {rest:.2f} ms (n={len(reals)})")
    print(f"Bytes of a print: median {np.median(sizes):.0f}, most {max(sizes)}")


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
            for guise in file_variants(*read(real.path)):
                found = fingerprint_of_variant(guise, Path(scratch))
                rows.append((guise.how, is_same_recording_or_none(original, found)))
                if found:
                    copies.append((f"{real.pack}/{Path(real.original).name}", found))
        for planes, rate in long_recordings(reals):
            whole = fingerprint_of_variant(FileVariant("", planes, rate), Path(scratch))
            for guise in file_variants(planes, rate):
                found = is_same_recording_or_none(
                    whole, fingerprint_of_variant(guise, Path(scratch))
                )
                rows.append((f"longer than 30 s: {guise.how}", found))
    long = [row for row in rows if row[0].startswith("longer")]
    show_found([row for row in rows if row not in long])
    print()
    show_found(long)
    show_false_positives(known, copies)
    show_cost(reals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
