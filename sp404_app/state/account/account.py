"""The account page."""

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
from sp404_app.state.auth.reauthentication import sure
from sp404_app.state.base import SessionState
from sp404_app.state.layout import ShellState

NAMES = ("first_name", "last_name")
PASSWORDS = ("current_password", "password")
PASSWORD_FORM = {forms.FORM: "password_form"}  # two forms on one page
CHANGED = "Your password is changed, and your other devices are signed out."


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One signed-in device, in words."""

    id: str
    name: str
    facts: str
    current: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the page shows when it opens."""

    profile: users.Profile
    preferences: Preferences
    devices: list[Device]


class AccountState(SessionState):
    """A person's own account."""

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
        """Read the account of whoever is signed in."""
        found = await in_transaction(_facts, await self._signed_in())
        self.email = found.profile.email
        self.first_name, self.last_name = found.profile.first_name, found.profile.last_name
        self._show_preferences(found.preferences)
        self._show_devices(found.devices)
        self.problems, self.said, self.loaded, self.busy = {}, {}, True, False
        self._visit += 1

    @rx.event
    async def save_names(self, form: dict[str, Any]) -> None:
        """Change the names."""
        user_id = await self._user_id()
        self.problems, self.said = {}, {}
        try:
            first, last = (forms.raw(form, name) for name in NAMES)
            found = await in_transaction(users.rename, user_id, first, last)
        except AppError as error:
            self.problems = forms.problems(error, *NAMES)
            return
        self.first_name, self.last_name = found.first_name, found.last_name
        self.said = {"names": "Saved."}

    @rx.event(background=True)
    async def change_password(self, form: dict[str, Any]) -> None:
        """Change the password and sign out the other devices; hashing it can take a while."""
        who = await self._signed_in()
        async with self:
            if self.busy:
                return  # the second of two clicks
            self.busy, self.problems, self.said = True, {}, {}
            client, visit = self._client(), self._visit
        problems: dict[str, str] = {}
        try:
            old, new = (forms.raw(form, name) for name in PASSWORDS)
            await login.change_password(who, old, new, client)
        except AppError as error:
            found = forms.problems(error, *PASSWORDS)
            problems = {PASSWORD_FORM.get(name, name): words for name, words in found.items()}
        async with self:
            if self._visit != visit:
                return  # the page was opened anew meanwhile
            self.busy, self.problems = False, problems
            if not problems:
                self.said = {"password": CHANGED}
                self.form_round += 1  # a new key, so that the browser empties the fields
                (await self.get_state(StrengthState)).words = ""
                await self._read_devices(who)

    @rx.event
    async def revoke(self, device_id: str) -> AsyncIterator[EventType[()] | None]:
        """Sign one device out; this one too, if it is chosen."""
        who = await self._signed_in()
        chosen = validation.identity(device_id)
        if not await sure(self, who, "account.revoke", str(chosen)):
            return
        await in_transaction(login.revoke, who, chosen, self._client())
        if chosen == who.sign_in_id:
            yield rx.redirect("/login")
            return
        await self._read_devices(who)

    @rx.event
    async def revoke_others(self) -> None:
        """Sign out every device but this one."""
        who = await self._signed_in()
        if not await sure(self, who, "account.revoke_others"):
            return
        await in_transaction(login.leave_others, who, self._client())
        await self._read_devices(who)

    @rx.event
    async def prefer(self, name: str, value: bool) -> None:
        """Turn one preference on or off."""
        user_id = await self._user_id()
        if validation.text(name, 40) not in self.switches or not isinstance(value, bool):
            raise ValidationFailed("There is no such preference.")
        self._show_preferences(await in_transaction(preferences.change, user_id, {name: value}))

    @rx.event
    async def choose_theme(self, theme: str) -> None:
        """Make the pages dark or light."""
        user_id = await self._user_id()
        changes: dict[str, str | bool] = {"theme": validation.text(theme, 20)}
        self._show_preferences(await in_transaction(preferences.change, user_id, changes))
        (await self.get_state(ShellState)).theme = self.theme

    def _show_preferences(self, found: Preferences) -> None:
        values = asdict(found)
        self.theme = values.pop("theme")
        self.switches = values

    async def _read_devices(self, who: SignedIn) -> None:
        self._show_devices(await in_transaction(sessions.devices, who.user_id, who.sign_in_id))

    def _show_devices(self, found: list[Device]) -> None:
        self.devices = [_row(device) for device in found]
        self.has_others = len(found) > 1


def _facts(session: Session, who: SignedIn) -> Facts:
    return Facts(
        users.profile(session, who.user_id),
        preferences.preferences_of(session, who.user_id),
        sessions.devices(session, who.user_id, who.sign_in_id),
    )


def _row(device: Device) -> DeviceRow:
    seen = dt.datetime.fromisoformat(device.last_seen_at)
    facts = [device.ip, f"last seen {seen:%d %b %Y, %H:%M} UTC"]
    return DeviceRow(
        id=device.id,
        name=sessions.described(device.user_agent, device.kind),
        facts=" · ".join(filter(None, facts)),
        current=device.current,
    )


reauthentication.pending_actions |= {
    "account.revoke": AccountState.revoke,
    "account.revoke_others": AccountState.revoke_others,
}
