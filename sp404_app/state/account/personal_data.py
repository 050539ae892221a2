"""State of the account page's personal data: photo, email, activity, export, deletion."""

import asyncio
import datetime as dt
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.services.account import avatars, data_export
from sp404_app.services.auth import email_change, users
from sp404_app.services.infra import audit_log, rate_limits, unsent_emails
from sp404_app.services.infra.audit_log import AuditEvent
from sp404_app.services.infra.unsent_emails import UnsentEmail
from sp404_app.settings import settings
from sp404_app.state import double_click, forms
from sp404_app.state.account.activity_labels import activity_label
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.reauthentication import require_reauthentication
from sp404_app.state.base import SessionState
from sp404_app.state.formatting import format_size

EVENTS_SHOWN = 20
DELETION_DELAY_S = 30  # seconds of countdown before the account can be deleted
POLL_INTERVAL_S = 1.5
NOT_DELETED = (
    "Your account wasn't deleted: we couldn't end your subscription, or your confirmation expired."
)
NOT_DELETED_WITHOUT_BILLING = (
    "Your account wasn't deleted: something failed on our side, or your confirmation expired."
)
PICTURE_RESULTS = {
    "saved": "Saved.",
    "large": avatars.TOO_MANY_PIXELS,
    "heavy": avatars.FILE_TOO_LARGE,
    "failed": "Upload failed. Choose a PNG, JPEG, WebP or GIF "
    f"up to {format_size(avatars.MAX_AVATAR_BYTES)}.",
    "unreadable": avatars.UNREADABLE,
}


@dataclass(frozen=True, slots=True)
class LogRow:
    """An audit log event as the list shows it."""

    words: str
    facts: str


class OwnDataState(SessionState):
    """The user's photo, email change, activity, export and deletion."""

    avatar_url: str = ""
    initials: str = ""
    picture_said: str = ""
    picture_bad: bool = False
    email_sent: str = ""
    email_problem: str = ""
    unsent: list[str] = []
    log: list[LogRow] = []
    export: str = ""
    export_url: str = ""
    export_words: str = ""
    percent: int = 0
    leaving: bool = False
    seconds: int = DELETION_DELAY_S
    end_problem: str = ""
    _deletion_began_at: float = 0.0
    _acts: double_click.RecentActions = {}

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()]]:
        """Load photo, activity and the newest export."""
        user_id = await self._user_id()
        profile = await in_transaction(users.get_profile, user_id)
        self.avatar_url, self.initials = profile.avatar_url or "", profile.initials
        code = self.router.url.query_parameters.get("picture", "")
        self.picture_said, self.picture_bad = PICTURE_RESULTS.get(code, ""), code != "saved"
        self.email_sent, self.email_problem = "", ""
        self.unsent = list(
            map(
                _unsent_line,
                await in_transaction(unsent_emails.list_unsent_emails_of_user, user_id),
            )
        )
        self.leaving, self._deletion_began_at = False, 0.0
        ended = bool(self.router.url.query_parameters.get("end"))
        problem = NOT_DELETED if settings().billing else NOT_DELETED_WITHOUT_BILLING
        self.end_problem = problem if ended else ""
        events, _ = await in_transaction(audit_log.list_audit_events, user_id, None, EVENTS_SHOWN)
        self.log = [_log_row(event) for event in events]
        self._show_export(await in_transaction(data_export.latest_export, user_id))
        if self.export == "open":
            yield OwnDataState.watch

    @rx.event
    async def remove_picture(self) -> None:
        """Remove the photo."""
        await in_transaction(avatars.remove_avatar, await self._user_id())
        self.avatar_url, self.picture_said = "", ""

    @rx.event
    async def change_email(self, form: dict[str, Any]) -> None:
        """Mail a confirmation link to the new email."""
        who = await self._signed_in()
        if double_click.is_repeated(self._acts, form):
            return
        self.email_sent, self.email_problem = "", ""
        try:
            email = forms.form_text(form, "email")
            if not await require_reauthentication(self, who, "own.change_email", dict(form)):
                return
            await rate_limits.count_email_change(who.user_id, email, self._client().ip)
            self.email_sent = await in_transaction(
                email_change.request_email_change, who.user_id, email, self._client()
            )
            self._acts = double_click.remember_action(form)
        except AppError as error:
            self.email_problem = next(iter(forms.field_errors(error, "email").values()))

    @rx.event
    async def request_export(self) -> AsyncIterator[EventType[()]]:
        """Request an export."""
        who = await self._signed_in()
        if await require_reauthentication(self, who, "own.request_export"):
            self._show_export(
                await in_transaction(data_export.request_export, who.user_id, self._client())
            )
            yield OwnDataState.watch

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> None:
        """Poll the progress of the export until it ends or the page is left."""
        user_id = await self._user_id()
        running = True
        while running:
            job = await in_transaction(data_export.latest_export, user_id)
            async with self:
                self._show_export(job)
                running = self.export == "open"
            await asyncio.sleep(POLL_INTERVAL_S)

    @rx.event
    async def begin_deletion(self) -> AsyncIterator[EventType[()]]:
        """Start the countdown of thirty seconds before the account can be deleted."""
        who = await self._signed_in()
        if await require_reauthentication(self, who, "own.begin_deletion"):
            self.leaving, self.seconds, self.end_problem = True, DELETION_DELAY_S, ""
            self._deletion_began_at = time.time()
            yield OwnDataState.count_down

    @rx.event(background=True, supersedes=True)
    async def count_down(self) -> None:
        """Show the seconds that are left."""
        await self._user_id()
        left = DELETION_DELAY_S
        while left > 0:
            await asyncio.sleep(0.5)
            async with self:
                if not self.leaving:
                    return
                left = max(0, math.ceil(DELETION_DELAY_S - (time.time() - self._deletion_began_at)))
                self.seconds = left

    @rx.event
    async def cancel_deletion(self) -> None:
        """Cancel the deletion."""
        await self._user_id()
        self.leaving, self._deletion_began_at, self.end_problem = False, 0.0, ""

    def _show_export(self, job: ProcessingJob | None) -> None:
        self.export, self.export_url, self.export_words = "", "", ""
        if job is None:
            return
        self.percent = round(job.progress * 100)
        if job.status in {JobStatus.QUEUED, JobStatus.RUNNING}:
            self.export = "open"
        elif job.status == JobStatus.DONE and job.result:
            until = dt.datetime.fromisoformat(job.result["expires_at"])
            self.export, self.export_url = "done", job.result["url"]
            self.export_words = f"{format_size(job.result['size'])}, expires {until:%d %b %Y}"
        elif job.status == JobStatus.FAILED:
            self.export, self.export_words = "failed", job.error


def _unsent_line(mail: UnsentEmail) -> str:
    return f"{mail.at:%-d %B}: “{mail.subject}”, to {mail.recipient}. {mail.reason}"


def _log_row(event: AuditEvent) -> LogRow:
    at = dt.datetime.fromisoformat(event.at)
    facts = [f"{at:%d %b %Y, %H:%M} UTC", event.ip, event.details.get("name", "")]
    return LogRow(activity_label(event.action), " · ".join(filter(None, facts)))


reauthentication.pending_actions |= {
    "own.change_email": OwnDataState.change_email,
    "own.request_export": OwnDataState.request_export,
    "own.begin_deletion": OwnDataState.begin_deletion,
}
