"""Check a project, and mend what a click can mend: one step of undo history."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from sp404_app.devices.capabilities import BANKS
from sp404_app.devices.sx.tempo import derive_tempo
from sp404_app.models import PadSource, Project, ProjectCard
from sp404_app.services.cards import card_records, doctor, export_content, patterns
from sp404_app.services.cards.card_comparison import listed_files
from sp404_app.services.cards.doctor import BankSize, CheckedProject, Problem
from sp404_app.services.cards.known_sounds import find_known_sounds
from sp404_app.services.library import samples
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition, parse_position, put_pads
from sp404_app.services.projects.pad_sounds import samples_by_id
from sp404_app.services.projects.pads import PadChange

MAX_FIXES = 1_000


@dataclass(frozen=True, slots=True)
class Checkup:
    """What is wrong with a project, and its size by bank."""

    revision: int
    problems: list[Problem]
    banks: list[BankSize]
    bytes: int
    device_bytes: int


def check_project(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> Checkup:
    """Check a project and its files on the card.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    project = history.get_project(session, user_id, project_id)
    checked = _load(session, project)
    banks = doctor.bank_sizes(checked)
    return Checkup(
        revision=project.revision,
        problems=doctor.find_problems(checked),
        banks=banks,
        bytes=sum(bank.bytes for bank in banks),
        device_bytes=checked.kit.device.storage_bytes,
    )


def _load(session: Session, project: Project) -> CheckedProject:
    kit = history.load_kit(session, project)
    found = samples_by_id(session, project.user_id, [pad.sample_id for pad in kit.pads.values()])
    sources = export_content.load_sources(session, project.user_id, kit)
    card = session.get(ProjectCard, project.id)
    return CheckedProject(
        kit,
        found,
        sources,
        listed_files(card.files) if card else (),
        _find_again(session, project.user_id, kit, found, sources),
        _find_played(session, project, kit),
        _find_kept(session, project),
    )


def _find_kept(session: Session, project: Project) -> frozenset[tuple[str, int]]:
    target = export_content.parse_target(project.device)
    return card_records.kept_places(export_content.load_content(session, project, target))


def _find_played(session: Session, project: Project, kit: Kit) -> set[PadPosition] | None:
    """Return the pads that patterns use; None if a pattern cannot be read."""
    ids = [pad.sample_id for pad in kit.pads.values()]
    if len(ids) == len(set(ids)):  # nobody asks
        return set()
    found = patterns.list_patterns(session, project.user_id, project.id)
    if any(each.problem for each in found):
        return None
    pads = {(pad.bank, pad.pad) for each in found for pad in each.pads}
    return {PadPosition(BANKS.index(bank), pad) for bank, pad in pads}


def _find_again(
    session: Session,
    user_id: uuid.UUID,
    kit: Kit,
    found: Mapping[uuid.UUID | None, object],
    sources: Mapping[uuid.UUID | None, PadSource],
) -> dict[PadPosition, uuid.UUID]:
    """Return samples with the sound that a pad has lost, by the hash of the pad's file."""
    lost = {
        at: sources[pad.source_id].audio_sha256
        for at, pad in kit.pads.items()
        if pad.sample_id not in found and pad.source_id in sources
    }
    known = find_known_sounds(session, user_id, lost.values())
    return {at: known[sha256].sample_id for at, sha256 in lost.items() if sha256 in known}


def fix_problems(session: Session, target: Target, ids: Sequence[str]) -> list[Problem]:
    """Mend those of the problems that a click can mend; return them.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
        ChangedMeanwhile: If the revision is old.
        Conflict: If the project is in the trash.
        QuotaExceeded, Duplicate: If a sound cannot be restored from the trash.
    """
    project = history.get_project(session, target.user_id, target.project_id)
    restored = _restore_sounds(session, target.user_id, _load(session, project), ids)
    project = history.lock_project(session, target.user_id, target.project_id)
    checked = _load(session, project)
    chosen = doctor.fixable(doctor.find_problems(checked), ids)
    _mark_files(session, project, chosen)
    contents = _mended(session, checked, chosen)
    label = "Mend a pad" if len(contents) == 1 else f"Mend {len(contents)} pads"
    history.change_project(session, target, label, lambda kit: put_pads(kit, contents))
    return restored + [each for each in chosen if each not in restored]


def _restore_sounds(
    session: Session, user_id: uuid.UUID, checked: CheckedProject, ids: Sequence[str]
) -> list[Problem]:
    """Restore the sounds of pads from the trash; return the problems that this mends."""
    chosen = doctor.fixable(doctor.find_problems(checked), ids)
    trashed = [each for each in chosen if each.kind == "trashed_sound"]
    found = [checked.sample_of(_place(each, checked.kit)) for each in trashed]
    if found:
        samples.restore_samples(session, user_id, sorted({each.id for each in found if each}))
    return trashed


def _mark_files(session: Session, project: Project, chosen: Sequence[Problem]) -> None:
    """Note which files on the card the next write deletes, and which it keeps after all."""
    card = session.get(ProjectCard, project.id, populate_existing=True)
    marks = {each.path: each.kind != "marked_file" for each in chosen if each.path}
    if card and marks:
        card.files = [
            {**each, "remove": marks.get(each["path"], each.get("remove", False))}
            for each in card.files
        ]
        session.add(card)
        session.flush()


def _place(problem: Problem, kit: Kit) -> PadPosition:
    return parse_position(problem.bank, problem.pad, kit.device)


def _mended(
    session: Session, checked: CheckedProject, chosen: Sequence[Problem]
) -> dict[PadPosition, PadContent | None]:
    """Return the pads that change, as they are afterwards; None: empty."""
    contents: dict[PadPosition, PadContent | None] = {}
    for problem in chosen:
        if problem.kind == "repeated_sound":
            places = [at for at in sorted(checked.kit.pads) if str(at) in problem.pads]
            contents |= dict.fromkeys(doctor.copied_pads(checked, places))
        elif problem.kind not in doctor.OUTSIDE_HISTORY:
            at = _place(problem, checked.kit)
            pad = contents.get(at) or checked.kit.pads[at]
            contents[at] = _mended_pad(session, checked, problem, at, pad)
    return contents


def _mended_pad(
    session: Session, checked: CheckedProject, problem: Problem, at: PadPosition, pad: PadContent
) -> PadContent:
    """Return a pad without one of its problems."""
    match problem.kind:
        case "missing_sound":
            found_id = checked.found_again[at]
            source_id = _copy_source(session, checked, pad, sample_id=found_id)
            return replace(pad, sample_id=found_id, source_id=source_id)
        case "refused_file":
            no_file = {"audio_header": b"", "audio_tail": None, "audio_sha256": ""}
            return replace(pad, source_id=_copy_source(session, checked, pad, **no_file))
        case "too_long":
            return _trimmed(checked, at, pad)
        case "tempo":
            return _with_tempo(checked, at, pad)
        case _:
            return replace(pad, name=doctor.device_spelling(checked, at) or pad.name)


def _with_tempo(checked: CheckedProject, at: PadPosition, pad: PadContent) -> PadContent:
    """Return a pad with the tempo that the device would give to its sound, where it has none."""
    bpm = pad.settings["bpm"] or derive_tempo(pad.frames or 0)
    change = PadChange(settings={"bpm": bpm, "user_bpm": pad.settings["user_bpm"] or bpm})
    return pads.change_content(pad, change, checked.sample_of(at), checked.kit.device)


def _copy_source(
    session: Session, checked: CheckedProject, pad: PadContent, **changes: Any
) -> uuid.UUID:
    """Insert a copy of what a pad was read from, with other values; return its id."""
    values = checked.sources[pad.source_id].model_dump(exclude={"id", "created_at"})
    copy = PadSource(**values | changes)
    session.add(copy)
    session.flush()
    return copy.id


def _trimmed(checked: CheckedProject, at: PadPosition, pad: PadContent) -> PadContent:
    span = doctor.trimmed_span(checked, at)
    assert span  # else no click can mend it
    edit = {**(pad.edit or {}), "trim": list(span)}
    change = PadChange(edit=edit)
    return pads.change_content(pad, change, checked.sample_of(at), checked.kit.device)
