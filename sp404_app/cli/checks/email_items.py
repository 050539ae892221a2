"""Items about the mail server; no mail is sent."""

import smtplib
from email.utils import parseaddr
from urllib.parse import urlsplit

from sp404_app.cli.checks.item import TIME_LIMIT_S, Finding, Item, Scope, missing, ok
from sp404_app.services.infra import smtp
from sp404_app.supervisor import production_checks

ACCEPTED = 250


def _server(scope: Scope) -> Finding:
    """Connect and sign in."""
    if not scope.settings.smtp_url:
        return missing(next(production_checks.find_missing(scope.settings, "SP404_SMTP_URL")))
    try:
        with smtp.connect(urlsplit(scope.settings.smtp_url), TIME_LIMIT_S):
            return ok("The mail server answers and accepts the password, if there is one.")
    except smtplib.SMTPAuthenticationError:
        return missing("The mail server refuses the password in SP404_SMTP_URL.")
    except smtplib.SMTPNotSupportedError:
        return missing("The mail server offers no STARTTLS, so the password cannot be sent.")
    except ValueError:
        return missing("SP404_SMTP_URL is not an address of a mail server.")
    except OSError as error:  # includes all other errors of smtplib
        return missing(f"The mail server of SP404_SMTP_URL does not answer ({_kind(error)}).")


def _sender(scope: Scope) -> Finding:
    """Ask the server whether it takes mail of our address."""
    if found := next(production_checks.find_missing(scope.settings, "SP404_MAIL_FROM"), ""):
        return missing(found)
    if not scope.settings.smtp_url:
        return missing("SP404_MAIL_FROM cannot be checked without SP404_SMTP_URL.")
    try:
        with smtp.connect(urlsplit(scope.settings.smtp_url), TIME_LIMIT_S) as session:
            code, _ = session.mail(parseaddr(scope.settings.mail_from)[1])
            session.rset()
    except (OSError, ValueError):
        return missing("SP404_MAIL_FROM cannot be checked: see the item email-server.")
    if code != ACCEPTED:
        return missing(f"The mail server refuses mail from SP404_MAIL_FROM ({code}).")
    return ok("The mail server accepts mail from SP404_MAIL_FROM.")


def _kind(error: OSError) -> str:
    return error.strerror or type(error).__name__


EMAIL_ITEMS = (Item("email-server", _server), Item("email-sender", _sender))
