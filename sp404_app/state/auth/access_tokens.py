"""Personal access tokens on the account page."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.services.auth import personal_access_tokens
from sp404_app.services.auth.personal_access_tokens import Scope, TokenView
from sp404_app.state import double_click, forms, validation
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.reauthentication import sure
from sp404_app.state.base import SessionState

FIELDS = ("name", "abilities", "expires_in_days")


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token, in words."""

    id: str
    name: str
    facts: str
    expired: bool


class TokensState(SessionState):
    """The tokens, and the one that was just made."""

    rows: list[TokenRow] = []
    made: str = ""
    problems: dict[str, str] = {}
    round: int = 0
    _acts: double_click.Acts = {}

    @rx.event
    async def load(self) -> None:
        """Read the tokens."""
        user_id = await self._user_id()
        self.made, self.problems = "", {}
        self._show(await in_transaction(personal_access_tokens.all_of, user_id))

    @rx.event
    async def make(self, form: dict[str, Any]) -> None:
        """Make a token, and show it this once."""
        who = await self._signed_in()
        if double_click.is_repeated(self._acts, form):
            return
        self.made, self.problems = "", {}
        try:
            name, abilities, days = _wish(form)
            if not await sure(self, who, "tokens.make", dict(form)):
                return
            _, self.made = await in_transaction(
                personal_access_tokens.make, who.user_id, name, abilities, days, self._client()
            )
        except AppError as error:
            self.problems = forms.problems(error, *FIELDS)
            return
        self._acts = double_click.remember(form)
        self.round += 1
        self._show(await in_transaction(personal_access_tokens.all_of, who.user_id))

    @rx.event
    async def revoke(self, token_id: str) -> None:
        """Make a token worthless."""
        user_id = await self._user_id()
        await in_transaction(
            personal_access_tokens.revoke, user_id, validation.identity(token_id), self._client()
        )
        self.made = ""
        self._show(await in_transaction(personal_access_tokens.all_of, user_id))

    @rx.event
    async def put_away(self) -> None:
        """Hide the new token: it is copied."""
        await self._user_id()
        self.made = ""

    def _show(self, found: list[TokenView]) -> None:
        self.rows = [_row(token) for token in found]


def _wish(form: object) -> tuple[str, list[str], int | None]:
    """Read the form: a name, a checkbox for each ability, and for how many days."""
    fields = validation.form(form)
    days = forms.raw(form, "days")
    if days not in {"", "7", "30", "90", "365"}:
        raise ValidationFailed("Choose how long from the list.")
    wanted = [ability.value for ability in Scope if fields.get(ability)]
    return forms.raw(form, "token_name"), wanted, int(days) if days else None


def _row(token: TokenView) -> TokenRow:
    used = f"used {_day(token.last_used_at)}" if token.last_used_at else "never used"
    ends = f"ends {_day(token.expires_at)}" if token.expires_at else "no end"
    facts = [f"…{token.ending}", ", ".join(token.abilities), used, ends]
    return TokenRow(token.id, token.name, " · ".join(facts), token.expired)


def _day(moment: str) -> str:
    return f"{dt.datetime.fromisoformat(moment):%d %b %Y}"


reauthentication.pending_actions["tokens.make"] = TokensState.make
