"""Compare migrations with models, or write a migration: `python -m tests.pending_migrations`."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sp404_app.supervisor import migrations, postgresql
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.watchdog import Watchdog
from tests.services_for_tests import FAST


@contextmanager
def empty_database() -> Iterator[str]:
    """Start an empty PostgreSQL and yield its URL."""
    with tempfile.TemporaryDirectory(prefix="sp404m-") as folder:
        home = Home(Path(folder))
        home.prepare()
        guard = Watchdog(home)
        try:
            server = postgresql.prepare_postgres(home, os.environ, FAST)
            server.start()
            postgresql.wait_for_postgres(server, home)
            yield postgresql.postgres_url(home)
        finally:
            guard.release()


def main() -> int:
    """Return 1 and print the differences if a model was changed without a migration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", metavar="MESSAGE", help="write the migration instead")
    options = parser.parse_args()
    with empty_database() as url:
        migrations.run_migrations(url)
        if options.write:
            migrations.write_migration(url, options.write)
            return 0
        missing = migrations.pending_migrations(url)
    for line in missing:
        sys.stderr.write(f"pending migration: {line}\n")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
