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
HATS: Final = {"mute_group": 1}  # the closed hat stops the open one
BEATS: Final = {"mute_group": 2}  # one drum loop stops the other


@dataclass(frozen=True, slots=True)
class DemoPad:
    """A pad: the sample's name, settings, tempo in BPM of a loop, and its shift in semitones."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    bpm: float | None = None
    semitones: int = 0


# Kick and snare in the bottom row, hats above, then percussion, and loops on top.
BANKS: Final[tuple[Mapping[int, DemoPad], ...]] = (
    {
        13: DemoPad("Velvet Kick", HIT),
        14: DemoPad("Paper Snare", HIT),
        15: DemoPad("Studio Clap", HIT),
        16: DemoPad("Side Stick", HIT),
        9: DemoPad("Tight Hat", HIT | HATS),
        10: DemoPad("Open Hat", HIT | HATS),
        11: DemoPad("Crash", HIT),
        12: DemoPad("Low Tom", HIT),
        5: DemoPad("Deep 808", HIT),
        6: DemoPad("Minor Stab", HIT),
        7: DemoPad("Tower Bell", HIT),
        8: DemoPad("Needle Drop", HIT),
        1: DemoPad("Dusty Corner", LOOP, bpm=86),
        2: DemoPad("Sub Walk", LOOP, bpm=86),
    },
    {
        13: DemoPad("Dusty Corner", LOOP | BEATS, bpm=86),
        14: DemoPad("Rainy Window", LOOP | BEATS, bpm=82),
        15: DemoPad("Back Alley", LOOP | BEATS, bpm=94),
        9: DemoPad("Sub Walk", LOOP, bpm=86),
        5: DemoPad("Sunday Keys", LOOP, bpm=82, semitones=-5),  # C major to G major
        6: DemoPad("Glass Ceiling", LOOP, bpm=92, semitones=-2),  # F sharp minor
        1: DemoPad("Kalimba Morning", LOOP, bpm=90),  # G major, relative to E minor
        2: DemoPad("Lantern Arp", LOOP, bpm=96, semitones=2),  # D minor
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
    change = PadChange(settings=settings, edit=edit)
    return pads.change_content(pads.new_content(sample, MK2), change, sample, MK2)
