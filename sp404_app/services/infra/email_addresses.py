"""E-mail addresses: the one form in which they are kept, and which of them mail can reach.

Most mail servers do not speak SMTPUTF8 (RFC 6531): a domain has to travel as punycode, and a
part before the @ with other than ASCII letters cannot travel at all.
"""

from email.headerregistry import Address
from email.utils import parseaddr

import idna
from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from sp404_app.errors import ValidationFailed

LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
NO_ADDRESS = "This does not look like an e-mail address."
NOT_ASCII = (
    "We cannot send mail to this address: use one with only the letters a–z, digits and . _ + - "
    "before the @."
)
TOO_LONG = f"The part before the @ is too long: at most {LONGEST_LOCAL_PART} characters."


def canonical(email: str) -> str:
    """Return an address in the form we keep and look up: lower case, its domain as punycode.

    Raises:
        ValidationFailed: If it cannot be an address.
    """
    found = _read(email)
    return f"{found.local_part}@{found.ascii_domain}".lower()


def reachable(email: str) -> str:
    """Return an address in the form we keep, if mail servers take it.

    Raises:
        ValidationFailed: If it cannot be an address, or our mail could not reach it.
    """
    found = _read(email)
    if not found.local_part.isascii():
        raise ValidationFailed(NOT_ASCII, {"email": [NOT_ASCII]})
    if len(found.local_part) > LONGEST_LOCAL_PART:
        raise ValidationFailed(TOO_LONG, {"email": [TOO_LONG]})
    return canonical(email)


def _read(email: str) -> ValidatedEmail:
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError) as error:
        raise ValidationFailed(NO_ADDRESS, {"email": [NO_ADDRESS]}) from error


def sender(mail_from: str) -> Address:
    """Return the sender of our mails, as `Name <address>` in the settings, fit for any server."""
    name, address = parseaddr(mail_from)
    local_part, _, domain = address.rpartition("@")
    return Address(name, local_part, ascii_host(domain))


def ascii_host(host: str) -> str:
    """Return a host's name as punycode; what is no international name stays as it is."""
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host
