"""Tempo with the other loops of the folder as evidence: `python -m bench.ears_folder`.

The folders are those of the packs, and one for each producer. Names are not used, and no
loop knows the right tempo of another: only what the engine estimates for each by itself.
"""

import uuid
from collections import defaultdict
from pathlib import Path

from bench.ears_score import format_percent
from bench.ears_sounds import RealSound, read_loops, read_manifest, sounds_folder
from bench.train_tempo import tempo_accuracy
from sp404_app.audio.features import analysis
from sp404_app.audio.features.analysis import Kind
from sp404_app.services.sample.folder_tempo import FolderLoop, weigh_folder


def analyse_folders(
    loops: list[RealSound],
) -> dict[str, list[tuple[RealSound, FolderLoop]]]:
    """Return the loops that the engine finds a tempo for, by folder."""
    folders: dict[str, list[tuple[RealSound, FolderLoop]]] = defaultdict(list)
    for real in loops:
        found = analysis.analyse_file(real.path, "").analysis
        bpm = found.bpm if found.kind is Kind.LOOP else None
        loop = FolderLoop(
            uuid.uuid4(),
            bpm or 0.0,
            found.bpm_confidence if bpm else 0.0,
            found.bpm_candidates if bpm else (),
        )
        folders[f"{real.pack}/{Path(real.original).parent}"].append((real, loop))
    return folders


def score_folders(which: str, loops: list[RealSound]) -> None:
    """Print Acc1 without and with the folder, of all loops, and of slow and fast ones."""
    rows: list[tuple[float, bool, bool]] = []
    for members in analyse_folders(loops).values():
        weighed = weigh_folder([loop for _, loop in members if loop.bpm])
        for real, loop in members:
            assert real.bpm is not None
            tempo = weighed.get(loop.sample_id)
            alone = tempo_accuracy(loop.bpm or 1.0, real.bpm)[1]
            together = tempo_accuracy(tempo.bpm, real.bpm)[1] if tempo else alone
            rows.append((real.bpm, alone, together))
    sets = {
        "all": rows,
        "90 BPM and slower": [row for row in rows if row[0] <= 90],
        "140 BPM and faster": [row for row in rows if row[0] >= 140],
    }
    for name, chosen in sets.items():
        alone, together = (format_percent(row[column] for row in chosen) for column in (1, 2))
        print(f"| {which}, {name} | {alone} | {together} |")


def main() -> None:
    """Print the table for the packs and for the producers."""
    where: Path | None = sounds_folder()
    if where is None:
        print("SP404_SOUNDS names no folder with manifest.csv")
        return
    print("| loops | each alone | with its folder |\n|---|---|---|")
    score_folders("packs", [real for real in read_manifest(where) if real.kind == "loop"])
    score_folders("producers", list(read_loops()))


if __name__ == "__main__":
    main()
