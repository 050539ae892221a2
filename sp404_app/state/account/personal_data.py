"""What is one's own, on the account page: address, picture, log, export, and the end."""

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
from sp404_app.services.infra.unsent_emails import Unsent
from sp404_app.state import double_click, forms
from sp404_app.state.account.activity_labels import said_of
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.reauthentication import sure
from sp404_app.state.base import SessionState
from sp404_app.state.formatting import size

SHOWN = 20
THOUGHT = 30  # seconds between asking for the end and pressing for it
LOOK_EVERY = 1.5
NOT_ENDED = "Nothing was deleted: your subscription could not be ended, or too long went by."
PICTURES = {
    "saved": "Saved.",
    "large": avatars.TOO_MANY,
    "heavy": avatars.TOO_HEAVY,
    "failed": "That did not work. Choose a picture and send it again.",
    "unreadable": avatars.UNREADABLE,
}


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of the log, in words."""

    words: str
    facts: str


class OwnDataState(SessionState):
    """Everything about this person that is not a setting."""

    avatar_url: str = ""
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
    seconds: int = THOUGHT
    end_problem: str = ""
    _asked_at: float = 0.0
    _acts: double_click.Acts = {}

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()]]:
        """Read the log, the picture and the newest export."""
        user_id = await self._user_id()
        self.avatar_url = (await in_transaction(users.profile, user_id)).avatar_url or ""
        code = self.router.url.query_parameters.get("picture", "")
        self.picture_said, self.picture_bad = PICTURES.get(code, ""), code != "saved"
        self.email_sent, self.email_problem = "", ""
        self.unsent = list(map(_unsent, await in_transaction(unsent_emails.for_person, user_id)))
        self.leaving, self._asked_at = False, 0.0
        ended = bool(self.router.url.query_parameters.get("end"))
        self.end_problem = NOT_ENDED if ended else ""
        events, _ = await in_transaction(audit_log.list_events, user_id, None, SHOWN)
        self.log = [_row(event) for event in events]
        self._show_export(await in_transaction(data_export.latest, user_id))
        if self.export == "open":
            yield OwnDataState.watch

    @rx.event
    async def remove_picture(self) -> None:
        """Take the picture away."""
        await in_transaction(avatars.remove, await self._user_id())
        self.avatar_url, self.picture_said = "", ""

    @rx.event
    async def change_email(self, form: dict[str, Any]) -> None:
        """Mail a link to a new address."""
        who = await self._signed_in()
        if double_click.is_repeated(self._acts, form):
            return
        self.email_sent, self.email_problem = "", ""
        try:
            email = forms.raw(form, "email")
            if not await sure(self, who, "own.change_email", dict(form)):
                return
            await rate_limits.address_change(who.user_id, email, self._client().ip)
            self.email_sent = await in_transaction(
                email_change.ask, who.user_id, email, self._client()
            )
            self._acts = double_click.remember(form)
        except AppError as error:
            self.email_problem = next(iter(forms.problems(error, "email").values()))

    @rx.event
    async def ask_export(self) -> AsyncIterator[EventType[()]]:
        """Ask for a zip of everything."""
        who = await self._signed_in()
        if await sure(self, who, "own.ask_export"):
            self._show_export(await in_transaction(data_export.ask, who.user_id, self._client()))
            yield OwnDataState.watch

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> None:
        """Show how far the export is, until it ends or the page is left."""
        user_id = await self._user_id()
        going = True
        while going:
            job = await in_transaction(data_export.latest, user_id)
            async with self:
                self._show_export(job)
                going = self.export == "open"
            await asyncio.sleep(LOOK_EVERY)

    @rx.event
    async def think(self) -> AsyncIterator[EventType[()]]:
        """Begin the thirty seconds of thought before an account can be deleted."""
        who = await self._signed_in()
        if await sure(self, who, "own.think"):
            self.leaving, self.seconds, self.end_problem = True, THOUGHT, ""
            self._asked_at = time.time()
            yield OwnDataState.count_down

    @rx.event(background=True, supersedes=True)
    async def count_down(self) -> None:
        """Show the seconds that are left to think."""
        await self._user_id()
        left = THOUGHT
        while left > 0:
            await asyncio.sleep(0.5)
            async with self:
                if not self.leaving:
                    return
                left = max(0, math.ceil(THOUGHT - (time.time() - self._asked_at)))
                self.seconds = left

    @rx.event
    async def stay(self) -> None:
        """Keep the account."""
        await self._user_id()
        self.leaving, self._asked_at, self.end_problem = False, 0.0, ""

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
            self.export_words = f"{size(job.result['size'])}, until {until:%d %b %Y}"
        elif job.status == JobStatus.FAILED:
            self.export, self.export_words = "failed", job.error


def _unsent(mail: Unsent) -> str:
    return f"{mail.at:%-d %B}: “{mail.subject}”, to {mail.recipient}. {mail.reason}"


def _row(event: AuditEvent) -> LogRow:
    at = dt.datetime.fromisoformat(event.at)
    facts = [f"{at:%d %b %Y, %H:%M} UTC", event.ip, event.details.get("name", "")]
    return LogRow(said_of(event.action), " · ".join(filter(None, facts)))


reauthentication.pending_actions |= {
    "own.change_email": OwnDataState.change_email,
    "own.ask_export": OwnDataState.ask_export,
    "own.think": OwnDataState.think,
}
