"""Change a project: one transaction, one revision, one step of undo history.

Every change goes through `change_project`: it locks the project, compares the revision that the
caller saw, applies a pure function of `kit`, and writes what differs.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, any_, literal, tuple_
from sqlmodel import Session, col, delete, select

from sp404_app.db import after_commit
from sp404_app.devices.capabilities import DEVICES, DeviceKind
from sp404_app.errors import ChangedMeanwhile, Conflict, NotFound
from sp404_app.models import Project, ProjectPad, ProjectStep, Sample
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.projects.kit import Kit, Mutation, PadContent, PadPosition, changed_pads
from sp404_app.services.projects.step_content import (
    KIT_FIELDS,
    apply_part,
    positions_of,
    step_parts,
)

MAX_STEPS = 200
ANY_REVISION: Final = None  # `If-Match: *`


@dataclass(frozen=True, slots=True)
class Target:
    """Which project a user wants to change, and the revision that the user saw.

    `revision` is that of one pad where a function changes one pad, 0 if the pad is empty.
    """

    user_id: uuid.UUID
    project_id: uuid.UUID
    revision: int | None = ANY_REVISION


def get_project(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, *, lock: bool = False
) -> Project:
    """Return a user's project, whether or not it is in the trash.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    owned = select(Project).where(Project.id == project_id, Project.user_id == user_id)
    if lock:
        owned = owned.with_for_update().execution_options(populate_existing=True)
    project = session.exec(owned).first()
    if project is None:
        raise NotFound("There is no such project.")
    return project


def load_kit(session: Session, project: Project) -> Kit:
    """Return the content of a project."""
    return _kit_of(project, load_pads(session, project.id))


def load_pads(session: Session, project_id: uuid.UUID) -> dict[PadPosition, ProjectPad]:
    """Return the rows of a project's pads, in order, as they are now."""
    return _load_rows(session, select(ProjectPad).where(ProjectPad.project_id == project_id))


def load_pads_at(
    session: Session, project_id: uuid.UUID, positions: Collection[PadPosition]
) -> dict[PadPosition, ProjectPad]:
    """Return the rows of those of a project's pads that are at these positions, in order."""
    if not positions:
        return {}
    query = select(ProjectPad).where(
        ProjectPad.project_id == project_id,
        tuple_(col(ProjectPad.bank), col(ProjectPad.pad)).in_(positions),
    )
    return _load_rows(session, query)


def load_bank(
    session: Session, project_id: uuid.UUID, bank: int
) -> tuple[dict[PadPosition, ProjectPad], dict[uuid.UUID, Sample]]:
    """Return the rows of one bank's pads, in order, and their samples, as they are now."""
    query = (
        select(ProjectPad, Sample)
        .join(Sample, col(Sample.id) == col(ProjectPad.sample_id), isouter=True)
        .where(ProjectPad.project_id == project_id, ProjectPad.bank == bank)
        .order_by(col(ProjectPad.pad))
        .execution_options(populate_existing=True)
    )
    found = session.exec(query).all()
    rows = {PadPosition(row.bank, row.pad): row for row, _ in found}
    return rows, {sample.id: sample for _, sample in found if sample}


def _load_rows(session: Session, query: Any) -> dict[PadPosition, ProjectPad]:
    ordered = query.order_by(col(ProjectPad.bank), col(ProjectPad.pad))
    rows = session.exec(ordered.execution_options(populate_existing=True))
    return {PadPosition(row.bank, row.pad): row for row in rows}


def change_project(
    session: Session,
    target: Target,
    label: str,
    mutate: Mutation,
    pad: PadPosition | None = None,
    touched: Collection[PadPosition] | None = None,
) -> Project:
    """Apply a change and record it as one step of undo history.

    The revision is that of `pad` if one is given, else of the project. `touched` are the positions
    that `mutate` reads and writes, by default all; its kit has no other pads. A change that changes
    nothing leaves revision and history as they are. A sample that was permanently deleted in the
    meantime leaves its pad without a sample.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
        ChangedMeanwhile: If the revision is old.
        Conflict: If the project is in the trash.
    """
    project = lock_project(session, target.user_id, target.project_id)
    rows = (
        load_pads(session, project.id)
        if touched is None
        else load_pads_at(session, project.id, touched)
    )
    _ensure_revision(project, rows, target.revision, pad)
    before = _kit_of(project, rows)
    after = _lock_samples(session, project, before, mutate(before))
    if after == before:
        return project
    _write_kit(session, project, rows, before, after)
    _record_step(session, project, label, before, after)
    return project


def lock_project(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Lock a project for a change.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        Conflict: If it is in the trash.
    """
    project = get_project(session, user_id, project_id, lock=True)
    if project.deleted_at is not None:
        raise Conflict("This project is in the trash. Restore it to change it.")
    return project


def lock_revision(session: Session, target: Target) -> Project:
    """Lock a project, whether or not it is in the trash, if it has the revision of the target.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        ChangedMeanwhile: If the revision is old.
    """
    project = get_project(session, target.user_id, target.project_id, lock=True)
    _ensure_revision(project, {}, target.revision, None)
    return project


def undo_step(session: Session, target: Target) -> str:
    """Undo the last step; return its label.

    Raises:
        Conflict: If there is nothing to undo.
        ChangedMeanwhile: If the revision is old.
    """
    project = lock_project(session, target.user_id, target.project_id)
    step = session.get(ProjectStep, (project.id, project.history_position))
    if step is None:
        raise Conflict("There is nothing to undo.")
    _apply_step(session, project, target.revision, step.before)
    project.history_position -= 1
    return step.label


def redo_step(session: Session, target: Target) -> str:
    """Redo the step that was undone last; return its label.

    Raises:
        Conflict: If there is nothing to redo.
        ChangedMeanwhile: If the revision is old.
    """
    project = lock_project(session, target.user_id, target.project_id)
    step = session.get(ProjectStep, (project.id, project.history_position + 1))
    if step is None:
        raise Conflict("There is nothing to redo.")
    _apply_step(session, project, target.revision, step.after)
    project.history_position += 1
    return step.label


def next_labels(session: Session, project: Project) -> tuple[str, str]:
    """Return the labels of the steps that undo and redo would apply, or empty strings."""
    position = project.history_position
    query = select(ProjectStep.position, ProjectStep.label).where(
        ProjectStep.project_id == project.id,
        col(ProjectStep.position).in_([position, position + 1]),
    )
    labels = dict(session.exec(query).all())
    return labels.get(position, ""), labels.get(position + 1, "")


def publish_project(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, revision: int = 0
) -> None:
    """Publish, after the commit, that a project changed: its content, if a revision is given."""
    event = Event(Topic.PROJECT, str(project_id), revision)
    after_commit(session, partial(events.publish, user_id, event))


def _ensure_revision(
    project: Project,
    rows: Mapping[PadPosition, ProjectPad],
    revision: int | None,
    pad: PadPosition | None,
) -> None:
    if revision is ANY_REVISION:
        return
    current = project.revision
    if pad is not None:
        current = rows[pad].revision if pad in rows else 0
    if revision != current:
        what = f"Pad {pad}" if pad else "This project"
        raise ChangedMeanwhile(
            f"{what} was changed in the meantime. Load it again.", {"revision": current}
        )


def _kit_of(project: Project, rows: Mapping[PadPosition, ProjectPad]) -> Kit:
    return Kit(
        device=DEVICES[DeviceKind(project.device)],
        name=project.name,
        tempo=project.tempo,
        tempo_source=project.tempo_source,
        banks=tuple(project.banks),
        pads={
            at: PadContent(
                row.sample_id,
                row.name,
                row.settings,
                row.edit,
                tuple(row.chops),
                row.frames,
                row.source_id,
            )
            for at, row in rows.items()
        },
    )


def _lock_samples(session: Session, project: Project, before: Kit, after: Kit) -> Kit:
    """Lock the samples of the pads that differ; return the kit without samples that are gone.

    A permanent deletion of a sample locks the sample, then its pads. A change of pads therefore
    locks the samples first, in the same order; else one could wait for the other for ever.
    """
    changed = changed_pads(before, after)
    contents = [kit.pads[at] for kit in (before, after) for at in changed if at in kit.pads]
    existing = _lock_existing(session, project.user_id, contents)
    emptied = {
        at: replace(pad, sample_id=None)
        for at in changed
        if (pad := after.pads.get(at)) and pad.sample_id and pad.sample_id not in existing
    }
    return replace(after, pads={**after.pads, **emptied}) if emptied else after


def _lock_existing(
    session: Session, user_id: uuid.UUID, contents: Iterable[PadContent]
) -> frozenset[uuid.UUID]:
    """Lock samples against deletion; return the ids of those that exist and are the user's."""
    ids = sorted({content.sample_id for content in contents if content.sample_id})
    owned = select(Sample.id).where(
        Sample.user_id == user_id, col(Sample.id) == any_(literal(ids, ARRAY(Uuid)))
    )
    locked = owned.order_by(col(Sample.id)).with_for_update(read=True, key_share=True)
    return frozenset(session.exec(locked))


def _write_kit(
    session: Session,
    project: Project,
    rows: Mapping[PadPosition, ProjectPad],
    before: Kit,
    after: Kit,
) -> None:
    """Write the fields and pads that differ, with a new revision."""
    project.revision += 1
    project.updated_at = now()
    for name in KIT_FIELDS:
        value = getattr(after, name)
        setattr(project, name, list(value) if name == "banks" else value)
    for at in changed_pads(before, after):
        content = after.pads.get(at)
        if content is None:
            session.delete(rows[at])
        else:
            _write_pad(session, project, rows.get(at), at, content)
    session.add(project)
    session.flush()
    publish_project(session, project.user_id, project.id, project.revision)
    changed = _used_samples(before) ^ _used_samples(after)
    if _has_trashed(session, changed):  # a trashed sample counts as storage while a pad uses it
        quotas.publish_quota(session, project.user_id)


def _has_trashed(session: Session, ids: Iterable[uuid.UUID | None]) -> bool:
    wanted = [each for each in ids if each]
    if not wanted:
        return False
    trashed = select(Sample.id).where(
        col(Sample.id) == any_(literal(wanted, ARRAY(Uuid))), col(Sample.deleted_at).is_not(None)
    )
    return session.exec(trashed.limit(1)).first() is not None


def _used_samples(kit: Kit) -> set[uuid.UUID | None]:
    return {pad.sample_id for pad in kit.pads.values()}


def insert_pads(session: Session, project: Project, kit: Kit) -> None:
    """Insert the pads of a new project, outside of its history."""
    placed = _lock_samples(session, project, replace(kit, pads={}), kit)
    for at, content in placed.pads.items():
        _write_pad(session, project, None, at, content)
    session.flush()


def _write_pad(
    session: Session,
    project: Project,
    row: ProjectPad | None,
    at: PadPosition,
    content: PadContent,
) -> None:
    row = row or ProjectPad(
        project_id=project.id,
        user_id=project.user_id,
        bank=at.bank,
        pad=at.pad,
        name="",
        revision=0,
    )
    row.sample_id, row.name, row.frames = content.sample_id, content.name, content.frames
    row.source_id = content.source_id
    row.settings = dict(content.settings)
    row.edit = dict(content.edit) if content.edit else None
    row.chops = list(content.chops)
    row.revision = project.revision
    session.add(row)


def _record_step(session: Session, project: Project, label: str, before: Kit, after: Kit) -> None:
    """Add a step after the current one; drop what could be redone, and steps beyond the limit."""
    position = project.history_position + 1
    steps = col(ProjectStep.project_id) == project.id
    too_old = col(ProjectStep.position) <= position - MAX_STEPS
    session.exec(
        delete(ProjectStep).where(steps, too_old | (col(ProjectStep.position) >= position))
    )
    undone, redone = step_parts(before, after)
    session.add(
        ProjectStep(
            project_id=project.id,
            position=position,
            user_id=project.user_id,
            label=label[:200],
            before=undone,
            after=redone,
        )
    )
    project.history_position = position
    session.add(project)
    session.flush()


def _apply_step(
    session: Session, project: Project, revision: int | None, part: Mapping[str, Any]
) -> None:
    """Write one side of a step. Samples that no longer exist leave their pads without sample."""
    rows = load_pads_at(session, project.id, positions_of(part))
    _ensure_revision(project, rows, revision, None)
    before = _kit_of(project, rows)
    after = _lock_samples(session, project, before, apply_part(before, part))
    _write_kit(session, project, rows, before, after)
