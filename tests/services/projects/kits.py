"""Kits, samples and pads for the tests of projects."""

import uuid
from typing import Any

from sp404_app.devices.capabilities import MK2, Device
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.models import Sample
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition
from sp404_app.services.projects.projects import default_banks

SECONDS = 2.0


def sound(*, seconds: float = SECONDS, rate: int = 48_000, channels: int = 2) -> Sample:
    """Return a sample that is not in the database."""
    return Sample(
        id=uuid.uuid4(),
        user_id=uuid.uuid4(),
        name="Kick",
        duration=seconds,
        sample_rate=rate,
        channels=channels,
    )  # type: ignore[call-arg]


def content(name: str = "Kick", **settings: Any) -> PadContent:
    """Return a pad with two seconds of audio at 48 kHz."""
    return PadContent(uuid.uuid4(), name, DEFAULTS | settings, frames=96_000)


def kit_with(device: Device = MK2, **pads: PadContent) -> Kit:
    """Return a kit with pads that are named by their places: `A1=content()`."""
    return Kit(
        device=device,
        name="Kit",
        tempo=90.0,
        tempo_source="project",
        banks=default_banks(90.0),
        pads={place(name): pad for name, pad in pads.items()},
    )


def place(name: str) -> PadPosition:
    """Return the position of "B12"."""
    return PadPosition("ABCDEFGHIJ".index(name[0]), int(name[1:]))


def names(kit: Kit) -> dict[str, str]:
    """Return the names of the pads by place."""
    return {str(at): kit.pads[at].name for at in sorted(kit.pads)}
