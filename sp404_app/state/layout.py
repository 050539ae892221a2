"""State of the frame around every page: preferences and payment problems."""

import uuid

import reflex as rx
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.services.account import preferences
from sp404_app.services.billing import entitlements
from sp404_app.services.billing.access_rules import Access
from sp404_app.state.base import SessionState

BILLING_ALERTS = {
    Access.PROBLEM: "Payment problem",
    Access.PAST_DUE: "Past due",
    Access.RESTRICTED: "Restricted",
}


class LayoutState(SessionState):
    """The user's preferences, and the alert about their payment, if any."""

    theme: str = "dark"
    autoplay: bool = True
    levelled: bool = True
    folder_tags: bool = True
    alarm: str = ""

    @rx.event
    async def load(self) -> None:
        """Load the preferences and the payment alert."""
        found, self.alarm = await in_transaction(_load_preferences_and_alert, await self._user_id())
        self.theme, self.autoplay = found.theme, found.autoplay
        self.levelled, self.folder_tags = found.level_previews, found.folders_become_tags


def _load_preferences_and_alert(
    session: Session, user_id: uuid.UUID
) -> tuple[preferences.Preferences, str]:
    access = entitlements.get_entitlement(session, user_id).access
    return preferences.get_preferences(session, user_id), BILLING_ALERTS.get(access, "")
