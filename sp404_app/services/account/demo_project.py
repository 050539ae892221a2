"""The project of the demo account: a drum kit on bank A, and loops in one tempo and key on bank B.

The samples are found by their file names, and need no analysis.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlmodel import Session, col, select

from sp404_app.devices.capabilities import MK2
from sp404_app.models import Project, Sample
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.kit import PadContent, PadPosition
from sp404_app.services.projects.pads import PadChange

NAME: Final = "First kit"
TEMPO_BPM: Final = 86.0
BANK_NAMES: Final = ("Kit", "Loops in E minor")
HIT: Final = {"gate": False}  # plays to its end
LOOP: Final = {"gate": False, "loop": True}  # one touch starts it, another stops it
LAYER_PEAK_DBFS: Final = -6.0  # room for several loops at once
HATS: Final = {"mute_group": 1}  # the closed hat stops the open one
BEATS: Final = {"mute_group": 2}  # one drum loop stops the other


@dataclass(frozen=True, slots=True)
class DemoPad:
    """A pad: the sample's name, settings, tempo in BPM of a loop, and its shift in semitones.

    `peak_dbfs` is the level to which the pad is normalised; None leaves it as it is.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    bpm: float | None = None
    semitones: int = 0
    peak_dbfs: float | None = None


def layer(name: str, bpm: float, semitones: int = 0, settings: Mapping[str, Any] = LOOP) -> DemoPad:
    """Return a loop that leaves room for others."""
    return DemoPad(name, settings, bpm, semitones, LAYER_PEAK_DBFS)


# Kick and snare in the bottom row, hats above, then percussion, and loops on top.
BANKS: Final[tuple[Mapping[int, DemoPad], ...]] = (
    {
        13: DemoPad("Velvet Kick", HIT),
        14: DemoPad("Paper Snare", HIT),
        15: DemoPad("Studio Clap", HIT),
        16: DemoPad("Side Stick", HIT),
        9: DemoPad("Tight Hat", HIT | HATS),
        10: DemoPad("Open Hat", HIT | HATS),
        11: DemoPad("Crash", HIT, peak_dbfs=-1.0),  # resampling would raise it above 0 dBFS
        12: DemoPad("Low Tom", HIT),
        5: DemoPad("Deep 808", HIT),
        6: DemoPad("Minor Stab", HIT),
        7: DemoPad("Tower Bell", HIT),
        8: DemoPad("Needle Drop", HIT),
        1: DemoPad("Dusty Corner", LOOP, bpm=86),
        2: DemoPad("Sub Walk", LOOP, bpm=86),
    },
    {
        13: layer("Dusty Corner", 86, settings=LOOP | BEATS),
        14: layer("Rainy Window", 82, settings=LOOP | BEATS),
        15: layer("Back Alley", 94, settings=LOOP | BEATS),
        9: layer("Sub Walk", 86),
        5: layer("Sunday Keys", 82, semitones=-5),  # C major to G major
        6: layer("Glass Ceiling", 92, semitones=-2),  # F sharp minor
        1: layer("Kalimba Morning", 90),  # G major, relative to E minor
        2: layer("Lantern Arp", 96, semitones=2),  # D minor
    },
)


def ensure_demo_project(session: Session, user_id: uuid.UUID) -> Project | None:
    """Create the project if the account has none, also none in the trash; return a new one.

    A project that the user deletes is therefore not created again as long as it is in the trash;
    after it was deleted permanently, the next start of a development machine creates a new one.
    """
    of_demo = select(Project.id).where(Project.user_id == user_id, col(Project.is_demo).is_(True))
    if session.exec(of_demo).first():
        return None
    on_pads = dict(_demo_pads(session, user_id))
    if not on_pads:
        return None  # the user has deleted the demo sounds
    project = projects.create_project(session, user_id, NAME, MK2, tempo=TEMPO_BPM).project
    project.is_demo = True
    project.banks = [
        bank | {"name": name}
        for bank, name in zip(project.banks, (*BANK_NAMES, *[""] * 8), strict=True)
    ]
    history.insert_pads(session, project, replace(history.load_kit(session, project), pads=on_pads))
    return project


def _demo_pads(session: Session, user_id: uuid.UUID) -> Iterator[tuple[PadPosition, PadContent]]:
    live = select(Sample).where(
        Sample.user_id == user_id, col(Sample.is_demo).is_(True), col(Sample.deleted_at).is_(None)
    )
    by_file = {sample.filename: sample for sample in session.exec(live)}
    for bank, on_pads in enumerate(BANKS):
        for number, wanted in on_pads.items():
            sample = by_file.get(f"{wanted.name}.wav")
            if sample:
                yield PadPosition(bank, number), _demo_content(wanted, sample)


def _demo_content(wanted: DemoPad, sample: Sample) -> PadContent:
    settings = dict(wanted.settings)
    edit: dict[str, Any] = {"pitch": wanted.semitones} if wanted.semitones else {}
    if wanted.bpm:
        settings["bpm"] = TEMPO_BPM
    if wanted.bpm and wanted.bpm != TEMPO_BPM:
        edit["stretch_to_bpm"] = {"from": wanted.bpm, "to": TEMPO_BPM}
    if wanted.peak_dbfs is not None:
        edit["normalise"] = {"to": "peak", "value": wanted.peak_dbfs}
    change = PadChange(settings=settings, edit=edit)
    return pads.change_content(pads.new_content(sample, MK2), change, sample, MK2)
