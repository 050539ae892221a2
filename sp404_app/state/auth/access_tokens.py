"""State of the personal access tokens on the account page."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.services.auth import personal_access_tokens
from sp404_app.services.auth.personal_access_tokens import PersonalTokenView, offered_scopes
from sp404_app.state import double_click, forms, validation
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.reauthentication import require_reauthentication
from sp404_app.state.base import SessionState

TOKEN_FIELDS = ("name", "abilities", "expires_in_days")


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as the list shows it."""

    id: str
    name: str
    facts: str
    expired: bool


class TokensState(SessionState):
    """The user's tokens, and the one just created."""

    rows: list[TokenRow] = []
    made: str = ""
    problems: dict[str, str] = {}
    round: int = 0
    _acts: double_click.RecentActions = {}

    @rx.event
    async def load(self) -> None:
        """Load the tokens."""
        user_id = await self._user_id()
        self.made, self.problems = "", {}
        self._show(await in_transaction(personal_access_tokens.list_personal_tokens, user_id))

    @rx.event
    async def make(self, form: dict[str, Any]) -> None:
        """Create a token and show its secret once."""
        who = await self._signed_in()
        if double_click.is_repeated(self._acts, form):
            return
        self.made, self.problems = "", {}
        try:
            name, abilities, days = _read_token_form(form)
            if not await require_reauthentication(self, who, "tokens.make", dict(form)):
                return
            created = await in_transaction(
                personal_access_tokens.create_personal_token,
                who.user_id,
                name,
                abilities,
                days,
                self._client(),
            )
        except AppError as error:
            self.problems = forms.field_errors(error, *TOKEN_FIELDS)
            return
        self.made = created.token
        self._acts = double_click.remember_action(form)
        self.round += 1
        self._show(await in_transaction(personal_access_tokens.list_personal_tokens, who.user_id))

    @rx.event
    async def revoke(self, token_id: str) -> None:
        """Revoke a token."""
        user_id = await self._user_id()
        await in_transaction(
            personal_access_tokens.revoke_personal_token,
            user_id,
            validation.validate_id(token_id),
            self._client(),
        )
        self.made = ""
        self._show(await in_transaction(personal_access_tokens.list_personal_tokens, user_id))

    @rx.event
    async def hide_token(self) -> None:
        """Hide the new token's secret."""
        await self._user_id()
        self.made = ""

    def _show(self, found: list[PersonalTokenView]) -> None:
        self.rows = [_token_row(token) for token in found]


def _read_token_form(form: object) -> tuple[str, list[str], int | None]:
    """Return name, scopes and lifetime in days from the form."""
    fields = validation.validate_form(form)
    days = forms.form_text(form, "days")
    if days not in {"", "7", "30", "90", "365"}:
        raise ValidationFailed("Choose an expiry from the list.")
    scopes = [scope.value for scope in offered_scopes() if fields.get(scope)]
    return forms.form_text(form, "token_name"), scopes, int(days) if days else None


def _token_row(token: PersonalTokenView) -> TokenRow:
    used = f"last used {_date(token.last_used_at)}" if token.last_used_at else "never used"
    ends = f"expires {_date(token.expires_at)}" if token.expires_at else "never expires"
    offered = [ability for ability in token.abilities if ability in offered_scopes()]
    facts = [f"…{token.ending}", ", ".join(offered), used, ends]
    return TokenRow(token.id, token.name, " · ".join(facts), token.expired)


def _date(moment: str) -> str:
    return f"{dt.datetime.fromisoformat(moment):%d %b %Y}"


reauthentication.pending_actions["tokens.make"] = TokensState.make
