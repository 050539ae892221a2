"""State of two-factor authentication on the account page: off, setup, on, recovery codes."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from sp404_app.db import in_transaction
from sp404_app.errors import AppError
from sp404_app.services.auth import two_factor
from sp404_app.services.infra import rate_limits
from sp404_app.state import forms, validation
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.reauthentication import require_reauthentication
from sp404_app.state.base import SessionState


class TwoFactorState(SessionState):
    """Whether two-factor authentication is on, and a setup in progress."""

    on: bool = False
    codes_left: int = 0
    secret: str = ""
    qr: str = ""
    codes: list[str] = []
    problem: str = ""
    asking: str = ""  # what is asked about before it is done: "renew", "turn_off" or nothing

    @rx.event
    async def load(self) -> None:
        """Load the status; an unfinished setup starts again."""
        user_id = await self._user_id()
        self.secret, self.qr, self.codes, self.problem, self.asking = "", "", [], "", ""
        status = await in_transaction(two_factor.two_factor_status, user_id)
        self.on, self.codes_left = status.on, status.codes_left

    @rx.event
    async def begin(self) -> None:
        """Begin a setup: show a new QR code."""
        who = await self._signed_in()
        if not await require_reauthentication(self, who, "two_factor.begin"):
            return
        self.problem, self.codes = "", []
        try:
            setup = await in_transaction(two_factor.begin_totp_setup, who.user_id)
        except AppError as error:
            self.problem = str(error)
            return
        self.secret = " ".join(setup.secret[i : i + 4] for i in range(0, len(setup.secret), 4))
        self.qr = setup.qr

    @rx.event
    async def confirm(self, form: dict[str, Any]) -> None:
        """Turn two-factor authentication on by the first code; show the recovery codes."""
        who = await self._signed_in()
        if self.on and self.codes:
            return  # a double click
        self.problem = ""
        if not await require_reauthentication(
            self, who, "two_factor.confirm", dict(validation.validate_form(form))
        ):
            return
        try:
            code = forms.form_text(form, "code")
            await rate_limits.count_two_factor_attempt(who.user_id)
            codes = await in_transaction(
                two_factor.confirm_totp_setup, who.user_id, code, self._client()
            )
        except AppError as error:
            self.problem = str(error)
            return
        self.codes, self.on, self.codes_left = codes, True, len(codes)
        self.secret, self.qr = "", ""

    @rx.event
    async def cancel(self) -> None:
        """Cancel the setup."""
        user_id = await self._user_id()
        if not self.on:
            await in_transaction(two_factor.cancel_totp_setup, user_id)
        self.secret, self.qr, self.problem = "", "", ""

    @rx.event
    async def ask(self, action: str) -> None:
        """Ask before "renew" or "turn_off"; stop asking with any other text."""
        await self._user_id()
        known = validation.validate_text(action, 20) in {"renew", "turn_off"}
        self.asking = action if known and self.on else ""

    @rx.event
    async def renew(self) -> None:
        """Replace the recovery codes and show the new ones."""
        who, self.asking = await self._signed_in(), ""
        if not await require_reauthentication(self, who, "two_factor.renew"):
            return
        self.problem = ""
        try:
            self.codes = await in_transaction(
                two_factor.renew_recovery_codes, who.user_id, self._client()
            )
        except AppError as error:
            self.problem = str(error)
            return
        self.codes_left = len(self.codes)

    @rx.event
    async def turn_off(self) -> None:
        """Turn two-factor authentication off."""
        who, self.asking = await self._signed_in(), ""
        if not await require_reauthentication(self, who, "two_factor.turn_off"):
            return
        await in_transaction(two_factor.turn_off_two_factor, who.user_id, self._client())
        self.on, self.codes_left, self.codes, self.problem = False, 0, [], ""

    @rx.event
    async def hide_codes(self) -> EventSpec:
        """Hide the recovery codes."""
        await self._user_id()
        self.codes = []
        return rx.set_focus("renew-codes")  # the button that was pressed is gone


reauthentication.pending_actions |= {
    "two_factor.begin": TwoFactorState.begin,
    "two_factor.confirm": TwoFactorState.confirm,
    "two_factor.renew": TwoFactorState.renew,
    "two_factor.turn_off": TwoFactorState.turn_off,
}
