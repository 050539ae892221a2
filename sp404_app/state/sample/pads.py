"""The pads that the sample of this page is on."""

from dataclasses import dataclass

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.services.sample import pad_usage
from sp404_app.services.sample.pad_usage import PadUse
from sp404_app.state.base import SessionState
from sp404_app.state.sample import route

MAX_PADS = 200


@dataclass(frozen=True, slots=True)
class PadLink:
    """A pad with a sample: its name, the project, the colour of its bank, and its address."""

    pad: str
    project: str
    colour: str
    address: str


class SamplePadsState(SessionState):
    """The pads of projects in use that the sample of this page is on."""

    pads: rx.Field[list[PadLink]] = rx.field(default_factory=list)

    @rx.event
    async def show(self) -> None:
        """Load the pads."""
        user_id = await self._user_id()
        uses = await in_transaction(pad_usage.pads_of_samples, user_id, [route.sample_id(self)])
        self.pads = [_pad_link(use) for use in uses if not use.is_trashed][:MAX_PADS]


def _pad_link(use: PadUse) -> PadLink:
    pad = f"{use.bank}{use.pad}"
    return PadLink(pad, use.project, use.colour, f"/projects/{use.project_id}?pad={pad}")
