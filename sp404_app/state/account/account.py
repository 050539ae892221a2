"""State of the account page: names, password, devices, preferences."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.services.account import preferences
from sp404_app.services.account.preferences import Preferences
from sp404_app.services.auth import login, sessions, users
from sp404_app.services.auth.sessions import Device, SignedIn
from sp404_app.state import forms, validation
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.password_meter import StrengthState
from sp404_app.state.auth.reauthentication import require_reauthentication
from sp404_app.state.base import SessionState

NAME_FIELDS = ("first_name", "last_name")
PASSWORD_FIELDS = ("current_password", "password")
PASSWORD_FORM = {forms.FORM: "password_form"}  # the page has two forms
PASSWORD_CHANGED = "Password changed. Your other devices have been signed out."  # noqa: S105 - a message


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A signed-in device as the list shows it."""

    id: str
    name: str
    facts: str
    current: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The data of the account page."""

    profile: users.Profile
    preferences: Preferences
    devices: list[Device]


class AccountState(SessionState):
    """The user's account."""

    loaded: bool = False
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    theme: str = "dark"
    switches: dict[str, bool] = {}
    devices: list[DeviceRow] = []
    has_others: bool = False
    problems: dict[str, str] = {}
    said: dict[str, str] = {}
    busy: bool = False
    form_round: int = 0
    _visit: int = 0

    @rx.event
    async def load(self) -> None:
        """Load the account."""
        page = await in_transaction(_load_account_page, await self._signed_in())
        self.email = page.profile.email
        self.first_name, self.last_name = page.profile.first_name, page.profile.last_name
        self._show_preferences(page.preferences)
        self._show_devices(page.devices)
        self.problems, self.said, self.loaded, self.busy = {}, {}, True, False
        self._visit += 1

    @rx.event
    async def save_names(self, form: dict[str, Any]) -> None:
        """Change the names."""
        user_id = await self._user_id()
        self.problems, self.said = {}, {}
        try:
            first, last = (forms.form_text(form, name) for name in NAME_FIELDS)
            profile = await in_transaction(users.rename_user, user_id, first, last)
        except AppError as error:
            self.problems = forms.field_errors(error, *NAME_FIELDS)
            return
        self.first_name, self.last_name = profile.first_name, profile.last_name
        self.said = {"names": "Saved."}

    @rx.event(background=True)
    async def change_password(self, form: dict[str, Any]) -> None:
        """Change the password and sign out the other devices; hashing takes long."""
        who = await self._signed_in()
        async with self:
            if self.busy:
                return  # a double click
            self.busy, self.problems, self.said = True, {}, {}
            client, visit = self._client(), self._visit
        problems: dict[str, str] = {}
        try:
            old, new = (forms.form_text(form, name) for name in PASSWORD_FIELDS)
            await login.change_password(who, old, new, client)
        except AppError as error:
            found = forms.field_errors(error, *PASSWORD_FIELDS)
            problems = {PASSWORD_FORM.get(name, name): words for name, words in found.items()}
        async with self:
            if self._visit != visit:
                return  # the page was loaded again in the meantime
            self.busy, self.problems = False, problems
            if not problems:
                self.said = {"password": PASSWORD_CHANGED}
                self.form_round += 1  # a new key empties the fields
                (await self.get_state(StrengthState)).words = ""
                await self._read_devices(who)

    @rx.event
    async def revoke(self, device_id: str) -> AsyncIterator[EventType[()] | None]:
        """Sign a device out; the current one too, if chosen."""
        who = await self._signed_in()
        chosen = validation.validate_id(device_id)
        if not await require_reauthentication(self, who, "account.revoke", str(chosen)):
            return
        await in_transaction(login.sign_out_device, who, chosen, self._client())
        if chosen == who.sign_in_id:
            yield rx.redirect("/login")
            return
        await self._read_devices(who)

    @rx.event
    async def revoke_others(self) -> None:
        """Sign out all devices but the current one."""
        who = await self._signed_in()
        if not await require_reauthentication(self, who, "account.revoke_others"):
            return
        await in_transaction(login.sign_out_other_devices, who, self._client())
        await self._read_devices(who)

    @rx.event
    async def set_preference(self, name: str, value: bool) -> None:
        """Set one preference."""
        user_id = await self._user_id()
        if validation.validate_text(name, 40) not in self.switches or not isinstance(value, bool):
            raise ValidationFailed("Unknown preference.")
        self._show_preferences(
            await in_transaction(preferences.change_preferences, user_id, {name: value})
        )

    @rx.event
    async def set_theme(self, theme: str) -> None:
        """Keep the theme that was chosen, for browsers that have no choice of their own."""
        user_id = await self._user_id()
        changes: dict[str, str | bool] = {"theme": validation.validate_text(theme, 20)}
        self._show_preferences(
            await in_transaction(preferences.change_preferences, user_id, changes)
        )

    def _show_preferences(self, found: Preferences) -> None:
        values = asdict(found)
        self.theme = values.pop("theme")
        self.switches = values

    async def _read_devices(self, who: SignedIn) -> None:
        self._show_devices(await in_transaction(sessions.list_devices, who.user_id, who.sign_in_id))

    def _show_devices(self, found: list[Device]) -> None:
        self.devices = [_device_row(device) for device in found]
        self.has_others = len(found) > 1


def _load_account_page(session: Session, who: SignedIn) -> AccountPage:
    return AccountPage(
        users.get_profile(session, who.user_id),
        preferences.get_preferences(session, who.user_id),
        sessions.list_devices(session, who.user_id, who.sign_in_id),
    )


def _device_row(device: Device) -> DeviceRow:
    seen = dt.datetime.fromisoformat(device.last_seen_at)
    facts = [device.ip, f"last seen {seen:%d %b %Y, %H:%M} UTC"]
    return DeviceRow(
        id=device.id,
        name=sessions.describe_device(device.user_agent, device.kind),
        facts=" · ".join(filter(None, facts)),
        current=device.current,
    )


reauthentication.pending_actions |= {
    "account.revoke": AccountState.revoke,
    "account.revoke_others": AccountState.revoke_others,
}
