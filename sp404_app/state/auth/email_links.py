"""The pages that mailed links lead to, and the one that asks for such a mail."""

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from sp404_app.errors import AppError
from sp404_app.services.auth import login
from sp404_app.services.infra import rate_limits
from sp404_app.settings import settings
from sp404_app.state import forms
from sp404_app.state.base import SessionState

INCOMPLETE = "This link is not complete. Please open it from the mail again."


class VerifyEmailState(SessionState):
    """Confirming an address: by a press of a button, since mail scanners open links too."""

    busy: bool = False
    done: bool = False
    problem: str = ""

    @rx.event
    def load(self) -> None:
        """Begin anew for every link."""
        self.busy, self.done, self.problem = False, False, ""
        if not self.router.url.query_parameters.get("token"):
            self.problem = INCOMPLETE

    @rx.event
    async def confirm(self) -> AsyncIterator[None]:
        """Use the token in the address up."""
        if self.done:
            return  # the second of two clicks
        self.busy = True
        yield
        token = self.router.url.query_parameters.get("token", "")
        try:
            await login.verify_email(token, self._client())
            self.done, self.problem = True, ""
        except AppError as error:
            self.problem = str(error)
        finally:
            self.busy = False


class EmailLinkState(SessionState):
    """Changing an account's address, or taking that back: by a press of a button as well."""

    busy: bool = False
    done: bool = False
    problem: str = ""
    email: str = ""
    _finished: str = ""

    @rx.event
    def load(self) -> None:
        """Begin anew for every link."""
        token = self.router.url.query_parameters.get("token", "")
        if token and token == self._finished:
            return  # the line of a tab that was signed in ended with that, and it came back
        self.busy, self.done, self.problem, self.email = False, False, "", ""
        if not token:
            self.problem = INCOMPLETE

    @rx.event
    async def confirm(self) -> AsyncIterator[None]:
        """Use the new address from now on."""
        if self.done:
            return  # the second of two clicks
        self.busy = True
        yield
        token = self.router.url.query_parameters.get("token", "")
        try:
            self.email = await login.confirm_email(token, self._client())
            self.done, self.problem = True, ""
        except AppError as error:
            self.problem = str(error)
        finally:
            self.busy = False

    @rx.event
    async def revert(self) -> AsyncIterator[None]:
        """Give the account back to the address the link was mailed to."""
        if self.done:
            return  # the second of two clicks
        self.busy = True
        yield
        token = self.router.url.query_parameters.get("token", "")
        try:
            await login.revert_email(token, self._client())
            self.done, self.problem, self._finished = True, "", token
        except AppError as error:
            self.problem = str(error)
        finally:
            self.busy = False


class ForgotPasswordState(SessionState):
    """Asking for a link to choose a new password."""

    busy: bool = False
    sent: bool = False
    problem: str = ""
    development: bool = False

    @rx.event
    def load(self) -> None:
        """Begin with an empty form."""
        self.busy, self.sent, self.problem = False, False, ""
        self.development = not settings().in_production

    @rx.event
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[None]:
        """Say that a mail is on its way, whether or not one is."""
        if self.sent:
            return  # the second of two clicks
        self.busy = True
        yield
        try:
            email = forms.raw(form, "email")
            await rate_limits.forgotten(email, self._client().ip)
            self.sent, self.problem = True, ""
            yield  # shown before the address is looked up: how long that takes would tell
            await login.forgot_password(email, self._client())
        except AppError as error:
            self.problem = str(error)
        finally:
            self.busy = False


class ResetPasswordState(SessionState):
    """Choosing a new password by a mailed link."""

    busy: bool = False
    done: bool = False
    problems: dict[str, str] = {}
    _visit: int = 0

    @rx.event
    def load(self) -> None:
        """Begin anew for every link."""
        self.busy, self.done, self.problems = False, False, {}
        self._visit += 1

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> None:
        """Set the password and sign every device out; hashing it can take a while."""
        async with self:
            if self.busy or self.done:
                return  # the second of two clicks
            self.busy, client, visit = True, self._client(), self._visit
            token = self.router.url.query_parameters.get("token", "")
        problems: dict[str, str] = {}
        try:
            await login.reset_password(token, forms.raw(form, "password"), client)
        except AppError as error:
            problems = forms.problems(error, "password")
        async with self:
            if self._visit == visit:  # else the page was opened anew meanwhile
                self.busy, self.done, self.problems = False, not problems, problems
