"""Refuse to start in production with settings made for one's own machine, or warn about them."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from email.utils import parseaddr
from urllib.parse import urlsplit

from sp404_app.errors import ValidationFailed
from sp404_app.services.infra import email_addresses
from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.messages import say_warning

EMULATOR_KEY_PREFIX = "sk_test_emulator_"
STRIPE_KEY = re.compile(r"(sk|rk)_(live|test)_\w+")
WEBHOOK_SECRET = re.compile(r"whsec_\S+")
LOCAL_NAMES = ("localhost", "localdomain", "invalid")

# Setting, what is wrong in one sentence, and the test that it is right.
Check = tuple[str, str, Callable[[Settings], object]]
REQUIRED: tuple[Check, ...] = (
    (
        "SP404_DATABASE_URL",
        "is not set: production needs a PostgreSQL with backups.",
        lambda settings: settings.database_url,
    ),
    (
        "SP404_REDIS_URL",
        "is not set: production needs a monitored Redis.",
        lambda settings: settings.redis_url,
    ),
    (
        "SP404_SMTP_URL",
        "is not set: production needs a mail server.",
        lambda settings: settings.smtp_url,
    ),
    (
        "SP404_MAIL_FROM",
        "is not an address of your own domain: mail servers reject what this machine's name sends.",
        lambda settings: _has_public_domain(settings.mail_from),
    ),
    (
        "SP404_PUBLIC_URL",
        "is not an https:// address: cookies would be sent unencrypted.",
        lambda settings: _is_https(settings.public_url),
    ),
    (
        "SP404_TRUSTED_PROXIES",
        "does not list your proxy's addresses: without them everybody shares the proxy's address, "
        "and one person's failed sign-ins lock all others out.",
        lambda settings: settings.trusted_proxies,
    ),
    (
        "SP404_TRUSTED_PROXIES",
        "trusts every address: anybody could claim to be somebody else.",
        lambda settings: all(network.prefixlen for network in settings.trusted_proxies),
    ),
)
REQUIRED_WITH_BILLING: tuple[Check, ...] = (
    (
        "SP404_STRIPE_SECRET_KEY",
        "is not set, or is not a key of Stripe: payments would fail (unless SP404_BILLING=off).",
        lambda settings: is_stripe_key(settings.stripe_secret_key),
    ),
    (
        "SP404_STRIPE_WEBHOOK_SECRET",
        "is not set, or is not a signing secret of Stripe (whsec_…): its events would be rejected.",
        lambda settings: (
            settings.stripe_webhook_secret
            and all(map(WEBHOOK_SECRET.fullmatch, settings.stripe_webhook_secret))
        ),
    ),
)
ADVISED: tuple[Check, ...] = (
    (
        "SP404_PUBLIC_URL",
        "is an address of this machine only: links in mails work nowhere else.",
        lambda settings: _is_public_host(urlsplit(settings.public_url).hostname or ""),
    ),
    (
        "SP404_HOST",
        "is an address of this machine only, but no trusted proxy runs here: "
        "nobody could reach the library.",
        lambda settings: (
            not _is_loopback(settings.host)
            or any(network.is_loopback for network in settings.trusted_proxies)
        ),
    ),
    (
        "SP404_STORAGE_URL",
        "is not set: sounds are kept in SP404_HOME, which only this host sees.",
        lambda settings: settings.storage_url,
    ),
    (
        "SP404_SECRETS_DIR",
        "is not set: keys and pepper are kept in SP404_HOME, which only this host sees.",
        lambda settings: settings.secrets_dir,
    ),
    (
        "SP404_PAGES_DIR",
        "is not set: terms, privacy policy and contact are the texts for private use.",
        lambda settings: settings.pages_dir,
    ),
    (
        "SP404_OPERATORS",
        "is not set: nobody sees failed mails and reported links on /operator.",
        lambda settings: settings.operators,
    ),
    (
        "SP404_METRICS_TOKEN",
        "is not set: nothing can read /metrics.",
        lambda settings: settings.metrics_token,
    ),
    (
        "SP404_STRIPE_SECRET_KEY",
        "is a key of Stripe's test mode: nobody is charged.",
        lambda settings: not settings.billing or "_test_" not in settings.stripe_secret_key,
    ),
)


def ensure_production_settings(settings: Settings) -> None:
    """Check the settings that production needs, and warn about those that it should have.

    Raises:
        Failure: With one sentence for each setting that is missing or wrong.
    """
    if not settings.in_production:
        if "_live_" in settings.stripe_secret_key:
            say_warning("SP404_STRIPE_SECRET_KEY is a live key in development: cards are charged.")
        return
    if missing := list(find_missing(settings)):
        raise Failure("\n".join(missing))
    for sentence in find_advised(settings):
        say_warning(sentence)


def find_missing(settings: Settings, name: str = "") -> Iterator[str]:
    """Yield one sentence for each setting (or the named one) that production cannot do without."""
    checks = REQUIRED + REQUIRED_WITH_BILLING if settings.billing else REQUIRED
    return _failed(checks, settings, name)


def find_advised(settings: Settings, name: str = "") -> Iterator[str]:
    """Yield one sentence for each setting (or the named one) that production should have."""
    return _failed(ADVISED, settings, name)


def _failed(checks: tuple[Check, ...], settings: Settings, wanted: str) -> Iterator[str]:
    for name, message, is_right in checks:
        if wanted in ("", name) and not is_right(settings):
            yield f"{name} {message}"


def is_stripe_key(key: str) -> bool:
    """Return whether a key has the form of Stripe's secret or restricted keys."""
    return bool(STRIPE_KEY.fullmatch(key)) and not key.startswith(EMULATOR_KEY_PREFIX)


def ensure_stripe_accepts_key(settings: Settings) -> None:
    """Ask Stripe whether it knows the key, if there is one; an outage of Stripe is no error.

    Raises:
        Failure: If Stripe refuses it.
    """
    if not settings.billing or not settings.stripe_secret_key:
        return
    # Only with a key: Stripe's client takes long to import.
    from sp404_app.services.billing import key_check  # noqa: PLC0415

    if (answer := key_check.ask_stripe(settings.stripe_secret_key)) is key_check.KeyAnswer.REFUSED:
        raise Failure(key_check.SENTENCES[answer])
    if answer is not key_check.KeyAnswer.ACCEPTED:
        say_warning(key_check.SENTENCES[answer])


def _has_public_domain(mail_from: str) -> bool:
    try:
        address = email_addresses.canonical_address(parseaddr(mail_from)[1])
    except ValidationFailed:
        return False
    return _is_public_host(address.rpartition("@")[2])


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def _is_public_host(host: str) -> bool:
    if _is_loopback(host):
        return False
    try:
        return not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host.rstrip(".").rpartition(".")[2] not in ("", *LOCAL_NAMES)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").rpartition(".")[2] == "localhost"
