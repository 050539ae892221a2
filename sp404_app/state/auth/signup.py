"""State of the sign-up page."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError
from sp404_app.models.columns import now
from sp404_app.services.auth import login
from sp404_app.services.infra import rate_limits, unsent_emails
from sp404_app.settings import settings
from sp404_app.state import double_click, forms
from sp404_app.state.base import SessionState

MAIL_CHECK_DELAYS_S = (2.0, 3.0, 5.0, 10.0, 20.0)  # between checks for a mail that failed
SIGNUP_FIELDS = ("email", "password", "first_name", "last_name")


class SignupState(SessionState):
    """The errors of the form, or the email that the link was sent to."""

    busy: bool = False
    problems: dict[str, str] = {}
    sent_to: str = ""
    resent: str = ""
    not_sent: bool = False
    development: bool = False
    _visit: int = 0
    _acts: double_click.RecentActions = {}

    @rx.event
    def load(self) -> None:
        """Show an empty form."""
        self.busy, self.problems, self.sent_to, self.resent = False, {}, "", ""
        self._visit, self.not_sent = self._visit + 1, False
        self.development = not settings().in_production

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[EventType[()]]:
        """Sign up; the page looks the same whether or not the email has an account.

        Runs in the background: hashing can take seconds under load, and a handler locks its tab's
        state while it runs.
        """
        async with self:
            if self.busy or self.sent_to:
                return  # a double click
            self.busy, client, visit = True, self._client(), self._visit
        sent_to, problems = "", {}
        try:
            email, password, first, last = (forms.form_text(form, name) for name in SIGNUP_FIELDS)
            sent_to = (await login.register(email, password, first, last, client)).email
        except AppError as error:
            problems = forms.field_errors(error, *SIGNUP_FIELDS)
        async with self:
            if self._visit != visit:
                return  # the page was loaded again in the meantime
            self.busy, self.sent_to, self.problems = False, sent_to, problems
        if sent_to:
            yield SignupState.watch_mail

    @rx.event(background=True, supersedes=True)
    async def watch_mail(self) -> None:
        """Show an error if the mail was given up or has failed four times, for up to 40 s."""
        visit, address = self._visit, self.sent_to
        since = now() - dt.timedelta(seconds=30)
        for pause in MAIL_CHECK_DELAYS_S:
            await asyncio.sleep(pause)
            if not address or self._visit != visit:
                return
            if await in_transaction(unsent_emails.is_email_undelivered, address, since):
                async with self:
                    if self._visit == visit:
                        self.not_sent = True
                return

    @rx.event
    async def resend(self) -> AsyncIterator[EventType[()]]:
        """Mail the verification link again."""
        if double_click.is_repeated(self._acts, "resend", self.sent_to):
            return
        try:
            await rate_limits.count_resend(self.sent_to, self._client().ip)
            await login.resend_verification(self.sent_to)
        except AppError as error:
            self.resent = str(error)
            return
        self._acts = double_click.remember_action("resend", self.sent_to)
        self.resent, self.not_sent = "Sent again. It may take a minute to arrive.", False
        yield SignupState.watch_mail
