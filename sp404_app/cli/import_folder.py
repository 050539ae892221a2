"""`import FOLDER --user EMAIL`: add a folder of audio files to a user's library."""

import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from sqlalchemy.exc import OperationalError

from sp404_app.cli import database_access
from sp404_app.services.library import folder_import
from sp404_app.services.library.folder_import import ImportReport, ImportResult, Outcome
from sp404_app.settings import Settings, settings
from sp404_app.supervisor import redis_server
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home

INTERRUPTED_EXIT_CODE = 130  # as after SIGINT in a shell
LISTED_OUTCOMES = {Outcome.ADDED: "added", Outcome.REFUSED: "rejected"}


def import_folder(
    app_settings: Settings, root: Path, email: str, *, tagged: bool, as_json: bool
) -> int:
    """Import a folder, whether or not the library is running; print a report.

    Return the exit code: 0 if all audio files are in the library, 1 if some were rejected, 130 if
    the import was interrupted.

    Raises:
        Failure: If it is not a folder, or the database does not answer.
        NotFound: If no account has this e-mail address.
    """
    if not root.is_dir():
        raise Failure(f"{root} is not a folder.")
    with database_access.library_database(app_settings) as url:
        point_at(app_settings, url)
        try:
            user_id = folder_import.find_import_user(email)
            report = folder_import.import_folder(
                user_id, root, tagged=tagged, tell=_teller(as_json)
            )
        except OperationalError as error:
            raise Failure("The database stopped answering: run the import again.") from error
    sys.stdout.write(
        f"{report_as_text(report) if not as_json else json.dumps(report_as_dict(report))}\n"
    )
    if report.interrupted:
        return INTERRUPTED_EXIT_CODE
    return 1 if report.count(Outcome.REFUSED) else 0


def point_at(app_settings: Settings, database_url: str) -> None:
    """Make the services of this process use the library's database and Redis."""
    os.environ["SP404_DATABASE_URL"] = database_url
    os.environ["SP404_REDIS_URL"] = app_settings.redis_url or redis_server.embedded_redis_url(
        Home(app_settings.home)
    )
    settings.cache_clear()
    # Without a running library Redis does not answer; the next start queues jobs and e-mails.
    logging.getLogger("sp404_app.db").setLevel(logging.CRITICAL)


def _teller(as_json: bool) -> Callable[[ImportResult], object]:
    def tell(result: ImportResult) -> None:
        if result.outcome in LISTED_OUTCOMES and not as_json:
            reason = f": {result.reason}" if result.reason else ""
            sys.stdout.write(f"{LISTED_OUTCOMES[result.outcome]}  {result.file}{reason}\n")

    return tell


def report_as_text(report: ImportReport) -> str:
    """Return a one-line summary."""
    summary = (
        f"{report.count(Outcome.ADDED)} added, {report.count(Outcome.HERE)} already there, "
        f"{report.count(Outcome.REFUSED)} rejected, {report.count(Outcome.IGNORED)} other files."
    )
    return f"Interrupted: {summary} Run it again to continue." if report.interrupted else summary


def report_as_dict(report: ImportReport) -> dict[str, object]:
    """Return the summary that `--json` prints."""
    counts = Counter(result.outcome.value for result in report.results)
    return {
        **{outcome.value: counts[outcome.value] for outcome in Outcome},
        "interrupted": report.interrupted,
        "files": [asdict(result) for result in report.results],
    }
