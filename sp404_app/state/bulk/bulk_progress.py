"""The progress of a bulk edit, its undo, and the list of recent edits."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, NotFound
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.models.columns import now
from sp404_app.services.bulk import bulk_edits
from sp404_app.services.bulk.bulk_edits import ACTIVE, BulkEditView
from sp404_app.services.bulk.edits import ADD_TO_COLLECTION
from sp404_app.services.processing import jobs
from sp404_app.state import formatting, validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.bulk_messages import addition_message, format_sounds
from sp404_app.state.toast import ToastState, undo_handlers

POLL_INTERVAL_S: Final = 0.4
UNDO_BULK_EDIT: Final = "bulk edit"
LISTED: Final = 20
Stream = AsyncIterator[EventType[()] | None]


ACTION_WORDS: Final = {
    "delete": ("Moving to the trash", "moved to the trash"),
    "restore": ("Restoring", "restored"),
}


@dataclass(frozen=True, slots=True)
class EditRow:
    """A recent edit in the list."""

    id: str
    title: str
    result: str
    problem: str
    age: str
    can_undo: bool


class BulkProgressState(SessionState):
    """The edit that runs in this tab, and the recent edits of the user."""

    label: str = ""  # what runs; empty if nothing does
    percent: int = 0
    is_list_open: bool = False
    edits: rx.Field[list[EditRow]] = rx.field(default_factory=list)
    _job_id: str = ""
    _last_edit_id: str = ""  # the edit that the toast can undo

    @rx.event
    async def load(self) -> Stream:
        """Follow an edit that still runs, also if it was started in another tab."""
        user_id = await self._user_id()
        self.is_list_open = False
        found = await in_transaction(bulk_edits.list_edits, user_id, 1)
        if found and found[0].status in ACTIVE and found[0].job_id:
            job = await in_transaction(jobs.get_job, user_id, found[0].job_id)
            yield self._follow(job)
        else:
            self.label, self._job_id = "", ""

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> Stream:
        """Show the progress of the job, then what it has done, with Undo."""
        user_id = await self._user_id()
        while True:
            async with self:
                job_id = self._job_id
            if not job_id:
                return
            try:
                job = await in_transaction(jobs.get_job, user_id, uuid.UUID(job_id))
            except NotFound:
                async with self:
                    self.label, self._job_id = "", ""
                return
            async with self:
                if self._job_id != job_id:
                    return
                self.percent = round(job.progress * 100)
                if job.status not in ACTIVE:
                    notice = self._end(job)
                    break
            await asyncio.sleep(POLL_INTERVAL_S)
        yield notice
        if self.is_list_open:
            found = await in_transaction(bulk_edits.list_edits, user_id, LISTED)
            async with self:
                self.edits = edit_rows(found)

    @rx.event
    async def cancel(self) -> None:
        """Stop the edit; what it has changed until now can be undone."""
        user_id, job_id = await self._user_id(), self._job_id
        if job_id:
            await in_transaction(jobs.cancel_job, user_id, validation.validate_id(job_id))

    @rx.event
    async def undo_last(self) -> Stream:
        """Undo the edit that the notice is about."""
        user_id, edit_id = await self._user_id(), self._last_edit_id
        if edit_id:
            yield await self._undo(user_id, validation.validate_id(edit_id))

    @rx.event
    async def undo(self, bulk_edit_id: str) -> Stream:
        """Undo an edit of the list."""
        user_id = await self._user_id()
        yield await self._undo(user_id, validation.validate_id(bulk_edit_id))

    @rx.event
    async def open_list(self) -> None:
        """Show the recent edits."""
        user_id = await self._user_id()
        self.edits = edit_rows(await in_transaction(bulk_edits.list_edits, user_id, LISTED))
        self.is_list_open = True

    @rx.event
    async def close_list(self) -> None:
        """Close the list of edits."""
        await self._user_id()
        self.is_list_open = False

    async def _undo(self, user_id: uuid.UUID, edit_id: uuid.UUID) -> Any:
        try:
            job = await in_transaction(bulk_edits.request_undo, user_id, edit_id)
        except AppError as error:
            return ToastState.show(str(error), "bad")
        self.is_list_open = False
        return self._follow(job)

    def _follow(self, job: ProcessingJob) -> EventType[()]:
        """Show the progress of a job that was just requested."""
        self._job_id, self.label = str(job.id), _label(job)
        self.percent = round(job.progress * 100)
        return BulkProgressState.watch  # type: ignore[return-value]

    def _end(self, job: ProcessingJob) -> Any:
        """Show that a job has ended; return the notice about it."""
        self.label, self._job_id = "", ""
        result = job.result or {}
        self._last_edit_id = result.get("bulk_edit_id", "")
        if result.get("is_undo"):
            return ToastState.show(undo_message(job), "ok" if job.status == "done" else "bad")
        undo = UNDO_BULK_EDIT if result.get("changed") else ""
        tone = "ok" if job.status == JobStatus.DONE and not result.get("failed") else "bad"
        chosen = result.get("collection_id")
        return ToastState.show(
            edit_message(job), tone, undo, f"/collections/{chosen}" if chosen else ""
        )


def _words(job: ProcessingJob) -> tuple[str, str]:
    """Return what a job does while it runs, and what it has done with sounds."""
    result = job.result or {}
    if name := result.get("collection_name"):
        return f"Adding to “{name[:40]}”", "added"
    return ACTION_WORDS.get(result.get("action", ""), ("Changing sounds", "changed"))


def _label(job: ProcessingJob) -> str:
    """Return what a job does, before its percentage."""
    result = job.result or {}
    if result.get("is_undo"):
        return "Undoing"
    return _words(job)[0]


def edit_message(job: ProcessingJob) -> str:
    """Return what an edit that has ended has done."""
    result = job.result or {}
    changed, failed = result.get("changed", 0), result.get("failed", 0)
    done = _words(job)[1]
    text = f"{format_sounds(changed)} {done}." if changed else f"No sound was {done}."
    if "collection_name" in result:
        text = addition_message(result["collection_name"], changed, result.get("skipped", 0))
    if failed:
        text += f" {format_sounds(failed)} couldn’t be {done}: see Recent edits."
    if purged := result.get("purged", 0):
        were = "1 older sound in it was" if purged == 1 else f"{purged:,} older sounds in it were"
        text += f" The trash was full, so {were} permanently deleted."
    if job.status == JobStatus.CANCELLED:
        return f"Cancelled. {text}"
    return text if job.status == JobStatus.DONE else f"{job.error} {text}"


def undo_message(job: ProcessingJob) -> str:
    """Return what an undo that has ended has done."""
    result = job.result or {}
    restored = format_sounds(result.get("restored", 0))
    text = f"{restored} restored to what they were."
    if result.get("action") == "restore":
        text = f"{restored} moved to the trash again."
    since, failed = result.get("changed_since", 0), result.get("failed", 0)
    if "collection_name" in result:
        text = f"{restored} removed from “{result['collection_name'][:60]}” again."
        if since:
            text += f" {format_sounds(since)} had been removed before."
    elif since:
        stays = "was changed since and stays" if since == 1 else "were changed since and stay"
        text += f" {format_sounds(since)} {stays}."
    if failed:
        text += f" {format_sounds(failed)} couldn’t be restored."
    if job.status == JobStatus.DONE:
        return text
    reason = f"{job.error} " if job.status == JobStatus.FAILED else ""
    return f"Undo stopped. {reason}{text}"


def edit_rows(found: Sequence[BulkEditView]) -> list[EditRow]:
    """Return the rows of the list."""
    return [
        EditRow(
            str(each.id),
            each.title,
            _result(each),
            _problem(each),
            formatting.format_age(each.created_at, now()),
            each.can_undo,
        )
        for each in found
    ]


def _problem(each: BulkEditView) -> str:
    """Return why the first sound could not be changed, and for how many others."""
    others = each.failed - 1
    return f"{each.problem} {others:,} more couldn’t be changed." if others > 0 else each.problem


def _result(each: BulkEditView) -> str:
    done = "added" if each.action == ADD_TO_COLLECTION else "changed"
    changed = f"{each.changed:,} of {format_sounds(each.total)} {done}"
    if each.status in ACTIVE:
        return f"{'Undoing' if each.is_undo else 'Running'}, {round(each.progress * 100)}%"
    if each.undone_at:
        return f"{changed}, undone" if not each.can_undo else f"{changed}, partly undone"
    if each.status == JobStatus.CANCELLED:
        return f"{changed}, then cancelled"
    return changed


undo_handlers[UNDO_BULK_EDIT] = BulkProgressState.undo_last
