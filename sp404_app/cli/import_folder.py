"""`import FOLDER --user EMAIL`: an older library, or any folder of sounds, becomes somebody's."""

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
from sp404_app.services.library.folder_import import Outcome, Report, Result
from sp404_app.settings import Settings, settings
from sp404_app.supervisor import redis_server
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home

INTERRUPTED = 130
TOLD = {Outcome.ADDED: "added", Outcome.REFUSED: "refused"}


def import_folder(ours: Settings, root: Path, email: str, *, tagged: bool, as_json: bool) -> int:
    """Import a folder, whether or not the library is open; print a report, return the exit code.

    The code is 0 when everything that is a sound is in the library, 1 when some were refused,
    130 when it was interrupted.

    Raises:
        Failure: when the folder is none, or the database does not answer.
        NotFound: when nobody has the address.
    """
    if not root.is_dir():
        raise Failure(f"{root} is not a folder.")
    with database_access.database(ours, exclusive=False) as url:
        point_at(ours, url)
        try:
            user_id = folder_import.person(email)
            report = folder_import.take(user_id, root, tagged=tagged, tell=_teller(as_json))
        except OperationalError as error:
            raise Failure("The database stopped answering: run the import again.") from error
    sys.stdout.write(f"{as_text(report) if not as_json else json.dumps(as_object(report))}\n")
    if report.interrupted:
        return INTERRUPTED
    return 1 if report.count(Outcome.REFUSED) else 0


def point_at(ours: Settings, database_url: str) -> None:
    """Let the services of this process use the library's database and Redis."""
    os.environ["SP404_DATABASE_URL"] = database_url
    os.environ["SP404_REDIS_URL"] = ours.redis_url or redis_server.url(Home(ours.home))
    settings.cache_clear()
    # While the library is closed nobody listens; its next start takes up the jobs.
    logging.getLogger("sp404_app.db").setLevel(logging.CRITICAL)


def _teller(as_json: bool) -> Callable[[Result], object]:
    def tell(result: Result) -> None:
        if result.outcome in TOLD and not as_json:
            reason = f": {result.reason}" if result.reason else ""
            sys.stdout.write(f"{TOLD[result.outcome]}  {result.file}{reason}\n")

    return tell


def as_text(report: Report) -> str:
    """Summarise for a person."""
    told = (
        f"{report.count(Outcome.ADDED)} added, {report.count(Outcome.HERE)} here already, "
        f"{report.count(Outcome.REFUSED)} refused, {report.count(Outcome.IGNORED)} other files."
    )
    return f"Interrupted: {told} Run it again to go on." if report.interrupted else told


def as_object(report: Report) -> dict[str, object]:
    """Summarise for a program."""
    counts = Counter(result.outcome.value for result in report.results)
    return {
        **{outcome.value: counts[outcome.value] for outcome in Outcome},
        "interrupted": report.interrupted,
        "files": [asdict(result) for result in report.results],
    }
