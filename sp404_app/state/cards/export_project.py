"""The export dialog: choose what, check it, make it, and get it."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.devices.capabilities import DeviceKind
from sp404_app.errors import AppError, NotFound
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.services.cards import exports, preflight
from sp404_app.services.cards.export_content import ExportTarget, parse_target
from sp404_app.services.processing import jobs
from sp404_app.services.projects import history
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.cards.export_view import ExportCheck, ExportResult, check_of, result_of
from sp404_app.state.projects.pads import PadsState

POLL_INTERVAL_S = 0.4
CANCELLED = "Cancelled."
FAILED = "The export failed. Try again."


class ExportState(SessionState):
    """The export of one project, in one tab.

    `phase`: "choose" while the export is chosen and checked, "making" while its job runs, "done"
    when the archive is there.
    """

    is_open: bool = False
    phase: str = "choose"
    project_id: str = ""
    name: str = ""
    device: str = "import"
    place: str = "import"
    slot: str = "1"
    check: ExportCheck = ExportCheck()
    is_checked: bool = False
    percent: int = 0
    problem: str = ""
    result: ExportResult = ExportResult()
    _job_id: str = ""
    _content: str = ""  # revision of the project that `result` has

    @rx.event
    async def open_dialog(self, project_id: str) -> AsyncIterator[EventType[()] | None]:
        """Open the dialog for a project; the choices of the last time stay."""
        user_id, chosen = await self._user_id(), validation.validate_id(project_id)
        project = await in_transaction(history.get_project, user_id, chosen)
        if self.project_id != str(chosen):
            self._forget_result()
            self.device = "sx" if project.device == DeviceKind.SX else "import"
        self.project_id, self.name, self.is_open = str(chosen), project.name, True
        if self.phase == "making":
            yield ExportState.watch
            return
        if self._content != str(project.revision):
            self._forget_result()
        yield ExportState.run_check

    @rx.event
    async def close(self) -> None:
        """Close the dialog; an export that is being made goes on."""
        await self._user_id()
        self.is_open = False

    @rx.event
    async def choose_device(self, device: str) -> EventType[()]:
        """Choose between the import pack, the SX card and the MKII project."""
        await self._user_id()
        self.device = parse_target(validation.validate_text(device, 10)).device
        return await self._choose_anew()

    @rx.event
    async def choose_place(self, place: str) -> EventType[()]:
        """Choose the folder of the card that a MKII project goes into."""
        await self._user_id()
        self.place = parse_target("mk2", validation.validate_text(place, 10)).place
        return await self._choose_anew()

    @rx.event
    async def choose_slot(self, slot: str) -> EventType[()]:
        """Choose the number of a MKII project."""
        await self._user_id()
        number = validation.parse_number(slot)
        self.slot = str(parse_target("mk2", None, int(number or 0)).slot)
        return await self._choose_anew()

    @rx.event
    async def run_check(self) -> None:
        """Check what the chosen export would change."""
        user_id = await self._user_id()
        if not self.project_id:
            return
        project_id = validation.validate_id(self.project_id)
        found = await in_transaction(preflight.get_preflight, user_id, project_id, self._target())
        self.check, self.is_checked = check_of(found), True

    @rx.event
    async def start(self) -> AsyncIterator[EventType[()] | None]:
        """Make the export, or take the one that exists."""
        user_id = await self._user_id()
        self.problem = ""
        try:
            project_id = validation.validate_id(self.project_id)
            project = await in_transaction(history.get_project, user_id, project_id)
            job = await in_transaction(exports.request_export, user_id, project_id, self._target())
        except AppError as error:
            self.problem = str(error)
            return
        self._content, self._job_id = str(project.revision), str(job.id)
        self.phase, self.percent = "making", 0
        self._show_job(job)
        if self.phase == "making":
            yield ExportState.watch

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> None:
        """Follow the job until it ends or the page is left."""
        user_id = await self._user_id()
        while True:
            async with self:
                job_id, phase = self._job_id, self.phase
            if phase != "making" or not job_id:
                return
            job = await _find_job(user_id, job_id)
            async with self:
                if self._job_id == job_id:
                    self._show_job(job)
            await asyncio.sleep(POLL_INTERVAL_S)

    @rx.event
    async def cancel(self) -> None:
        """Cancel the export that is being made."""
        user_id = await self._user_id()
        if self._job_id and self.phase == "making":
            await in_transaction(jobs.cancel_job, user_id, validation.validate_id(self._job_id))
            self._forget_result()

    @rx.event
    async def go_back(self) -> EventType[()]:
        """Show the choices again."""
        await self._user_id()
        return await self._choose_anew()

    @rx.event
    async def show_pad(self, key: str) -> AsyncIterator[EventType[()] | None]:
        """Close the dialog and show a pad that the check names."""
        await self._user_id()
        key = validation.validate_text(key, 4)
        self.is_open = False
        if self.router.url.path == f"/projects/{self.project_id}":
            yield PadsState.open_bank(key[:1])
            yield PadsState.choose_pad(key)
        else:
            yield rx.redirect(f"/projects/{self.project_id}?pad={key}")

    async def _choose_anew(self) -> EventType[()]:
        self._forget_result()
        return ExportState.run_check

    def _target(self) -> ExportTarget:
        if self.device == "mk2":
            return parse_target(self.device, self.place, int(self.slot))
        return parse_target(self.device)

    def _forget_result(self) -> None:
        self.phase, self.problem, self.percent = "choose", "", 0
        self.result, self._job_id, self._content = ExportResult(), "", ""

    def _show_job(self, job: ProcessingJob | None) -> None:
        if job is not None and job.status in {JobStatus.QUEUED, JobStatus.RUNNING}:
            self.percent = round(100 * job.progress)
        elif job is not None and job.status == JobStatus.DONE and job.result:
            self.result, self.phase = result_of(job.result), "done"
        else:
            self._forget_result()
            self.problem = _why_not_made(job)


async def _find_job(user_id: uuid.UUID, job_id: str) -> ProcessingJob | None:
    try:
        return await in_transaction(jobs.get_job, user_id, uuid.UUID(job_id))
    except NotFound:  # deleted with its project
        return None


def _why_not_made(job: ProcessingJob | None) -> str:
    if job is None or job.status == JobStatus.CANCELLED:
        return CANCELLED
    return job.error or FAILED
