"""Carry the library to a folder: database, sounds and secrets, as of one moment."""

import datetime as dt
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import obstore
import psycopg
from psycopg.conninfo import conninfo_to_dict

from sp404_app import __version__
from sp404_app.cli import backup_manifest, database_access
from sp404_app.errors import NotFound
from sp404_app.services.infra import pictures, storage
from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure, explained
from sp404_app.supervisor.postgresql import programs

LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


def back_up(settings: Settings, target: Path) -> str:
    """Write a backup into an empty or new folder and say what it holds.

    The library may be open meanwhile. The folder holds secrets, so only we may read it.

    Raises:
        Failure: when the folder is not empty or anything cannot be read or written.
    """
    with explained(target):
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(target.iterdir()):
            raise Failure(f"{target} is not empty: name a new folder for the backup.")
        target.chmod(0o700)
        with database_access.database(settings, exclusive=False) as url:
            missing = _dump(url, target)
        _copy_secrets(settings.secrets, target / backup_manifest.SECRETS)
        files = sorted(path for path in target.rglob("*") if path.is_file())
        entries = tuple(backup_manifest.entry(target, path) for path in files)
        created = dt.datetime.now(dt.UTC).isoformat()
        manifest = backup_manifest.Manifest(backup_manifest.FORMAT, __version__, created, entries)
        backup_manifest.write(target, manifest)
    sounds = len(manifest.under(backup_manifest.SOUNDS))
    lost = f" The files of {missing} samples were missing already." if missing else ""
    return f"Backed up the database and {sounds} files of sounds to {target}.{lost}"


def _dump(url: str, target: Path) -> int:
    """Dump what one snapshot shows, with every object; return how many sounds have none."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot = connection.execute("select pg_export_snapshot()").fetchone()
        wanted = {key for (key,) in connection.execute("select storage_key from samples")}
        assert snapshot
        client("pg_dump", url, "--no-owner", "--no-privileges", f"--snapshot={snapshot[0]}",
               f"--file={target / backup_manifest.DATABASE}")  # fmt: skip
    return len(wanted - _copy_sounds(target / backup_manifest.SOUNDS))


def _copy_sounds(folder: Path) -> set[str]:
    copied = set()
    for key in stored_keys():
        if key.startswith(f"{pictures.FOLDER}/"):
            continue  # spectrograms are drawn again when a page requests them
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with storage.local_copy(key) as source:
                shutil.copyfile(source, path)
        except NotFound:  # deleted since it was listed
            continue
        copied.add(key)
    return copied


def stored_keys() -> Iterator[str]:
    """Yield the key of every object in the store."""
    for page in obstore.list(storage.store()):
        for found in page:
            yield found["path"]


def _copy_secrets(source: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for path in source.iterdir() if source.exists() else ():
        if path.is_file() and not path.name.startswith("."):
            shutil.copyfile(path, folder / path.name)
            (folder / path.name).chmod(0o600)


def client(program: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's own clients; the password travels out of everybody's sight.

    Raises:
        Failure: with the last thing it said.
    """
    found = conninfo_to_dict(url)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    address = {LIBPQ[name]: str(value) for name, value in found.items() if name in LIBPQ}
    done = subprocess.run(  # noqa: S603 - our own programs
        [programs() / program, *options],
        env=clean | address | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Failure(f"{program} failed: {reason}")
