"""What production must not be started with."""

from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure


def refuse_defaults(settings: Settings) -> None:
    """See that nothing made for a laptop serves strangers.

    Raises:
        Failure: with one sentence for each thing that is missing.
    """
    if not settings.in_production:
        return
    if missing := list(_missing(settings)):
        raise Failure("\n".join(missing))


def _missing(settings: Settings) -> list[str]:
    checks = {
        "SP404_DATABASE_URL is not set: production needs a PostgreSQL that is backed up.": (
            settings.database_url
        ),
        "SP404_REDIS_URL is not set: production needs a Redis that others can watch.": (
            settings.redis_url
        ),
        "SP404_SMTP_URL is not set: production sends real mail.": settings.smtp_url,
        "SP404_STRIPE_SECRET_KEY is not set, or not one of Stripe's: nobody could pay.": (
            settings.stripe_secret_key
            and not settings.stripe_secret_key.startswith("sk_test_emulator_")
        ),
        "SP404_STRIPE_WEBHOOK_SECRET is not set: every event of Stripe's would be refused.": (
            settings.stripe_webhook_secret
        ),
        "SP404_PUBLIC_URL is not an https:// address: cookies would travel in the clear.": (
            settings.public_url.startswith("https://")
        ),
    }
    return [sentence for sentence, fine in checks.items() if not fine]
