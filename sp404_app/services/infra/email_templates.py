"""Texts of account e-mails. They contain no names, because anyone can sign up with any name."""

from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from sp404_app.settings import settings


@dataclass(frozen=True, slots=True)
class EmailContent:
    """Content of an e-mail: paragraphs of plain text, and optionally one button."""

    subject: str
    before: tuple[str, ...]
    label: str = ""
    link: str = ""
    after: tuple[str, ...] = ()


IGNORE = "If you didn't request this, you can ignore this email. Nothing changes without the link."
REVERTS = (
    "The link works for seven days. It restores this email address, signs out every device and "
    "lets you choose a new password."
)
NOT_YOU = "If this wasn't you, reset your password now. That signs out every device."


def verify_email(token: str) -> EmailContent:
    """Ask a new user to confirm their e-mail address."""
    return EmailContent(
        "Confirm your email",
        ("Welcome to Crate 404. Confirm your email to start your sample library.",),
        "Confirm email",
        _link("/verify-email", token),
        ("The link works once and expires in 24 hours.", IGNORE),
    )


def account_exists() -> EmailContent:
    """Tell the owner of an account that someone signed up with their address."""
    return EmailContent(
        "You already have an account",
        ("Someone tried to create an account with this email, but you already have one.",),
        "Sign in",
        f"{settings().origin}/login",
        (
            f"Forgot your password? Reset it at {settings().origin}/forgot-password",
            "If this wasn't you, you can ignore this email. Nothing has changed.",
        ),
    )


def finish_account(token: str) -> EmailContent:
    """Let the owner of a mailbox take over an account that was never confirmed."""
    return EmailContent(
        "Finish creating your account",
        (
            (
                "Someone started an account with this email before and didn't confirm it. "
                "Choose a password to make it yours."
            ),
        ),
        "Choose password",
        _link("/reset-password", token),
        ("The link works once and expires in 60 minutes.", IGNORE),
    )


def reset_password(token: str) -> EmailContent:
    """Send the link to choose a new password."""
    return EmailContent(
        "Reset your password",
        ("You requested a new password for Crate 404.",),
        "Reset password",
        _link("/reset-password", token),
        ("The link works once and expires in 60 minutes.", IGNORE),
    )


def reset_password_after_revert(token: str) -> EmailContent:
    """Send the link to choose a new password after a change of email was undone."""
    return EmailContent(
        "Choose a new password",
        (
            (
                "The email of your Crate 404 account is this one again, and all devices were "
                "signed out. Choose a new password, as someone may know the old one."
            ),
        ),
        "Choose password",
        _link("/reset-password", token),
        ("The link works once and expires in 60 minutes.",),
    )


def password_changed() -> EmailContent:
    """Report a changed password."""
    return EmailContent(
        "Your password was changed",
        ("The password of your account was just changed.",),
        "Reset password",
        f"{settings().origin}/forgot-password",
        (NOT_YOU,),
    )


def token_reused() -> EmailContent:
    """Warn of a reused refresh token, which may have been stolen."""
    return EmailContent(
        "We signed out one of your devices",
        (
            (
                "An app connected to your account used a sign-in token for the second time. "
                "The token may have been copied, so we signed that app out."
            ),
        ),
        "Review devices",
        f"{settings().origin}/account",
        (NOT_YOU,),
    )


def two_factor_on() -> EmailContent:
    """Report that two-factor authentication was turned on."""
    return EmailContent(
        "Two-factor authentication is on",
        ("From now on you need a code from your authenticator app to sign in.",),
        "Go to account",
        f"{settings().origin}/account",
        ("Keep your recovery codes somewhere safe, away from your phone.", NOT_YOU),
    )


def two_factor_off() -> EmailContent:
    """Report that two-factor authentication was turned off."""
    return EmailContent(
        "Two-factor authentication is off",
        ("Two-factor authentication was just turned off. You sign in with your password only.",),
        "Go to account",
        f"{settings().origin}/account",
        (NOT_YOU,),
    )


def recovery_code_used(left: int) -> EmailContent:
    """Report a sign-in with a recovery code."""
    return EmailContent(
        "A recovery code was used",
        (f"A recovery code was used to sign in to your account. You have {left} left.",),
        "Get new codes",
        f"{settings().origin}/account",
        (NOT_YOU,),
    )


def token_made() -> EmailContent:
    """Report a new personal access token."""
    return EmailContent(
        "Access token created",
        ("A new access token was just created for your account.",),
        "Review access tokens",
        f"{settings().origin}/account",
        ("If this wasn't you, revoke the token and reset your password.",),
    )


def confirm_new_email(token: str) -> EmailContent:
    """Ask the owner of a new address to confirm it."""
    return EmailContent(
        "Confirm your new email",
        ("You asked to use this email for your Crate 404 account.",),
        "Confirm email",
        _link("/change-email", token),
        ("The link works once and expires in 24 hours.", IGNORE),
    )


def email_changing(token: str) -> EmailContent:
    """Tell the current address of a requested change, with a link to stop it."""
    return EmailContent(
        "Your email is about to change",
        (
            "Someone asked to change the email of your account.",
            "If it was you, confirm the change from your new mailbox. Nothing to do here.",
        ),
        "This wasn't me",
        _link("/revert-email", token),
        (REVERTS,),
    )


def email_changed(token: str) -> EmailContent:
    """Tell the former address of the change, with a link to undo it."""
    return EmailContent(
        "Your email was changed",
        ("Your account now uses a different email. You can no longer sign in with this one.",),
        "This wasn't me",
        _link("/revert-email", token),
        (REVERTS,),
    )


def account_deleted() -> EmailContent:
    """Confirm the deletion of an account."""
    text = ["Your account, your sounds and all your data have been deleted."]
    if settings().billing:
        text.append("If you had a subscription, it has ended. You won't be charged again.")
    return EmailContent("Your account is deleted", tuple(text))


def export_ready() -> EmailContent:
    """Tell a user that the export of their data is ready."""
    return EmailContent(
        "Your data is ready",
        ("The ZIP with your sounds and all your data is ready.",),
        "Download",
        f"{settings().origin}/account",
        ("You can download it for seven days.", NOT_YOU),
    )


def as_text(content: EmailContent) -> str:
    """Render the plain text part."""
    action = (f"{content.label}:\n{content.link}",) if content.link else ()
    return (
        "\n\n".join(
            (
                *content.before,
                *action,
                *content.after,
                "Crate 404 · the sample library for SP-404 owners",
            )
        )
        + "\n"
    )


def as_html(content: EmailContent) -> str:
    """Render the HTML part: one narrow column, without images or other external resources."""
    rows = [_paragraph(line) for line in content.before]
    if content.link:
        rows.append(_button(content.label, content.link))
    rows += [_paragraph(line, "#6b6762") for line in content.after]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(content.subject)}</title></head>"
        '<body style="margin:0;background:#f3f1ee;padding:24px 12px">'
        '<div style="max-width:520px;margin:0 auto;background:#fff;border-radius:10px;'
        'padding:28px;font:16px/1.5 system-ui,sans-serif;color:#1b1a18">'
        '<p style="margin:0 0 20px;font:600 13px/1 ui-monospace,monospace;content-spacing:.08em;'
        'color:#c2410c">CRATE 404</p>'
        f'<h1 style="margin:0 0 16px;font-size:22px">{escape(content.subject)}</h1>'
        f"{''.join(rows)}</div></body></html>"
    )


def _paragraph(line: str, colour: str = "#1b1a18") -> str:
    return f'<p style="margin:0 0 16px;color:{colour}">{escape(line)}</p>'


def _button(label: str, link: str) -> str:
    return (
        f'<p style="margin:24px 0"><a href="{escape(link)}" style="display:inline-block;'
        "background:#c2410c;color:#fff;text-decoration:none;font-weight:600;padding:13px 22px;"
        f'border-radius:8px">{escape(label)}</a></p>'
    )


def _link(path: str, token: str) -> str:
    return f"{settings().origin}{path}?token={quote(token)}"
