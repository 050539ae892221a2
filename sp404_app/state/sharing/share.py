"""State of the dialog that shares one thing, and of the page that lists all links."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec, EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, NotFound, ValidationFailed
from sp404_app.models import ShareDownload
from sp404_app.models.columns import now
from sp404_app.services.auth import passwords
from sp404_app.services.sharing import shares
from sp404_app.services.sharing.shares import ShareOptions, ShareTarget
from sp404_app.state import double_click, forms, validation
from sp404_app.state.base import SessionState
from sp404_app.state.sharing.share_rows import DayRow, ShareRow, day_row, share_row
from sp404_app.state.toast import ToastState

EXPIRY_DAYS: Final = {"": None, "1": 1, "7": 7, "30": 30}
Stream = AsyncIterator[EventType[()] | EventSpec | None]


class ShareState(SessionState):
    """The links of one target while the dialog is open, else all links of the user."""

    is_open: bool = False
    loaded: bool = False
    kind: str = "sample"
    name: str = ""
    rows: list[ShareRow] = []
    days_of: str = ""  # the link whose days are shown
    days: list[DayRow] = []
    revoking_id: str = ""
    problem: str = ""
    busy: bool = False
    form_round: int = 0  # a new one empties the form
    _target_id: str = ""
    _acts: double_click.RecentActions = {}

    @rx.event
    async def load(self) -> None:
        """Show all links."""
        user_id = await self._user_id()
        self._close()
        await self._read(user_id)
        self.loaded = True

    @rx.event
    async def close_dialog(self) -> None:
        """Close the dialog of the former page."""
        await self._user_id()
        self._close()

    @rx.event
    async def open_for_sample(self, sample_id: str) -> None:
        """Open the dialog for a sound."""
        await self._open("sample", sample_id)

    @rx.event
    async def open_for_collection(self, collection_id: str) -> None:
        """Open the dialog for a collection."""
        await self._open("collection", collection_id)

    @rx.event
    async def open_for_project(self, project_id: str) -> None:
        """Open the dialog for a project."""
        await self._open("project", project_id)

    @rx.event
    async def create(self, form: dict[str, Any]) -> Stream:
        """Create a link as the form says."""
        user_id = await self._user_id()
        if self.busy or not self._target_id:
            return
        if double_click.is_repeated(self._acts, self._target_id, form):
            return
        self.busy, self.problem = True, ""
        yield None
        try:
            options = await _parse_options(form)
            target = ShareTarget(self.kind, validation.validate_id(self._target_id))
            await in_transaction(shares.create_share, user_id, target, options)
            self.form_round += 1
            self._acts = double_click.remember_action(self._target_id, form)
        except AppError as error:
            self.problem = str(error)
        finally:
            self.busy = False
        await self._read(user_id)

    @rx.event
    async def set_download(self, share_id: str, download: str) -> Stream:
        """Change what visitors may download."""
        async for shown in self._change(share_id, {"allow_download": _parse_download(download)}):
            yield shown

    @rx.event
    async def toggle_indexing(self, share_id: str) -> Stream:
        """Let search engines find the page of a link, or not."""
        row = next((row for row in self.rows if row.id == share_id), None)
        changes = {"allow_indexing": not (row and row.allow_indexing)}
        async for shown in self._change(share_id, changes):
            yield shown

    @rx.event
    async def show_days(self, share_id: str) -> Stream:
        """Show the plays and downloads of a link by day, or hide them."""
        user_id, chosen = await self._user_id(), validation.validate_id(share_id)
        try:
            found = await in_transaction(shares.get_share, user_id, chosen)
        except NotFound:
            yield await self._read(user_id)  # it was revoked elsewhere, and disappears
            raise
        self.days_of = "" if self.days_of == str(chosen) else str(chosen)
        self.days = [day_row(day) for day in found.days] if self.days_of else []

    @rx.event
    async def ask_revoke(self, share_id: str) -> Stream:
        """Ask whether to revoke a link."""
        user_id, chosen = await self._user_id(), validation.validate_id(share_id)
        try:
            await in_transaction(shares.get_share, user_id, chosen)
        except NotFound:
            yield await self._read(user_id)
            raise
        self.revoking_id = str(chosen)

    @rx.event
    async def keep(self) -> None:
        """Do not revoke the link."""
        await self._user_id()
        self.revoking_id = ""

    @rx.event
    async def revoke(self) -> Stream:
        """Revoke the link that was asked about."""
        user_id, revoking = await self._user_id(), self.revoking_id
        self.revoking_id = ""
        if revoking:
            chosen = validation.validate_id(revoking)
            try:
                await in_transaction(shares.revoke_share, user_id, chosen)
            except NotFound:
                yield await self._read(user_id)
                raise
            yield ToastState.show("Link revoked. It doesn’t work any more.")
        await self._read(user_id)

    async def _open(self, kind: str, target_id: str) -> None:
        user_id, chosen = await self._user_id(), validation.validate_id(target_id)
        self._close()
        target = ShareTarget(kind, chosen)
        self.name = await in_transaction(shares.target_name, user_id, target)
        self.kind, self._target_id = kind, str(chosen)
        await self._read(user_id)
        self.is_open = True

    async def _change(self, share_id: str, changes: dict[str, Any]) -> Stream:
        user_id, chosen = await self._user_id(), validation.validate_id(share_id)
        self.problem = ""
        try:
            await in_transaction(shares.change_share, user_id, chosen, changes)
        except ValidationFailed as error:
            self.problem = str(error)
        except NotFound:
            yield await self._read(user_id)
            raise
        await self._read(user_id)

    async def _read(self, user_id: uuid.UUID) -> None:
        target = None
        if self._target_id:
            target = ShareTarget(self.kind, validation.validate_id(self._target_id))
        found = await in_transaction(shares.list_shares, user_id, target)
        self.rows = [share_row(share) for share in found]

    def _close(self) -> None:
        self.is_open, self.busy, self.problem, self.revoking_id = False, False, "", ""
        self._target_id, self.rows, self.days_of, self.days = "", [], "", []


async def _parse_options(form: object) -> ShareOptions:
    fields = validation.validate_form(form)
    days = EXPIRY_DAYS.get(forms.form_text(fields, "expires"))
    password = forms.form_text(fields, "share_password")
    hashed = ""
    if password:
        passwords.ensure_acceptable_password(password)
        hashed = await passwords.hash_password(password)
    return ShareOptions(
        expires_at=now() + dt.timedelta(days=days) if days else None,
        password_hash=hashed,
        allow_download=_parse_download(fields.get("download", ShareDownload.NONE)),
        allow_indexing=bool(fields.get("indexing")),
    )


def _parse_download(value: object) -> ShareDownload:
    text = validation.validate_text(value, 20)
    if text not in set(ShareDownload):
        raise ValidationFailed("Choose what visitors may download.")
    return ShareDownload(text)
