"""URLs for signing in, signing up, passwords and email links."""

from sp404_app.pages.auth.change_email import change_email, revert_email
from sp404_app.pages.auth.forgot_password import forgot_password
from sp404_app.pages.auth.login import login
from sp404_app.pages.auth.reset_password import reset_password
from sp404_app.pages.auth.signup import signup
from sp404_app.pages.auth.verify_email import verify_email
from sp404_app.pages.page import Page
from sp404_app.state.auth.email_links import (
    EmailLinkState,
    ForgotPasswordState,
    ResetPasswordState,
    VerifyEmailState,
)
from sp404_app.state.auth.login import LoginState
from sp404_app.state.auth.password_meter import StrengthState
from sp404_app.state.auth.signup import SignupState

AUTH_PAGES = (
    Page(
        route="/signup",
        component=signup,
        title="Create account",
        on_load=[SignupState.load, StrengthState.load],
    ),
    Page(route="/login", component=login, title="Sign in", on_load=[LoginState.load]),
    Page(
        route="/verify-email",
        component=verify_email,
        title="Confirm your email",
        on_load=[VerifyEmailState.load],
    ),
    Page(
        route="/change-email",
        component=change_email,
        title="Confirm your new email",
        on_load=[EmailLinkState.load],
    ),
    Page(
        route="/revert-email",
        component=revert_email,
        title="Keep your email",
        on_load=[EmailLinkState.load],
    ),
    Page(
        route="/forgot-password",
        component=forgot_password,
        title="Forgot password?",
        on_load=[ForgotPasswordState.load],
    ),
    Page(
        route="/reset-password",
        component=reset_password,
        title="Choose a new password",
        on_load=[ResetPasswordState.load, StrengthState.load],
    ),
)
