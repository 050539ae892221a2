"""The dialog that downloads samples in another format, and its progress."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec, EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, NotFound, ValidationFailed
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.services.cards import conversions, tagged_files
from sp404_app.services.cards.conversions import StoredFile
from sp404_app.services.cards.converted_names import name_files
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.name_template import (
    DEFAULT_TEMPLATE,
    NAME_ONLY,
    Template,
    parse_template,
)
from sp404_app.services.cards.named_sounds import load_samples, named_sound
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.bulk_messages import format_sounds
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.selection import list_results, list_selected
from sp404_app.state.toast import ToastState

PREVIEWED_NAMES: Final = 5
POLL_INTERVAL_S: Final = 0.5
Stream = AsyncIterator[EventType[()] | EventSpec | None]


class DownloadState(SessionState):
    """The samples, format and names that the dialog asks about, and the job that converts them."""

    is_open: bool = False
    phase: str = "choose"  # or "running"
    sounds: str = ""  # "12 sounds", or the name of the only one
    is_single: bool = False
    wanted: str = DownloadFormat.MK2
    template: str = DEFAULT_TEMPLATE
    has_folders: bool = False
    has_tags: bool = False
    names: list[str] = []
    more: str = ""  # "and 7 more"
    problem: str = ""
    percent: int = 0
    _sample_ids: list[str] = []
    _collection_id: str = ""  # if they are its samples
    _job_id: str = ""

    @rx.event
    async def load(self) -> Stream:
        """Close the dialog of the former page; a job that was followed there is followed on."""
        await self._user_id()
        self.is_open = False
        if self._job_id:
            yield DownloadState.watch

    @rx.event
    async def open_for_selection(self) -> None:
        """Ask for the format of the library's selection."""
        user_id = await self._user_id()
        await self._open(user_id, await list_selected(self, user_id))

    @rx.event
    async def open_for_results(self) -> None:
        """Ask for the format of all samples that the library's search finds."""
        user_id = await self._user_id()
        found, _ = await list_results(self, user_id)
        await self._open(user_id, found)
        if not self._job_id:
            library = await self.get_state(LibraryState)
            self._collection_id = str(library.query.collection or "")

    @rx.event
    async def open_for_sample(self, sample_id: str) -> None:
        """Ask for the format of one sample."""
        await self._open(await self._user_id(), [validation.validate_id(sample_id)])

    @rx.event
    async def choose_format(self, choice: str) -> None:
        """Choose the format."""
        user_id = await self._user_id()
        self.wanted = _parse_format(choice).value
        await self._preview(user_id)

    @rx.event
    async def set_template(self, value: str) -> None:
        """Name the files by another template, and show the first names."""
        user_id = await self._user_id()
        self.template = validation.validate_text(value)
        await self._preview(user_id)

    @rx.event
    async def toggle_folders(self) -> None:
        """Keep the folders of the library in the archive, or not."""
        user_id = await self._user_id()
        self.has_folders = not self.has_folders
        await self._preview(user_id)

    @rx.event
    async def toggle_tags(self) -> None:
        """Write tempo and key into the files, or not."""
        await self._user_id()
        self.has_tags = not self.has_tags

    @rx.event
    async def start(self) -> Stream:
        """Convert the samples, then download them."""
        user_id, wanted = await self._user_id(), DownloadFormat(self.wanted)
        ids = [validation.validate_id(each) for each in self._sample_ids]
        if not ids or self._job_id:
            return
        try:
            if len(ids) == 1:
                yield await self._download_one(user_id, ids[0], wanted)
                return
            request = partial(
                conversions.request_archive,
                folders=self.has_folders,
                tagged=self.has_tags,
                collection_id=uuid.UUID(self._collection_id) if self._collection_id else None,
            )
            template = parse_template(self.template)
            yield self._follow(await in_transaction(request, user_id, wanted, template, ids))
        except AppError as error:
            self.problem = str(error)

    @rx.event
    async def download_sample(self, sample_id: str, choice: str) -> Stream:
        """Download one sample in a format; a long one shows its progress."""
        user_id, wanted = await self._user_id(), _parse_format(choice)
        chosen = validation.validate_id(sample_id)
        if self._job_id:
            self.is_open = True
            return
        self._sample_ids, self.is_single, self.wanted = [str(chosen)], True, wanted.value
        self.has_tags = False
        await self._preview(user_id)
        yield await self._download_one(user_id, chosen, wanted)

    @rx.event
    async def download_tagged(self, sample_id: str) -> Stream:
        """Download an original with tempo and key in its tags; say so if it can't hold them."""
        user_id, chosen = await self._user_id(), validation.validate_id(sample_id)
        note = await in_transaction(_write_tags, user_id, chosen)
        yield rx.download(f"/api/samples/{chosen}/download?tags=true", "")
        if note:
            yield ToastState.show(note, "bad")  # type: ignore[misc]

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> Stream:
        """Show the progress of the job; download its result, or say why there is none."""
        user_id = await self._user_id()
        while True:
            async with self:
                job_id = self._job_id
            if not job_id:
                return
            job = await in_transaction(jobs.get_job, user_id, validation.validate_id(job_id))
            async with self:
                if self._job_id != job_id:
                    return
                self.percent = round(job.progress * 100)
                if job.status not in conversions.ACTIVE:
                    ended = self._end(job)
                    break
            await asyncio.sleep(POLL_INTERVAL_S)
        for event in ended:
            yield event

    @rx.event
    async def cancel(self) -> None:
        """Cancel the job, and ask again."""
        user_id, job_id = await self._user_id(), self._job_id
        self._job_id, self.phase = "", "choose"
        if job_id:
            await in_transaction(jobs.cancel_job, user_id, validation.validate_id(job_id))

    @rx.event
    async def close(self) -> None:
        """Close the dialog. A running job goes on, and its result is downloaded."""
        await self._user_id()
        self.is_open = False

    async def _open(self, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
        if not self._job_id and ids:
            self.phase, self.percent, self._sample_ids = "choose", 0, [str(each) for each in ids]
            self.is_single, self._collection_id = len(ids) == 1, ""
            await self._preview(user_id)
        self.is_open = bool(self._job_id or ids)

    async def _preview(self, user_id: uuid.UUID) -> None:
        """Show what the first files will be called, by the function that names them."""
        first = [validation.validate_id(each) for each in self._sample_ids[:PREVIEWED_NAMES]]
        left = len(self._sample_ids) - len(first)
        self.names, self.problem, self.more = [], "", f"and {left:,} more" if left else ""
        try:
            template = NAME_ONLY if self.is_single else parse_template(self.template)
            name = partial(_name_files, folders=self.has_folders and not self.is_single)
            wanted = DownloadFormat(self.wanted)
            self.names, only = await in_transaction(name, user_id, first, template, wanted)
            self.sounds = (
                f"“{only[:60]}”"
                if left == 0 and len(first) == 1
                else (format_sounds(len(self._sample_ids)))
            )
        except ValidationFailed as error:
            self.problem = str(error)

    async def _download_one(
        self, user_id: uuid.UUID, sample_id: uuid.UUID, wanted: DownloadFormat
    ) -> EventType[()] | EventSpec:
        found = await in_transaction(conversions.find_or_convert, user_id, sample_id, wanted)
        if isinstance(found, ProcessingJob):
            return self._follow(found)
        self.is_open = False
        return self._download(f"/api/samples/{sample_id}/download?as={wanted}")

    def _download(self, url: str) -> EventSpec:
        """Return the event that downloads a converted sample or an archive."""
        is_one_tagged = self.has_tags and self.is_single and not url.startswith("/api/conv")
        return rx.download(f"{url}&tags=true" if is_one_tagged else url, "")

    def _follow(self, job: ProcessingJob) -> EventType[()]:
        """Show the progress of a job that was just requested."""
        self._job_id, self.phase, self.is_open = str(job.id), "running", True
        self.percent, self.problem = round(job.progress * 100), ""
        return DownloadState.watch  # type: ignore[return-value]

    def _end(self, job: ProcessingJob) -> list[Any]:
        """Show that a job has ended; return what the page does next."""
        was_open, self._job_id, self.phase = self.is_open, "", "choose"
        if job.status == JobStatus.DONE and job.result:
            self.is_open = False
            skipped = describe_skipped(job)
            notice = [ToastState.show(skipped, "bad")] if skipped else []
            return [self._download(job.result["url"]), *notice]
        self.problem = job.error
        return [] if was_open else [ToastState.show(job.error, "bad")]


def describe_skipped(job: ProcessingJob) -> str:
    """Return which sounds an archive does not hold, and why the first does not; "" if all."""
    result = job.result or {}
    count, listed = result.get("skipped", 0), result.get("skipped_files", [])
    if not count or not listed:
        return ""
    first = listed[0]
    what = f"“{first['name'][:60]}” was" if count == 1 else f"{format_sounds(count)} were"
    example = "" if count == 1 else f"“{first['name'][:60]}”: "
    return f"{what} left out. {example}{first['reason']}"


def _write_tags(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> str:
    """Write the tags of an original; return why there are none, "" if there are."""
    sample = samples.get_sample(session, user_id, sample_id)
    file = StoredFile(sample.storage_key, sample.filename, media_type="", etag="")
    return tagged_files.find_or_write_tags(sample, file, None).note


def _name_files(
    session: Session,
    user_id: uuid.UUID,
    ids: Sequence[uuid.UUID],
    template: Template,
    wanted: DownloadFormat,
    *,
    folders: bool,
) -> tuple[list[str], str]:
    """Return the names of files, and the name of the first sound."""
    found = [named_sound(sample) for sample in load_samples(session, user_id, ids)]
    names = islice(name_files(found, template, wanted, folders=folders), PREVIEWED_NAMES)
    return list(names), found[0].name if found else ""


def _parse_format(value: object) -> DownloadFormat:
    text = validation.validate_text(value, 10)
    if text not in set(DownloadFormat):
        raise NotFound("There is no such format.")
    return DownloadFormat(text)
