"""Read the collection of real sounds with known tempo and key, if there is one."""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.survey import Survey, survey_file

FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}


@dataclass(frozen=True, slots=True)
class RealSound:
    """One real sound and its ground truth."""

    path: Path
    kind: str
    pack: str
    category: str
    bpm: float | None
    key: str | None
    original: str

    def survey(self) -> Survey:
        """Decode and survey the file."""
        return survey_file(self.path)


def sounds_folder() -> Path | None:
    """Return the folder named by SP404_SOUNDS if it contains manifest.csv."""
    named = Path(os.environ.get("SP404_SOUNDS", "sounds"))
    return named if (named / "manifest.csv").exists() else None


def read_manifest(where: Path) -> Iterator[RealSound]:
    """Yield the sounds of the collection."""
    with (where / "manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield RealSound(
                where / row["file"],
                row["kind"],
                row["group"],
                row["cat"],
                float(row["true_bpm"]) if row["true_bpm"] else None,
                normalise_key(row["true_key"]),
                row["path"],
            )


def normalise_key(written: str) -> str | None:
    """Return a key spelt with sharps, or None."""
    pitch, _, mode = written.partition(" ")
    name = f"{FLATS.get(pitch, pitch)} {mode}"
    return name if name in KEYS else None
