"""The dialog that creates a project: empty, or with samples of the library."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.devices.capabilities import DeviceKind
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.services.projects import pads, projects
from sp404_app.services.projects.project_details import TEMPO_RANGE_BPM
from sp404_app.services.projects.projects import MAX_LISTED_SAMPLES
from sp404_app.state import double_click, forms, validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.bulk_messages import format_sounds
from sp404_app.state.library.selection import list_results, list_selected
from sp404_app.state.projects.put_on_pads import take_samples
from sp404_app.state.toast import ToastState

FIELDS = ("name", "device", "tempo")
TEMPO_MESSAGE = "Enter a tempo from {:g} to {:g} BPM."


class NewProjectState(SessionState):
    """The fields of the dialog, and the samples that go on the pads."""

    is_open: bool = False
    sounds: str = ""  # "12 sounds", or empty for a project without sounds
    name: str = ""
    device: str = DeviceKind.MK2
    problems: dict[str, str] = {}
    _sample_ids: list[str] = []
    _acts: double_click.RecentActions = {}

    @rx.event
    async def open_dialog(self) -> None:
        """Ask for the name, device and tempo of a project without sounds."""
        await self._open(await self._user_id(), [])

    @rx.event
    async def open_for_selection(self) -> None:
        """Ask for a project with the selection of the library."""
        user_id = await self._user_id()
        await self._open(user_id, await list_selected(self, user_id))

    @rx.event
    async def open_for_sample(self, sample_id: str) -> None:
        """Ask for a project with one sample."""
        user_id, chosen = await self._user_id(), validation.validate_id(sample_id)
        await in_transaction(pads.load_placeable, user_id, [chosen])
        await self._open(user_id, [chosen])

    @rx.event
    async def open_for_results(self) -> None:
        """Ask for a project with all samples that the library's search finds."""
        user_id = await self._user_id()
        found, name = await list_results(self, user_id)
        await self._open(user_id, found, name)

    @rx.event
    async def open_for_pads(self) -> None:
        """Ask for a project with the samples of the dialog that puts samples on pads."""
        user_id = await self._user_id()
        await self._open(user_id, await take_samples(self))

    @rx.event
    async def create(self, form: dict[str, Any]) -> AsyncIterator[EventType[()] | None]:
        """Create the project and open it."""
        user_id = await self._user_id()
        if double_click.is_repeated(self._acts, form):
            return
        ids = [validation.validate_id(each) for each in self._sample_ids]
        try:
            name, device, tempo = _parse_form(form)
            made = await in_transaction(
                projects.create_project, user_id, name, device, ids[:MAX_LISTED_SAMPLES], tempo
            )
        except AppError as error:
            self.problems = forms.field_errors(error, *FIELDS)
            return
        self._acts = double_click.remember_action(form)
        self._close()
        yield rx.redirect(f"/projects/{made.project.id}")
        if missed := len(made.not_placed) + len(ids[MAX_LISTED_SAMPLES:]):
            message = f"{format_sounds(missed)} didn’t fit on the pads."
            yield ToastState.show(message, "bad")  # type: ignore[misc]

    @rx.event
    async def close(self) -> None:
        """Close the dialog."""
        await self._user_id()
        self._close()

    async def _open(self, user_id: uuid.UUID, ids: Sequence[uuid.UUID], name: str = "") -> None:
        self.device = await in_transaction(_last_device, user_id)
        self._sample_ids = [str(each) for each in ids]
        self.sounds = format_sounds(len(ids)) if ids else ""
        self.name, self.problems, self.is_open = name[:200], {}, True

    def _close(self) -> None:
        self.is_open, self._sample_ids, self.problems = False, [], {}


def _parse_form(form: object) -> tuple[str, Any, float | None]:
    """Return name, device and tempo; None stands for the tempo of the first loop."""
    name = validation.validate_text(forms.form_text(form, "name"), 200)
    device = projects.parse_device(forms.form_text(form, "device"))
    low, high = TEMPO_RANGE_BPM
    message = TEMPO_MESSAGE.format(low, high)
    try:
        tempo = validation.parse_number(forms.form_text(form, "tempo"))
    except ValidationFailed as error:
        raise ValidationFailed(message, {"tempo": [message]}) from error
    if tempo is not None and not low <= tempo <= high:
        raise ValidationFailed(message, {"tempo": [message]})
    return name, device, tempo


def _last_device(session: Session, user_id: uuid.UUID) -> str:
    """Return the device of the project that was changed last."""
    found = projects.list_projects(session, user_id)
    return found[0].project.device if found else DeviceKind.MK2
