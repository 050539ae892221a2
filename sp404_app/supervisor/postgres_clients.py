"""`pg_dump` of a version that fits the server: newer tools can dump older servers, not reverse."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from sp404_app.supervisor import postgresql
from sp404_app.supervisor.errors import Failure

DEBIAN_FOLDERS = Path("/usr/lib/postgresql")
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
LIBPQ_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "channel_binding": "PGCHANNELBINDING",
}


def find_pg_dump(server_major: int) -> Path:
    """Return the oldest `pg_dump` of this machine that is not older than the server.

    Raises:
        Failure: If there is none.
    """
    found = {path: _major(path) for path in _installed("pg_dump")}
    fitting = [path for path, major in found.items() if major >= server_major]
    if fitting:
        return min(fitting, key=lambda path: found[path])
    newest = f"the newest pg_dump here is {max(found.values())}" if found else "pg_dump is missing"
    raise Failure(
        f"The database runs PostgreSQL {server_major}, and {newest}: "
        f"install the client programs of PostgreSQL {server_major}."
    )


def run_pg_dump(program: Path, url: str, *options: str) -> None:
    """Run `pg_dump`; the password is passed by the environment, not in the arguments.

    Raises:
        Failure: With the last line of its error output.
    """
    parameters = conninfo_to_dict(url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    for name, variable in LIBPQ_VARIABLES.items():
        if name in parameters:
            environment[variable] = str(parameters[name])
    done = subprocess.run(  # noqa: S603 - a fixed program
        [program, *options],
        env=environment | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Failure(f"pg_dump failed: {reason}")


def _installed(name: str) -> Iterator[Path]:
    with suppress(Failure):  # pip has no PostgreSQL for this machine: others may be installed
        yield postgresql.programs() / name
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)
    yield from DEBIAN_FOLDERS.glob(f"*/bin/{name}")


def _major(program: Path) -> int:
    """Return the major version of a program; 0 if it does not run."""
    done = subprocess.run(  # noqa: S603 - a fixed program
        [program, "--version"], capture_output=True, text=True, check=False
    )
    found = VERSION.search(done.stdout)
    return int(found[1]) if found else 0
