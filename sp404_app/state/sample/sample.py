"""The sample page: its data, the user's corrections and live updates."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import bulk_actions, samples
from sp404_app.services.library.bulk_actions import Action
from sp404_app.services.library.samples import Change
from sp404_app.services.processing import analysis_requests
from sp404_app.services.sample import details as sample_details
from sp404_app.services.sample import pad_usage
from sp404_app.services.sample.details import SampleDetails
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library import bulk_messages
from sp404_app.state.library.library_actions import UNDO_DELETION
from sp404_app.state.library.selection import keep_selection, offer_undo
from sp404_app.state.page_watching import begin_again_after_outages
from sp404_app.state.sample import route
from sp404_app.state.sample.collections import SampleCollectionsState
from sp404_app.state.sample.duplicates import DuplicatesState
from sp404_app.state.sample.pads import SamplePadsState
from sp404_app.state.sample.similar import SimilarState
from sp404_app.state.sample.spectrogram import SpectrogramState
from sp404_app.state.sample.view_model import SampleSheet, sheet_of
from sp404_app.state.sample.waveform import WaveformState
from sp404_app.state.toast import ToastState

Stream = AsyncIterator[EventType[()] | None]
FACTORS = {"half": 0.5, "double": 2.0}
NO_KEY = "none"


class SampleState(SessionState):
    """The sample of this page."""

    phase: str = "loading"
    sheet: SampleSheet = SampleSheet()
    name_error: str = ""
    tempo_error: str = ""
    note_error: str = ""
    note_saved: bool = False

    @rx.event
    async def load(self) -> Stream:
        """Load the sample of this URL, then follow its changes."""
        user_id = await self._user_id()
        self._forget()
        await keep_selection(self)
        try:
            sample_id = route.sample_id(self)
            self._put(await in_transaction(sample_details.find_sample_details, user_id, sample_id))
        except NotFound:
            self.phase, self.sheet = "missing", SampleSheet()
            return
        self.phase = "here"
        yield [
            SpectrogramState.reset_picture,
            WaveformState.show,
            SimilarState.show,
            DuplicatesState.show,
            SamplePadsState.show,
            SampleCollectionsState.show,
            SampleState.watch,
        ]

    @rx.event(background=True)
    @begin_again_after_outages
    async def watch(self) -> Stream:
        """Follow the sample's events until the tab leaves the page."""
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        async for burst in events.listen(user_id):
            if any(item.topic is Topic.PROJECT for item in burst):
                yield SamplePadsState.show
            if any(item.topic is Topic.COLLECTION for item in burst):
                yield SampleCollectionsState.show
            if burst and not affects_sample(burst, sample_id):
                continue
            try:
                details = await in_transaction(
                    sample_details.find_sample_details, user_id, sample_id
                )
            except NotFound:
                async with self:
                    self.phase = "missing"
                return
            async with self:
                redraw = self._put(details)
            if burst:  # a duplicate may have changed
                yield DuplicatesState.show
            if redraw:
                yield [WaveformState.show, SimilarState.show]

    @rx.event
    async def rename(self, value: str) -> None:
        """Rename the sample."""
        name = validation.validate_text(value)
        if name == self.sheet.name:
            return
        try:
            await self._change(Change(name=name))
            self.name_error = ""
        except ValidationFailed as refusal:
            self.name_error = field_message(refusal, "name")

    @rx.event
    async def submit_name(self, form: dict[str, Any]) -> Stream:
        """Rename the sample by the Enter key."""
        yield SampleState.rename(
            validation.validate_text(validation.validate_form(form).get("name", ""))
        )

    @rx.event
    async def add_tags(self, form: dict[str, Any]) -> EventType[()] | None:
        """Add tags, separated by commas."""
        names = validation.validate_text(validation.validate_form(form).get("tags", "")).split(",")
        return await self._tag(Action.TAG, [name for name in names if name.strip()])

    @rx.event
    async def drop_tag(self, name: str) -> None:
        """Remove a tag."""
        await self._tag(Action.UNTAG, [validation.validate_text(name, 60)])

    @rx.event
    async def rate(self, rating: int) -> None:
        """Rate the sample 1 to 5; the current rating again clears it."""
        stars = validation.validate_integer(rating, 0, 5)
        await self._change(Change(rating=0 if stars == self.sheet.rating else stars))

    @rx.event
    async def act(self, action: str) -> None:
        """Run a keyboard action: "favourite", or "rate-0" to "rate-5"."""
        wanted = validation.validate_text(action, 10)
        if wanted == "favourite":
            await self._change(Change(favourite=not self.sheet.favourite))
        elif wanted.startswith("rate-"):
            stars = validation.validate_integer(validation.parse_number(wanted[5:]) or 0.0, 0, 5)
            await self._change(Change(rating=stars))

    @rx.event
    async def save_note(self, value: str) -> None:
        """Save the note."""
        note = validation.validate_text(value, 5000)
        if note == self.sheet.note:
            return
        try:
            await self._change(Change(note=note))
            self.note_saved, self.note_error = True, ""
        except ValidationFailed as refusal:
            self.note_saved, self.note_error = False, field_message(refusal, "note")

    @rx.event
    async def set_tempo(self, value: str) -> Stream:
        """Set the tempo that was tapped, typed or chosen; an empty value means none."""
        try:
            bpm = validation.parse_number(str(value).casefold().replace("bpm", ""))
            await self._change(Change(bpm=round(bpm or 0.0, 3)))
            self.tempo_error = ""
            yield WaveformState.show
        except ValidationFailed as refusal:
            self.tempo_error = field_message(refusal, "bpm")

    @rx.event
    async def submit_tempo(self, form: dict[str, Any]) -> Stream:
        """Set the tempo that was typed."""
        yield SampleState.set_tempo(
            validation.validate_text(validation.validate_form(form).get("bpm", ""))
        )

    @rx.event
    async def scale_tempo(self, how: str) -> Stream:
        """Halve or double the tempo."""
        user_id, factor = await self._user_id(), FACTORS.get(validation.validate_text(how, 10), 1.0)
        sample = await in_transaction(samples.get_sample, user_id, route.sample_id(self))
        if sample.bpm:
            yield SampleState.set_tempo(str(round(sample.bpm * factor, 3)))

    @rx.event
    async def set_key(self, value: str) -> None:
        """Set the key; "none" means that the sample has none."""
        key = validation.validate_text(value, 20)
        await self._change(Change(key="" if key == NO_KEY else key))

    @rx.event
    async def set_kind(self, value: str) -> None:
        """Set the kind: loop or one-shot."""
        await self._change(Change(kind=validation.validate_text(value, 20)))

    @rx.event
    async def use_analysis(self, field: str) -> Stream:
        """Reset the tempo, key or kind to the value from the analysis."""
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        name = validation.validate_text(field, 10)
        await in_transaction(sample_details.reset_to_analysis, user_id, sample_id, name)
        self.tempo_error = ""
        await self._show(user_id, sample_id)
        yield WaveformState.show

    @rx.event
    async def analyse(self) -> None:
        """Request another analysis."""
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        await in_transaction(analysis_requests.request_analysis, user_id, sample_id)
        await self._show(user_id, sample_id)

    @rx.event
    async def throw_away(self) -> Stream:
        """Move the sample to the trash and go to the library, which offers to undo it."""
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        discarded, uses = await in_transaction(pad_usage.trash_samples, user_id, [sample_id])
        if not discarded.moved:
            raise NotFound("There is no such sample.")
        await offer_undo(self, discarded.moved)
        message = bulk_messages.trashed_message(f"“{self.sheet.name[:60]}”", discarded, uses)
        yield ToastState.show(message, "ok", UNDO_DELETION)  # type: ignore[misc]
        yield rx.redirect("/library")

    @rx.event
    async def restore(self) -> None:
        """Restore the sample from the trash."""
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        await in_transaction(samples.restore_samples, user_id, [sample_id])
        await self._show(user_id, sample_id)

    async def _change(self, wanted: Change) -> None:
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        await in_transaction(samples.change_sample, user_id, sample_id, wanted)
        await self._show(user_id, sample_id)

    async def _tag(self, action: Action, names: list[str]) -> EventType[()] | None:
        """Change the tags; return a notice if there would be too many."""
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        if not names:
            return None
        done = await in_transaction(
            bulk_actions.run_bulk_action, user_id, action, [sample_id], None, names
        )
        await self._show(user_id, sample_id)
        refused = bulk_messages.tag_limit_message(done.values())
        return ToastState.show(refused, "bad") if refused else None

    async def _show(self, user_id: uuid.UUID, sample_id: uuid.UUID) -> None:
        self._put(await in_transaction(sample_details.find_sample_details, user_id, sample_id))

    def _put(self, details: SampleDetails) -> bool:
        """Show new details; return whether the waveform must be drawn again."""
        before, fresh = self.sheet, sheet_of(details)
        if fresh == before:
            return False
        self.sheet, self.phase = fresh, "here"
        drawn = (before.drawable, before.status, before.tempo.value)
        return drawn != (fresh.drawable, fresh.status, fresh.tempo.value)

    def _forget(self) -> None:
        self.name_error = self.tempo_error = self.note_error = ""
        self.note_saved = False


def affects_sample(burst: list[Event], sample_id: uuid.UUID) -> bool:
    """Return whether any of these events may change the page of a sample."""
    return any(
        item.topic is Topic.LIBRARY or (item.topic is Topic.SAMPLE and item.id == str(sample_id))
        for item in burst
    )


def field_message(refusal: ValidationFailed, field: str) -> str:
    """Return the error message of one field."""
    return next(iter(refusal.details.get(field, [])), str(refusal))
