"""Read the collections of real sounds with known truth, if they are there.

SP404_SOUNDS names the folder of sounds; `hits` and `loops` are looked for beside it.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.survey import Survey, survey_file

# A licence that begins so allows to train weights that ship. What is in the public domain only by
# report, has no licence of its own, or is under the GPL is measured but not trained on.
OPEN_LICENCES = ("CC0", "CC-BY", "Unlicense", "Apache-2.0", "MIT")
OPEN_PUBLIC_DOMAIN = ("public domain", "public domain (stargate-sample-pack)")
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
    licence: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether weights that ship may be trained on this sound."""
        return self.licence in OPEN_PUBLIC_DOMAIN or self.licence.startswith(OPEN_LICENCES)

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
                row["licence"],
            )


def read_hits() -> Iterator[RealSound]:
    """Yield the real drum hits; the pack is the kit and the category the class."""
    for where, row in _rows_beside("hits"):
        file, licence = where / row["file"], row["licence"]
        yield RealSound(file, "oneshot", row["kit"], row["class"], None, None, row["path"], licence)


def read_loops() -> Iterator[RealSound]:
    """Yield the real loops of several producers; the pack is the source."""
    for where, row in _rows_beside("loops"):
        bpm, licence = float(row["true_bpm"]), row["licence"]
        file, name = where / row["file"], row["original_name"]
        yield RealSound(file, "loop", row["source"], row["cat"], bpm, None, name, licence)


def _rows_beside(name: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield (folder, row) of the manifest in the folder `name` beside the sounds, if present."""
    sounds = sounds_folder()
    where = sounds.parent / name if sounds else None
    if where and (where / "manifest.csv").exists():
        with (where / "manifest.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield where, row


def normalise_key(written: str) -> str | None:
    """Return a key spelt with sharps, or None."""
    pitch, _, mode = written.partition(" ")
    name = f"{FLATS.get(pitch, pitch)} {mode}"
    return name if name in KEYS else None
