"""Lengths of pads that only rendering can tell, as those of an edit that trims silence."""

from sqlmodel import Session, col, update

from sp404_app.devices.capabilities import Device
from sp404_app.devices.pad_settings import DEFAULTS, clamp_positions
from sp404_app.models import ProjectPad


def record_length(session: Session, pad: ProjectPad, frames: int, device: Device) -> None:
    """Set the length of a pad's audio in frames, and clamp its positions and chops to it.

    It is no step of undo history. A pad that was changed since it was read, or has a length, stays
    as it is.
    """
    settings = DEFAULTS | pad.settings
    clamp_positions(settings, frames, device.min_frames)
    session.exec(
        update(ProjectPad)
        .where(
            col(ProjectPad.project_id) == pad.project_id,
            col(ProjectPad.bank) == pad.bank,
            col(ProjectPad.pad) == pad.pad,
            col(ProjectPad.revision) == pad.revision,
            col(ProjectPad.frames).is_(None),
        )
        .values(
            frames=frames, settings=settings, chops=[chop for chop in pad.chops if chop < frames]
        )
    )
    session.refresh(pad)
