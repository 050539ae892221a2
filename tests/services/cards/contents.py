"""Contents of exports for tests: kits with samples that are not in a database."""

import uuid
from dataclasses import replace
from typing import Any

from sp404_app.devices.capabilities import MK2, Device
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.models import Sample
from sp404_app.services.cards.export_content import (
    ExportContent,
    KnownRender,
    convert_content,
    parse_target,
)
from sp404_app.services.projects.kit import PadContent
from sp404_app.services.projects.pad_edits import edit_of, frames_of
from tests.services.projects.kits import kit_with


class Library:
    """Samples by id, and pads that hold them."""

    def __init__(self, device: Device = MK2) -> None:
        self.device = device
        self.samples: dict[uuid.UUID | None, Sample] = {}

    def pad(  # noqa: PLR0913 - each has a default
        self,
        name: str = "Kick",
        *,
        seconds: float = 2.0,
        rate: int = 44_100,
        channels: int = 2,
        format: str = "WAV 24-bit",  # noqa: A002 - the column's name
        edit: dict[str, Any] | None = None,
        chops: tuple[int, ...] = (),
        source_id: uuid.UUID | None = None,
        **settings: Any,
    ) -> PadContent:
        sample = Sample(
            id=uuid.uuid4(),
            user_id=uuid.uuid4(),
            name=name,
            digest=uuid.uuid4().hex * 2,
            storage_key="aa/sound.wav",
            duration=seconds,
            sample_rate=rate,
            channels=channels,
            format=format,
            status="ready",
        )  # type: ignore[call-arg]
        self.samples[sample.id] = sample
        pad = PadContent(sample.id, name, DEFAULTS | settings, edit, chops, source_id=source_id)
        frames = frames_of(sample, edit_of(pad), self.device)
        return PadContent(sample.id, name, pad.settings, edit, chops, frames, source_id)

    def content(self, export: str = "", /, **pads: PadContent) -> ExportContent:
        kit = kit_with(self.device, **pads)
        return convert_content(kit, self.samples, parse_target(export or self.device.kind))


def with_render(content: ExportContent, place: str, render: KnownRender) -> ExportContent:
    """Return the content with a known render of a pad, as "A1"."""
    (at,) = [each for each in content.kit.pads if str(each) == place]
    audio = content.audio_of(at)
    assert audio
    return replace(content, renders={**content.renders, audio.key: render})
