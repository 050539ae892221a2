"""State of the frame around every page: preferences and payment problems."""

import uuid

import reflex as rx
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.models import Theme
from sp404_app.services.account import preferences
from sp404_app.services.billing import entitlements
from sp404_app.services.billing.access_rules import Access
from sp404_app.state import validation
from sp404_app.state.base import SessionState

BILLING_ALERTS = {
    Access.PROBLEM: "Payment problem",
    Access.PAST_DUE: "Past due",
    Access.RESTRICTED: "Restricted",
}


class LayoutState(SessionState):
    """The user's preferences, and the alert about their payment, if any.

    `theme` is the one that the browser shows, "dark" or "light", for figures that are drawn here;
    `chosen_theme` is the account's choice for browsers that have none, or "".
    """

    theme: str = "dark"
    chosen_theme: str = ""
    autoplay: bool = True
    levelled: bool = True
    folder_tags: bool = True
    alarm: str = ""

    _is_theme_known: bool = False

    @rx.event
    async def load(self) -> None:
        """Load the preferences and the payment alert."""
        found, self.alarm = await in_transaction(_load_preferences_and_alert, await self._user_id())
        self.autoplay = found.autoplay
        self.chosen_theme = "" if found.theme == Theme.DARK else found.theme
        if not self._is_theme_known:
            self.theme = "light" if found.theme == Theme.LIGHT else "dark"
        self.levelled, self.folder_tags = found.level_previews, found.folders_become_tags

    @rx.event
    async def show_theme(self, theme: str) -> None:
        """Take over which theme the browser shows."""
        await self._user_id()
        self.theme = "light" if validation.validate_text(theme, 10) == Theme.LIGHT else "dark"
        self._is_theme_known = True


def _load_preferences_and_alert(
    session: Session, user_id: uuid.UUID
) -> tuple[preferences.Preferences, str]:
    access = entitlements.get_entitlement(session, user_id).access
    return preferences.get_preferences(session, user_id), BILLING_ALERTS.get(access, "")
