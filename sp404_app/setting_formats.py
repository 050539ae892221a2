"""The forms of settings: addresses, a sender, a level.

Each function returns the value in its usual form, or raises a `ValueError` whose message completes
the sentence "SP404_… is invalid: …". No message repeats a value, because some are secret.
"""

from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, urlsplit

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
ENCODE = "special characters of its user name and password must be percent-encoded"


def database_address(value: str) -> str:
    """Return the address of a PostgreSQL; `postgres://`, as many hosts write it, is accepted."""
    parts = _split(value, ("postgresql", "postgres"), "postgresql://user:password@host:5432/name")
    if not parts.path.strip("/"):
        raise ValueError("it must end with the name of a database, as in postgresql://host/name")
    return value if parts.scheme == "postgresql" else f"postgresql{value[len(parts.scheme) :]}"


def redis_address(value: str) -> str:
    """Return the address of a Redis."""
    parts = _split(value, ("redis", "rediss", "unix"), "redis://host:6379/0")
    numbers = parse_qs(parts.query).get("db", [])
    if parts.scheme != "unix" and parts.path.strip("/"):
        numbers.append(parts.path.strip("/"))
    if not all(number.isdecimal() for number in numbers):
        raise ValueError("it must end with the number of a database, as in redis://host:6379/0")
    if not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise ValueError("it must look like redis://host:6379/0")
    return value


def public_address(value: str) -> str:
    """Return the address that browsers use: scheme, host and port."""
    parts = _split(value, ("http", "https"), "https://sounds.example")
    if not parts.hostname or "@" in parts.netloc:
        raise ValueError("it must look like https://sounds.example")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("it must be an address without a path, as in https://sounds.example")
    return value


def mail_address(value: str) -> str:
    """Return the address of a mail server."""
    example = "smtp://user:password@host:587"
    if not _split(value, ("smtp", "smtps"), example).hostname:
        raise ValueError(f"it must look like {example}")
    return value


def sentry_address(value: str) -> str:
    """Return the address of a project of Sentry (its DSN)."""
    example = "https://key@sentry.example/1"
    parts = _split(value, ("http", "https"), example)
    project = parts.path.rpartition("/")[2]
    if not (parts.hostname and parts.username and project.isascii() and project.isdecimal()):
        raise ValueError(f"it must look like {example}")
    return value


def storage_address(value: str) -> str:
    """Return the address of an object store."""
    parts = _split(value, ("file", "s3"), "s3://bucket/prefix or file:///folder")
    if not (parts.netloc if parts.scheme == "s3" else parts.path.startswith("/")):
        raise ValueError("it must look like s3://bucket/prefix or file:///folder")
    return value


def sender(value: str) -> str:
    """Return the sender of e-mails, with or without a name."""
    local_part, _, domain = parseaddr(value)[1].rpartition("@")
    if not local_part or not domain or not value.isprintable():
        raise ValueError("it must look like Crate 404 <noreply@sounds.example>")
    return value


def listening_address(value: str) -> str:
    """Return the address or host name that the web server listens on."""
    try:
        return str(ip_address(value.strip("[]")))
    except ValueError:
        labels = value.split(".")
        if all(0 < len(label) < 64 and label.replace("-", "").isalnum() for label in labels):
            return value
    raise ValueError("it must be an address of this machine, as in 127.0.0.1 or 0.0.0.0")


def log_level(value: str) -> str:
    """Return the name of a log level in capitals."""
    if value.upper() not in LOG_LEVELS:
        raise ValueError("it must be DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def _split(value: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    try:
        parts = urlsplit(value)
    except ValueError:  # brackets that enclose no IPv6 address
        raise ValueError(f"it must look like {example}") from None
    if parts.scheme not in schemes or not value.lower().startswith(f"{parts.scheme}:"):
        raise ValueError(f"it must look like {example}")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(f"its port must be a number; {ENCODE}") from None
    if parts.netloc.count("@") > 1 or any(character.isspace() for character in value):
        raise ValueError(ENCODE)
    return parts
