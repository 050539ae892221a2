"""Pages of mailed links: verify email, change or revert email, request and use a reset link."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from sp404_app.errors import AppError
from sp404_app.services.auth import login
from sp404_app.services.auth.one_time_tokens import INVALID_LINK
from sp404_app.services.infra import rate_limits
from sp404_app.services.infra.client_info import Client
from sp404_app.settings import settings
from sp404_app.state import forms
from sp404_app.state.base import SessionState

VERIFY_ERRORS = {
    "invalid": INVALID_LINK,
    "rate_limited": "Too many attempts. Wait a few minutes and open the link again.",
}
VERIFY_OUTCOMES = frozenset({"other", "sign_in"})
OTHER_VERIFY_ERROR = "Something went wrong. Open the link in the email again in a minute."
INCOMPLETE_LINK = "This link is incomplete. Open it again from the email."


class MailedLink(SessionState, mixin=True):
    """Base of the pages of mailed links: a button redeems the token in the URL.

    Opening a link changes nothing, as mail scanners open links too.
    """

    busy: bool = False
    done: bool = False
    problem: str = ""

    def _token(self) -> str:
        return self.router.url.query_parameters.get("token", "")

    def _reset_page(self) -> None:
        self.busy, self.done = False, bool(self.router.url.query_parameters.get("done"))
        self.problem = "" if self.done or self._token() else INCOMPLETE_LINK

    async def _redeem(
        self, redeem: Callable[[str, Client], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """Redeem the token, and show the result or the error."""
        if self.done:
            return  # a double click
        self.busy = True
        yield
        try:
            await redeem(self._token(), self._client())
            self.done, self.problem = True, ""
        except AppError as error:
            self.problem = str(error)
        finally:
            self.busy = False


class VerifyEmailState(SessionState):
    """The page that verifies the email of a new account by a form, as only a form can sign in.

    `email` is the one to confirm. `outcome` is "" before, "other" if the browser stays signed in to
    another account, and "sign_in" if the person has to sign in.
    """

    token: str = ""
    email: str = ""
    outcome: str = ""
    problem: str = ""
    loaded: bool = False

    @rx.event
    async def load(self) -> None:
        """Show the link in the URL, or the answer to the form; a link stays valid."""
        query = self.router.url.query_parameters
        self.token, self.email, error = query.get("token", ""), "", query.get("error", "")
        outcome = query.get("confirmed", "")
        self.outcome = outcome if outcome in VERIFY_OUTCOMES else ""
        self.problem = VERIFY_ERRORS.get(error, OTHER_VERIFY_ERROR) if error else ""
        if not (self.token or self.outcome or error):
            self.problem = INCOMPLETE_LINK
        if self.token:
            try:
                self.email = await login.find_email_to_verify(self.token, self._client())
            except AppError as problem:
                self.token, self.problem = "", str(problem)
        self.loaded = True


class EmailLinkState(MailedLink, SessionState):
    """The pages that confirm or revert a change of email."""

    email: str = ""

    @rx.event
    def load(self) -> None:
        """Reset the page for the link in the URL."""
        self._reset_page()
        self.email = ""

    @rx.event
    async def confirm(self) -> AsyncIterator[None]:
        """Change the account's email to the new one."""
        async for _ in self._redeem(self._confirm_change):
            yield

    @rx.event
    async def revert(self) -> AsyncIterator[EventSpec | None]:
        """Restore the email that the link was mailed to, which signs out this tab, too.

        The address has the result, as the tab connects again without what it had before.
        """
        async for _ in self._redeem(self._revert_change):
            yield None
        if self.done:
            yield rx.redirect("/revert-email?done=1")  # type: ignore[misc]

    async def _confirm_change(self, token: str, client: Client) -> None:
        self.email = await login.confirm_email(token, client)

    async def _revert_change(self, token: str, client: Client) -> None:
        await login.revert_email(token, client)


class ResetPasswordState(MailedLink, SessionState):
    """The page that sets a new password."""

    password_problem: str = ""
    _visit: int = 0

    @rx.event
    def load(self) -> None:
        """Reset the page for the link in the URL."""
        self._reset_page()
        self.password_problem = ""
        self._visit += 1

    @rx.event(background=True)
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[EventSpec]:
        """Set the password and sign out every device, in the background as hashing takes long.

        The address has the result, as this tab connects again without what it had before.
        """
        async with self:
            if self.busy or self.done:
                return  # a double click
            self.busy, client, visit, token = True, self._client(), self._visit, self._token()
        problems: dict[str, str] = {}
        try:
            await login.reset_password(token, forms.form_text(form, "password"), client)
        except AppError as error:
            problems = forms.field_errors(error, "password")
        async with self:
            if self._visit != visit:
                return  # the page was loaded again in the meantime
            self.busy, self.done = False, not problems
            self.problem = problems.get(forms.FORM, "")
            self.password_problem = problems.get("password", "")
        if not problems:
            yield rx.redirect("/reset-password?done=1")  # type: ignore[misc]


class ForgotPasswordState(SessionState):
    """The page that requests a reset link."""

    busy: bool = False
    sent: bool = False
    problem: str = ""
    development: bool = False

    @rx.event
    def load(self) -> None:
        """Show an empty form."""
        self.busy, self.sent, self.problem = False, False, ""
        self.development = not settings().in_production

    @rx.event
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[None]:
        """Mail a reset link if the email has an account; the page looks the same if not."""
        if self.sent:
            return  # a double click
        self.busy = True
        yield
        try:
            email = forms.form_text(form, "email")
            await rate_limits.count_password_reset_request(email, self._client().ip)
            self.sent, self.problem = True, ""
            yield  # shown before the lookup: its duration would reveal whether the account exists
            await login.forgot_password(email, self._client())
        except AppError as error:
            self.problem = str(error)
        finally:
            self.busy = False
