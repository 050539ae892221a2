"""State of the operator's list of reported links."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.auth import admin_access
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.sharing import share_reports
from sp404_app.services.sharing.share_reports import OpenReport
from sp404_app.state import validation
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.reauthentication import require_reauthentication
from sp404_app.state.base import SessionState


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report, formatted for the page."""

    id: str
    at: str
    reason: str
    note: str
    kind: str
    path: str
    is_live: bool


class ShareReportsState(SessionState):
    """The open reports; empty for everybody but operators."""

    rows: list[ReportRow] = []
    message: str = ""

    @rx.event
    async def load(self) -> None:
        """List the open reports, after checking the role and a recent password."""
        self.rows, self.message = [], ""
        who = await self._signed_in()
        try:
            await in_transaction(admin_access.ensure_operator, who.user_id)
        except NotFound:
            return  # the page says so itself
        if await require_reauthentication(self, who, "share_reports.load"):
            await self._read(who)

    @rx.event
    async def take_down(self, report: str) -> None:
        """Take down the link of a report."""
        await self._close(share_reports.take_down, "share_reports.take_down", report)

    @rx.event
    async def dismiss(self, report: str) -> None:
        """Close a report; its link stays."""
        await self._close(share_reports.dismiss, "share_reports.dismiss", report)

    async def _close(self, action: Callable[..., None], name: str, report: object) -> None:
        who = await self._signed_in()
        await in_transaction(admin_access.ensure_operator, who.user_id)
        chosen = validation.validate_id(report)
        if not await require_reauthentication(self, who, name, str(chosen)):
            return
        await in_transaction(action, who, chosen, self._client())
        is_down = action is share_reports.take_down
        self.message = "Link taken down." if is_down else "Report dismissed."
        await self._read(who)

    async def _read(self, who: SignedIn) -> None:
        found: list[OpenReport] = await in_transaction(share_reports.list_open_reports, who)
        self.rows = [_row(report) for report in found]


def _row(report: OpenReport) -> ReportRow:
    return ReportRow(
        id=str(report.id),
        at=f"{report.created_at:%d %b %Y %H:%M}",
        reason=report.reason,
        note=report.note,
        kind=report.kind,
        path=report.path,
        is_live=report.is_live,
    )


_ACTIONS: dict[str, Any] = {
    "share_reports.load": ShareReportsState.load,
    "share_reports.take_down": ShareReportsState.take_down,
    "share_reports.dismiss": ShareReportsState.dismiss,
}
reauthentication.pending_actions |= _ACTIONS
