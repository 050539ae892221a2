"""The sign-up page."""

from typing import Any

import reflex as rx

from sp404_app.errors import AppError
from sp404_app.services import doors, limits
from sp404_app.settings import settings
from sp404_app.state import double_click, forms
from sp404_app.state.session import SessionState

FIELDS = ("email", "password", "first_name", "last_name")


class SignupState(SessionState):
    """What is wrong with the form, or where the mail went."""

    busy: bool = False
    problems: dict[str, str] = {}
    sent_to: str = ""
    resent: str = ""
    development: bool = False
    _visit: int = 0
    _acts: double_click.Acts = {}

    @rx.event
    def load(self) -> None:
        """Begin with an empty form."""
        self.busy, self.problems, self.sent_to, self.resent = False, {}, "", ""
        self._visit += 1
        self.development = not settings().in_production

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> None:
        """Sign up; the answer is the same whether or not the address has an account.

        In the background, because hashing can take seconds when many people sign in, and a
        handler holds its tab's state for as long as it runs.
        """
        async with self:
            if self.busy or self.sent_to:
                return  # the second of two clicks
            self.busy, client, visit = True, self._client(), self._visit
        sent_to, problems = "", {}
        try:
            email, password, first, last = (forms.raw(form, name) for name in FIELDS)
            sent_to = (await doors.register(email, password, first, last, client)).email
        except AppError as error:
            problems = forms.problems(error, *FIELDS)
        async with self:
            if self._visit == visit:  # else the page was opened anew meanwhile
                self.busy, self.sent_to, self.problems = False, sent_to, problems

    @rx.event
    async def resend(self) -> None:
        """Mail the link again."""
        if double_click.is_repeated(self._acts, "resend", self.sent_to):
            return
        try:
            await limits.mail("resend", self.sent_to, self._client().ip, 3)
            await doors.resend_verification(self.sent_to)
        except AppError as error:
            self.resent = str(error)
            return
        self._acts = double_click.remember("resend", self.sent_to)
        self.resent = "Sent again. It can take a minute."
