"""Refuse to start in production with settings made for development."""

from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure


def ensure_production_settings(settings: Settings) -> None:
    """Check the settings that production needs.

    Raises:
        Failure: With one sentence for each setting that is missing.
    """
    if not settings.in_production:
        return
    if missing := list(_missing(settings)):
        raise Failure("\n".join(missing))


def _missing(settings: Settings) -> list[str]:
    checks = {
        "SP404_DATABASE_URL is not set: production needs a PostgreSQL with backups.": (
            settings.database_url
        ),
        "SP404_REDIS_URL is not set: production needs a monitored Redis.": (settings.redis_url),
        "SP404_SMTP_URL is not set: production needs a mail server.": settings.smtp_url,
        "SP404_STRIPE_SECRET_KEY is not set, or is not a key of Stripe: payments would fail.": (
            settings.stripe_secret_key
            and not settings.stripe_secret_key.startswith("sk_test_emulator_")
        ),
        "SP404_STRIPE_WEBHOOK_SECRET is not set: all of Stripe's events would be rejected.": (
            settings.stripe_webhook_secret
        ),
        "SP404_PUBLIC_URL is not an https:// address: cookies would be sent unencrypted.": (
            settings.public_url.startswith("https://")
        ),
    }
    return [message for message, passed in checks.items() if not passed]
