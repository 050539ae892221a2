"""What our mails say. No names: anybody may type anything as the name of an account."""

from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from sp404_app.settings import settings


@dataclass(frozen=True, slots=True)
class EmailContent:
    """A mail: paragraphs of plain text and perhaps one button."""

    subject: str
    before: tuple[str, ...]
    label: str = ""
    link: str = ""
    after: tuple[str, ...] = ()


IGNORE = "If this was not you, ignore this mail: nothing happens without the link."
REVERTS = (
    "The link works for seven days. It gives the account back to this address, signs out every "
    "device, and lets you choose a new password."
)
NOT_YOU = "If this was not you, choose a new password now: that signs out every device."


def verify_email(token: str) -> EmailContent:
    """Ask a new person to confirm their address."""
    return EmailContent(
        "Confirm your address",
        ("Welcome. One click, and your sample library is ready.",),
        "Confirm my address",
        _link("/verify-email", token),
        ("The link works once, within 24 hours.", IGNORE),
    )


def account_exists() -> EmailContent:
    """Tell an owner that somebody signed up with their address."""
    return EmailContent(
        "You already have an account",
        ("Somebody, probably you, signed up with this address. It has an account already.",),
        "Sign in",
        f"{settings().origin}/login",
        (
            f"Forgotten the password? Choose a new one at {settings().origin}/forgot-password",
            "If this was not you, ignore this mail: nothing has changed.",
        ),
    )


def finish_account(token: str) -> EmailContent:
    """Let the owner of a mailbox take over an account that was begun and never confirmed."""
    return EmailContent(
        "Finish your account",
        (
            (
                "Somebody, probably you, began an account with this address before and did not "
                "confirm it. Choose a password now, and it is yours."
            ),
        ),
        "Choose a password",
        _link("/reset-password", token),
        ("The link works once, within 60 minutes.", IGNORE),
    )


def reset_password(token: str) -> EmailContent:
    """Send the link that lets a person choose a new password."""
    return EmailContent(
        "Choose a new password",
        ("You asked for a new password for your sample library.",),
        "Choose a new password",
        _link("/reset-password", token),
        ("The link works once, within 60 minutes.", IGNORE),
    )


def password_changed() -> EmailContent:
    """Tell a person that their password is another one now."""
    return EmailContent(
        "Your password was changed",
        ("The password of your sample library was changed just now.",),
        "Choose a new password",
        f"{settings().origin}/forgot-password",
        (NOT_YOU,),
    )


def token_reused() -> EmailContent:
    """Warn that a used refresh token came back, which is what theft looks like."""
    return EmailContent(
        "We signed out one of your devices",
        (
            (
                "A program that uses your account sent a refresh token that had been used before. "
                "That happens when a token was copied, so we ended that sign-in."
            ),
        ),
        "See my devices",
        f"{settings().origin}/account",
        (NOT_YOU,),
    )


def two_factor_on() -> EmailContent:
    """Tell a person that signing in takes two steps now."""
    return EmailContent(
        "Two-step sign-in is on",
        ("From now on, signing in asks for a code of your app after the password.",),
        "See my account",
        f"{settings().origin}/account",
        ("Keep your recovery codes where you find them without your phone.", NOT_YOU),
    )


def two_factor_off() -> EmailContent:
    """Tell a person that the password alone signs in again."""
    return EmailContent(
        "Two-step sign-in is off",
        ("Two-step sign-in was turned off just now: the password alone signs in again.",),
        "See my account",
        f"{settings().origin}/account",
        (NOT_YOU,),
    )


def recovery_code_used(left: int) -> EmailContent:
    """Tell a person that a recovery code opened their account."""
    return EmailContent(
        "A recovery code was used",
        (f"Somebody signed in to your account with a recovery code. {left} are left.",),
        "Make new codes",
        f"{settings().origin}/account",
        (NOT_YOU,),
    )


def token_made() -> EmailContent:
    """Tell a person that there is a new key to their account."""
    return EmailContent(
        "A new access token was made",
        ("A personal access token for programs was made in your account just now.",),
        "See my tokens",
        f"{settings().origin}/account",
        ("If this was not you, revoke it there and choose a new password.",),
    )


def confirm_new_email(token: str) -> EmailContent:
    """Ask the owner of a new address whether it is theirs."""
    return EmailContent(
        "Confirm your new address",
        ("You asked to use this address for your sample library from now on.",),
        "Use this address",
        _link("/change-email", token),
        ("The link works once, within 24 hours.", IGNORE),
    )


def email_changing(token: str) -> EmailContent:
    """Tell the old address what was asked for, with a way to stop it."""
    return EmailContent(
        "Your address is about to change",
        (
            "Somebody, probably you, asked to use another address for your account.",
            "If it was you, there is nothing to do here: confirm it from the other mailbox.",
        ),
        "This was not me",
        _link("/revert-email", token),
        (REVERTS,),
    )


def email_changed(token: str) -> EmailContent:
    """Tell the old address that another one counts now, with a way back."""
    return EmailContent(
        "Your address was changed",
        ("Your account uses another address from now on, and this one no longer.",),
        "This was not me",
        _link("/revert-email", token),
        (REVERTS,),
    )


def account_deleted() -> EmailContent:
    """Say goodbye."""
    return EmailContent(
        "Your account is deleted",
        (
            "Your account, your sounds and everything else we kept about you is gone.",
            "A subscription you had has ended; nothing will be charged any more.",
        ),
    )


def export_ready() -> EmailContent:
    """Say that everything about a person is there to be taken home."""
    return EmailContent(
        "Your data is ready",
        ("The zip with your sounds and everything we know about you is made.",),
        "Download it",
        f"{settings().origin}/account",
        ("It can be downloaded for seven days, by you alone.", NOT_YOU),
    )


def as_text(letter: EmailContent) -> str:
    """Write a letter as plain text."""
    action = (f"{letter.label}:\n{letter.link}",) if letter.link else ()
    return (
        "\n\n".join(
            (
                *letter.before,
                *action,
                *letter.after,
                "Crate 404 · the sample library for SP-404 owners",
            )
        )
        + "\n"
    )


def as_html(letter: EmailContent) -> str:
    """Write a letter as a page that reads well on a phone, without anything to download."""
    rows = [_paragraph(line) for line in letter.before]
    if letter.link:
        rows.append(_button(letter.label, letter.link))
    rows += [_paragraph(line, "#6b6762") for line in letter.after]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(letter.subject)}</title></head>"
        '<body style="margin:0;background:#f3f1ee;padding:24px 12px">'
        '<div style="max-width:520px;margin:0 auto;background:#fff;border-radius:10px;'
        'padding:28px;font:16px/1.5 system-ui,sans-serif;color:#1b1a18">'
        '<p style="margin:0 0 20px;font:600 13px/1 ui-monospace,monospace;letter-spacing:.08em;'
        'color:#c2410c">CRATE 404</p>'
        f'<h1 style="margin:0 0 16px;font-size:22px">{escape(letter.subject)}</h1>'
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
