"""Normalise e-mail addresses, and reject those that most mail servers cannot deliver to.

Most mail servers do not support SMTPUTF8 (RFC 6531): a domain must be sent as punycode, and a
local part (before the @) must be ASCII.
"""

from email.headerregistry import Address
from email.utils import parseaddr

import idna
from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from sp404_app.errors import ValidationFailed

MAX_LOCAL_PART_LENGTH = 64  # RFC 5321, 4.5.3.1.1
NO_ADDRESS = "Enter a valid email address."
NOT_ASCII = (
    "We can't send email to this address. "
    "Use only the letters a–z, digits and . _ + - before the @."
)
TOO_LONG = f"Use at most {MAX_LOCAL_PART_LENGTH} characters before the @."


def canonical_address(email: str) -> str:
    """Return an address as it is stored and looked up: lower case, with a punycode domain.

    Raises:
        ValidationFailed: If it is not a valid address.
    """
    found = _parse(email)
    return f"{found.local_part}@{found.ascii_domain}".lower()


def deliverable_address(email: str) -> str:
    """Return an address as it is stored, if mail servers can deliver to it.

    Raises:
        ValidationFailed: If it is not a valid address, or mail cannot be delivered to it.
    """
    found = _parse(email)
    if not found.local_part.isascii():
        raise ValidationFailed(NOT_ASCII, {"email": [NOT_ASCII]})
    if len(found.local_part) > MAX_LOCAL_PART_LENGTH:
        raise ValidationFailed(TOO_LONG, {"email": [TOO_LONG]})
    return canonical_address(email)


def _parse(email: str) -> ValidatedEmail:
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError) as error:
        raise ValidationFailed(NO_ADDRESS, {"email": [NO_ADDRESS]}) from error


def sender(mail_from: str) -> Address:
    """Parse the sender of the settings (`Name <address>`); its domain becomes punycode."""
    name, address = parseaddr(mail_from)
    local_part, _, domain = address.rpartition("@")
    return Address(name, local_part, ascii_host(domain))


def ascii_host(host: str) -> str:
    """Return a host name as punycode; a name that cannot be encoded stays as it is."""
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host
