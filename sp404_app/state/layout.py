"""What the frame around every page needs to know of the person."""

import uuid

import reflex as rx
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.services.account import preferences
from sp404_app.services.billing import entitlements
from sp404_app.services.billing.access_rules import Access
from sp404_app.state.base import SessionState

ALARMS = {
    Access.PROBLEM: "Payment problem",
    Access.PAST_DUE: "Past due",
    Access.RESTRICTED: "Restricted",
}


class ShellState(SessionState):
    """How the person likes it."""

    theme: str = "dark"
    autoplay: bool = True
    levelled: bool = True
    folder_tags: bool = True
    alarm: str = ""

    @rx.event
    async def load(self) -> None:
        """Read the preferences, and whether a payment is missing."""
        found, self.alarm = await in_transaction(_read, await self._user_id())
        self.theme, self.autoplay = found.theme, found.autoplay
        self.levelled, self.folder_tags = found.level_previews, found.folders_become_tags


def _read(session: Session, user_id: uuid.UUID) -> tuple[preferences.Preferences, str]:
    access = entitlements.entitlement_of(session, user_id).access
    return preferences.preferences_of(session, user_id), ALARMS.get(access, "")
