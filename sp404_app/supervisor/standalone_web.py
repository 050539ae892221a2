"""`python -m sp404_app web`: the web server alone, as in a container, with databases elsewhere."""

import os
import sys

from sp404_app.settings import Settings
from sp404_app.supervisor import database_checks, frontend, production_checks, restore_recovery
from sp404_app.supervisor.environment import ROOT, for_children
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.preflight import ensure_keys, ensure_reachable


def main(settings: Settings) -> int:
    """Replace this process by the web server, which gets signals and passed sockets directly.

    Raises:
        Failure: If a setting is missing, or the pages were not built from this code.
    """
    production_checks.ensure_production_settings(settings)
    production_checks.ensure_stripe_accepts_key(settings)
    for name, value in (
        ("SP404_DATABASE_URL", settings.database_url),
        ("SP404_REDIS_URL", settings.redis_url),
    ):
        if not value:
            raise Failure(f"{name} is not set. `serve` starts embedded servers, `web` does not.")
    home = Home(settings.home)
    home.prepare()
    ensure_reachable(settings.secrets)
    environment = for_children(settings, home)
    if not frontend.has_pages(settings, home, frontend.source_fingerprint(settings)):
        raise Failure(
            "The pages of this code are not built: run `python -m sp404_app build`, or name a "
            "folder with built pages in SP404_BUNDLE_DIR."
        )
    restore_recovery.recover_before_start(settings, settings.database_url)
    ensure_keys(settings.secrets)
    database_checks.ensure_migrated(settings.database_url)
    os.chdir(ROOT)
    sys.stdout.flush()
    command = [os.fspath(part) for part in frontend.SERVE_COMMAND]
    os.execve(command[0], command, environment)  # noqa: S606 - our own program
