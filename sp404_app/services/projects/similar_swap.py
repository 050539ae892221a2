"""Replace a pad's sample by the next or previous similar one, back and forth.

The order is that of the sounds most similar to an anchor: the sample that was on the pad when the
user began. It depends on nothing that a swap changes, so a step back undoes a step forward.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlmodel import Session

from sp404_app.devices.capabilities import Device
from sp404_app.devices.pad_settings import DEFAULTS, default_loop_top
from sp404_app.errors import Conflict, ValidationFailed
from sp404_app.models import Project, ProjectStep, Sample
from sp404_app.services.library import samples
from sp404_app.services.projects import history
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition, put_pads
from sp404_app.services.projects.pad_edits import change_edit, edit_of
from sp404_app.services.projects.pads import new_content
from sp404_app.services.sample import similarity

MAX_SIMILAR: Final = 24  # sounds in the order, besides the anchor
MAX_COMPARED: Final = 200  # the nearest of any class, of which those of the anchor's class are used
MAX_PAUSE_S: Final = 60.0  # between swaps that are one step of undo history
STEPS: Final = (-1, 1)
POSITIONS: Final = ("start", "end", "loop_top")


@dataclass(frozen=True, slots=True)
class Swapped:
    """The changed project, and where the pad's new sample is among `count` sounds.

    `anchor_id` is to be sent with the next step. The anchor itself has the index 0.
    """

    project: Project
    anchor_id: uuid.UUID
    index: int
    count: int


def swap_similar(
    session: Session,
    target: history.Target,
    at: PadPosition,
    step: int,
    anchor_id: uuid.UUID | None = None,
) -> Swapped:
    """Put the next (`step` 1) or previous (−1) similar sound on a pad; the order is circular.

    Without an anchor, or if the pad's sample is not in the anchor's order, the pad's sample is the
    anchor. `revision` is that of the pad.

    Raises:
        ValidationFailed: If the pad is empty, or the step is neither 1 nor −1.
        Conflict: If the library has no similar sound.
        NotFound: If project or anchor does not exist or belongs to another user.
        ChangedMeanwhile: If the revision is old.
    """
    if step not in STEPS:
        raise ValidationFailed("Choose 1 or -1.", {"step": ["Choose 1 or -1."]})
    swaps: list[tuple[uuid.UUID, int, int]] = []

    def mutate(kit: Kit) -> Kit:
        content = kit.pads.get(at)
        if content is None or content.sample_id is None:
            raise ValidationFailed(f"Pad {at} has no sound.", {"pad": [f"Pad {at} has no sound."]})
        order = similar_order(session, target.user_id, anchor_id or content.sample_id)
        if content.sample_id not in [each.id for each in order]:
            order = similar_order(session, target.user_id, content.sample_id)
        index = next_index(order, content.sample_id, step)
        swaps.append((order[0].id, index, len(order)))
        return put_pads(kit, {at: with_similar_sample(content, order[index], kit.device)})

    project = history.change_project(session, target, f"Swap sound on {at}", mutate, at)
    merge_swap_steps(session, project)
    return Swapped(project, *swaps[0])


def merge_swap_steps(session: Session, project: Project) -> None:
    """Make one step of undo history of the last two, if both swap the same pad within a minute."""
    position = project.history_position
    last = session.get(ProjectStep, (project.id, position))
    previous = session.get(ProjectStep, (project.id, position - 1))
    if not last or not previous or last.label != previous.label:
        return
    if (last.created_at - previous.created_at).total_seconds() > MAX_PAUSE_S:
        return
    previous.after, previous.created_at = last.after, last.created_at
    session.delete(last)
    project.history_position = position - 1
    session.add_all([previous, project])
    session.flush()


def similar_order(session: Session, user_id: uuid.UUID, anchor_id: uuid.UUID) -> list[Sample]:
    """Return the anchor and the sounds of its class that are most similar to it, nearest first.

    Loops come first if the anchor is a loop, else one-shots. Duplicates of the anchor are left out.
    An anchor in the trash stays in the order.

    Raises:
        NotFound: If the anchor does not exist or belongs to another user.
        Conflict: If there is no similar sound.
    """
    anchor = samples.get_sample(session, user_id, anchor_id)
    found = similarity.find_similar(session, user_id, anchor_id, MAX_COMPARED)
    alike = [
        each.sample
        for each in found
        if each.sample.sound_class == anchor.sound_class
        and (
            anchor.duplicate_group_id is None
            or each.sample.duplicate_group_id != anchor.duplicate_group_id
        )
    ]
    if not alike:
        raise Conflict("Your library has no similar sound of this kind, or is not analysed yet.")
    alike.sort(key=lambda each: each.kind != anchor.kind)
    return [anchor, *alike[:MAX_SIMILAR]]


def next_index(order: Sequence[Sample], current: uuid.UUID, step: int) -> int:
    """Return the index of the next or previous sound in a circular order."""
    ids = [each.id for each in order]
    return (ids.index(current) + step) % len(ids)


def with_similar_sample(content: PadContent, sample: Sample, device: Device) -> PadContent:
    """Return a pad with another sample. It keeps settings and edit, but no position.

    Start, end, loop point, chops, trim and the tempo of a stretch belong to the former sample.
    """
    fresh = new_content(sample, device)
    kept = dict(content.settings) | {name: DEFAULTS[name] for name in POSITIONS}
    placed = replace(fresh, settings=kept | {"bpm": fresh.settings["bpm"]})
    edit = replace(edit_of(content), trim=None, stretch_to_bpm=None)
    edited = change_edit(placed, edit, sample, device)
    loop_top = default_loop_top(edited.settings, edited.frames)
    return replace(edited, settings={**edited.settings, "loop_top": loop_top})
