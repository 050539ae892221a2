"""The command line: `python -m sp404_app serve | web | worker | scheduler | migrate | backup | …`.

Each command imports its modules when it runs, so that `--help` and errors appear at once.
"""

import argparse
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from sp404_app.errors import AppError
from sp404_app.settings import SINGLE_THREADED, Settings, secret_files_folder, settings
from sp404_app.supervisor.errors import ConfigurationError, Failure
from sp404_app.supervisor.messages import say, say_error

REDIS_PAUSE_S = 2.0
MAX_DAYS = 36_500  # that backups are kept
# What a worker or scheduler alone needs in production; without the last two, mails would be lost.
WORKER_SETTINGS = (
    "SP404_DATABASE_URL",
    "SP404_REDIS_URL",
    "SP404_PUBLIC_URL",
    "SP404_SMTP_URL",
    "SP404_MAIL_FROM",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one sentence on stderr."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (Failure, AppError, ValidationError, SettingsError) as problem:
        write_error = say_error if options.run in PROCESSES else _write_error
        write_error(_error_message(problem))
        return _exit_code(problem)


def _write_error(message: str) -> None:
    sys.stderr.write(f"{message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sp404_app", description="Run and manage Crate 404."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="start all processes and serve the library")
    serve.add_argument("--reload", action="store_true", help="reload changed code")
    serve.add_argument("--with-parent", action="store_true", help="stop when the parent ends")
    serve.set_defaults(run=_serve)

    commands.add_parser("web", help="serve pages and API only").set_defaults(run=_web)
    _add_worker(commands.add_parser("worker", help="run jobs from the queues"))
    commands.add_parser("scheduler", help="do housekeeping, in one of all schedulers").set_defaults(
        run=_scheduler
    )
    _add_build(commands.add_parser("build", help="build the pages, and do nothing else"))
    commands.add_parser("migrate", help="migrate the database").set_defaults(run=_migrate)
    commands.add_parser("demo", help="create the demo account").set_defaults(run=_demo)

    _add_check(commands.add_parser("check", help="say what is missing before going live"))
    _add_backup(commands)
    _add_billing(commands.add_parser("billing", help="manage plans and payments"))

    analyse = commands.add_parser("analyse", help="analyse audio files and print the results")
    analyse.add_argument("paths", nargs="+", type=Path, metavar="FILE")
    analyse.add_argument("--json", action="store_true", help="print JSON, one object per file")
    analyse.set_defaults(run=_analyse)

    folder = commands.add_parser("import", help="import a folder into a user's library")
    folder.add_argument("folder", type=Path, metavar="FOLDER")
    folder.add_argument("--user", required=True, metavar="EMAIL", help="owner of the library")
    folder.add_argument("--tags", action="store_true", help="add the names of folders as tags")
    folder.add_argument("--json", action="store_true", help="print the report as JSON")
    folder.set_defaults(run=_import)

    _add_sync(commands.add_parser("sync", help="watch a folder and upload what is new"))
    _add_users(commands.add_parser("user", help="list, verify, audit, sign out, delete accounts"))
    _add_keys(commands.add_parser("keys", help="list, rotate, retire, audit signing keys"))
    return parser


def _add_check(check: argparse.ArgumentParser) -> None:
    check.add_argument("items", nargs="*", metavar="ITEM", help="names of items; all by default")
    check.add_argument("--json", action="store_true", help="print the results as JSON")
    check.add_argument("--backups", type=Path, metavar="DIR", help="folder with the backups")
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    from sp404_app.cli.check import check

    return check(_settings(), options.items, options.backups, as_json=options.json)


def _add_backup(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = commands.add_parser("backup", help="back up database, audio files and secrets")
    backup.add_argument("folder", type=Path, metavar="DIR")
    backup.add_argument(
        "--keep-days", type=_days, metavar="N", help="then delete backups beside it that are older"
    )
    backup.set_defaults(run=_backup)

    copy = commands.add_parser("copy-backup", help="copy the newest backup to another place")
    copy.add_argument("folder", type=Path, metavar="DIR", help="a backup, or a folder with them")
    copy.add_argument("url", metavar="URL", help="s3://BUCKET/PATH or file:///FOLDER")
    copy.add_argument(
        "--keep-days", type=_days, metavar="N", help="then delete copies that are older"
    )
    copy.set_defaults(run=_copy_backup)

    fetch = commands.add_parser("fetch-backup", help="download a copy of a backup, and verify it")
    fetch.add_argument("url", metavar="URL")
    fetch.add_argument("folder", type=Path, metavar="DIR")
    fetch.add_argument("--name", default="", help="of the backup, the newest one by default")
    fetch.set_defaults(run=_fetch_backup)

    restore = commands.add_parser("restore", help="restore a backup")
    restore.add_argument("folder", type=Path, metavar="DIR")
    restore.add_argument("--replace", action="store_true", help="delete the library that is here")
    restore.set_defaults(run=_restore)

    rehearsal = commands.add_parser(
        "rehearse-restore", help="restore a backup into a temporary database, and check it"
    )
    rehearsal.add_argument("folder", type=Path, metavar="DIR")
    rehearsal.set_defaults(run=_rehearse_restore)


def _days(text: str) -> int:
    days = int(text) if text.isdecimal() and len(text) <= len(str(MAX_DAYS)) else 0
    if not 1 <= days <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"keep backups for 1 to {MAX_DAYS} days")
    return days


def _add_billing(billing: argparse.ArgumentParser) -> None:
    commands = billing.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser(
        "setup", help="create products, prices, portal and webhook in Stripe; safe to repeat"
    ).set_defaults(run=_billing("set_up"))
    commands.add_parser(
        "reconcile", help="compare all accounts with Stripe, repair and report"
    ).set_defaults(run=_billing("reconcile"))
    commands.add_parser("dead", help="list Stripe events that failed for good").set_defaults(
        run=_billing("dead")
    )
    replay = commands.add_parser("replay", help="process failed Stripe events again")
    replay.add_argument("event", nargs="?", default="", help="id of one event; all by default")
    replay.set_defaults(run=_billing("replay"))


def _billing(command: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from sqlalchemy.exc import OperationalError

        from sp404_app.cli import billing
        from sp404_app.errors import AppError

        if not _settings().billing:
            raise Failure("SP404_BILLING is off: there are no plans and payments to manage.")
        _use_running_services()
        try:
            lines, code = billing.run(command, getattr(options, "event", ""))
        except AppError as problem:
            raise Failure(str(problem)) from problem
        except OperationalError as problem:
            raise Failure("The database does not answer: start the library first.") from problem
        print(*lines, sep="\n")
        return code

    return run


def _use_running_services() -> None:
    """Set the database and Redis URLs to those of the library that runs in this home."""
    from sp404_app.supervisor.environment import for_children
    from sp404_app.supervisor.home import Home

    found = for_children(_settings(), Home(_settings().home))
    os.environ |= {name: found[name] for name in ("SP404_DATABASE_URL", "SP404_REDIS_URL")}
    settings.cache_clear()


def _add_sync(sync: argparse.ArgumentParser) -> None:
    sync.add_argument("folder", type=Path, metavar="FOLDER")
    sync.add_argument("--url", default="", help="address of the library, by default this machine's")
    sync.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="file with a personal access token (samples:write), by default SP404_TOKEN",
    )
    sync.add_argument("--once", action="store_true", help="end when every file is handled")
    sync.add_argument("--verbose", action="store_true", help="also list files already there")
    sync.set_defaults(run=_sync)


def _add_users(user: argparse.ArgumentParser) -> None:
    commands = user.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="list all accounts").set_defaults(
        run=_account_command("user list")
    )
    for command, description in (
        ("verify", "confirm the email of an account"),
        ("audit", "show the audit log of an account"),
        ("two-factor-off", "turn off two-factor authentication"),
        ("sign-out", "sign an account out on all devices"),
        ("delete", "end the subscription and delete the account"),
    ):
        parser = commands.add_parser(command, help=description)
        parser.add_argument("name", metavar="EMAIL", help="or the account's id")
        parser.set_defaults(run=_account_command(f"user {command}"))
    export = commands.add_parser("export", help="write all data and sounds of an account to a ZIP")
    export.add_argument("name", metavar="EMAIL", help="or the account's id")
    export.add_argument("file", type=Path, metavar="FILE")
    export.set_defaults(run=_export_account)


def _add_keys(keys: argparse.ArgumentParser) -> None:
    commands = keys.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="list the keys").set_defaults(
        run=_account_command("keys list")
    )
    commands.add_parser("rotate", help="sign with a new key; sessions continue").set_defaults(
        run=_account_command("keys rotate")
    )
    for command, description in (
        ("rotate-pepper", "use a new pepper; passwords and sessions continue"),
        ("retire-peppers", "reject what only a former pepper can verify"),
    ):
        commands.add_parser(command, help=description).set_defaults(
            run=_account_command(f"keys {command}")
        )
    commands.add_parser(
        "audit", help="show audit events of keys and of addresses without an account"
    ).set_defaults(run=_account_command("keys audit"))
    retire = commands.add_parser("retire", help="reject all tokens that a key has signed")
    retire.add_argument("name", metavar="KID")
    retire.set_defaults(run=_account_command("keys retire"))


def _export_account(options: argparse.Namespace) -> int:
    from sp404_app.cli import users

    return users.export_account(_settings_of_database(), options.name, options.file)


def _account_command(command: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from sp404_app.cli import users

        return users.run_account_command(
            _settings_of_database(), command, getattr(options, "name", "")
        )

    return run


def _serve(options: argparse.Namespace) -> int:
    from sp404_app.supervisor.supervisor import serve

    return serve(_settings(), reload=options.reload, with_parent=options.with_parent)


def _web(_: argparse.Namespace) -> int:
    from sp404_app.supervisor import standalone_web

    return standalone_web.main(_settings())


def _scheduler(_: argparse.Namespace) -> int:
    _use_metrics_folder()
    _prepare_single_process()
    _serve_metrics()
    _wait_for_redis()
    from sp404_app.jobs import scheduler_process

    scheduler_process.main()
    return 0


def _add_worker(worker: argparse.ArgumentParser) -> None:
    worker.add_argument("--pictures", action="store_true", help="draw spectrograms instead")
    worker.set_defaults(run=_worker)


def _worker(options: argparse.Namespace) -> int:
    _use_metrics_folder()
    for name, value in {
        **dict.fromkeys(SINGLE_THREADED, "1"),
        "NUMBA_CACHE_DIR": str(_settings().home / "cache" / "numba"),
    }.items():
        os.environ.setdefault(name, value)  # `serve` has set them
    _prepare_single_process()
    _serve_metrics()
    _wait_for_redis()
    if options.pictures:
        from sp404_app.jobs import picture_worker

        picture_worker.main()
        return 0
    from sp404_app.jobs import worker

    worker.main()
    return 0


def _use_metrics_folder() -> None:
    """Find the folder of the metrics; call it before anything imports them.

    Raises:
        Failure: If the given folder cannot be written.
    """
    from sp404_app.telemetry import processes

    try:
        processes.use_own_folder()
    except OSError as error:
        raise Failure(
            f"{processes.FOLDER_VARIABLE}={processes.folder()} cannot be used: {error.strerror}. "
            "Choose a folder that can be written, or leave it unset."
        ) from error


def _prepare_single_process() -> None:
    """Find the services of a process that `serve` has not started, and check its settings.

    Raises:
        Failure: If a setting that production needs is missing, or the database is empty.
    """
    from sp404_app.supervisor import database_checks, orphans, production_checks

    if orphans.MARK in os.environ:
        return
    if not (_settings().database_url and _settings().redis_url):
        _use_running_services()
    if _settings().in_production:
        found = [
            each
            for name in WORKER_SETTINGS
            for each in production_checks.find_missing(_settings(), name)
        ]
        if found:
            raise Failure("\n".join(found))
    database_checks.ensure_migrated(_settings().database_url)


def _wait_for_redis() -> None:
    """Wait until Redis answers; a worker or scheduler alone ends with the reason instead.

    The supervisor would give up if a process that it restarts during an outage ended each time. The
    database is not checked: workers and schedulers wait for it.

    Raises:
        ConfigurationError: If a process that runs alone does not reach Redis.
    """
    from sp404_app.supervisor import orphans, service_checks

    while True:
        try:
            service_checks.ensure_redis(_settings().redis_url)
        except ConfigurationError:
            if orphans.MARK not in os.environ:
                raise
            time.sleep(REDIS_PAUSE_S)
        else:
            return


def _serve_metrics() -> None:
    """Serve this process's metrics on SP404_METRICS_PORT, if it is set.

    Raises:
        Failure: If the port cannot be used.
    """
    from sp404_app.telemetry import exposition

    port = _settings().metrics_port
    try:
        if port:
            exposition.serve_metrics(_settings().host, port, _settings().metrics_token)
    except OSError as error:
        raise Failure(
            f"Port {port} of SP404_METRICS_PORT cannot be used: choose another port."
        ) from error


def _add_build(build: argparse.ArgumentParser) -> None:
    build.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="for SP404_BUNDLE_DIR; else the home"
    )
    build.add_argument(
        "--zip", type=Path, metavar="DIR", help="also write frontend.zip and backend.zip"
    )
    build.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from sp404_app.supervisor import frontend

    folder, zips = (path and path.expanduser().absolute() for path in (options.folder, options.zip))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print(frontend.build_pages(_settings(), folder, zips))
    except KeyboardInterrupt:
        raise Failure("The build was stopped; the former pages are unchanged.") from None
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from sp404_app.supervisor import migrations, restore_recovery

    if not _settings().database_url:
        raise Failure("SP404_DATABASE_URL is not set. `serve` migrates the embedded database.")
    restore_recovery.recover_before_start(_settings(), _settings().database_url)
    accept_newer = _settings().accept_newer_database
    migrations.run_migrations(_settings().database_url, accept_newer=accept_newer)
    say(f"The database has what this version needs (revision {migrations.newest_revision()}).")
    return 0


def _backup(options: argparse.Namespace) -> int:
    from sp404_app.cli.backup import create_backup

    print(create_backup(_settings_of_database(), options.folder, options.keep_days))
    return 0


def _copy_backup(options: argparse.Namespace) -> int:
    from sp404_app.cli.backup_copies import copy_backup

    print(copy_backup(_settings_of_database(), options.folder, options.url, options.keep_days))
    return 0


def _fetch_backup(options: argparse.Namespace) -> int:
    from sp404_app.cli.backup_copies import fetch_backup

    print(fetch_backup(options.url, options.folder, options.name))
    return 0


def _restore(options: argparse.Namespace) -> int:
    from sp404_app.cli.restore import restore_backup

    print(restore_backup(_settings_of_database(), options.folder, replace=options.replace))
    return 0


def _rehearse_restore(options: argparse.Namespace) -> int:
    from sp404_app.cli.rehearse_restore import rehearse_restore

    print(rehearse_restore(_settings(), options.folder))
    return 0


def _demo(_: argparse.Namespace) -> int:
    from sp404_app.services.account import demo_account  # pyright: ignore[reportAttributeAccessIssue]

    demo_account.ensure_demo_account()
    credentials = _settings().home / "cache" / "demo-account"
    credentials.parent.mkdir(parents=True, exist_ok=True)
    credentials.write_text(f"{demo_account.DEMO_EMAIL}   password {demo_account.DEMO_PASSWORD}\n")
    return 0


def _analyse(options: argparse.Namespace) -> int:
    # Before NumPy loads: more threads than cores make these small computations slower.
    for name in SINGLE_THREADED:
        os.environ.setdefault(name, "1")
    from sp404_app.audio import cli  # pyright: ignore[reportAttributeAccessIssue]

    return cli.main(options.paths, as_json=options.json) or 0


def _import(options: argparse.Namespace) -> int:
    from sp404_app.cli.import_folder import import_folder

    return import_folder(
        _settings_of_database(),
        options.folder,
        options.user,
        tagged=options.tags,
        as_json=options.json,
    )


def _sync(options: argparse.Namespace) -> int:
    from sp404_app.cli.sync import SyncOptions, sync_folder

    url = options.url or f"http://localhost:{_settings().port}"
    chosen = SyncOptions(options.folder, url, once=options.once, verbose=options.verbose)
    return sync_folder(chosen, options.token_file)


def _settings() -> Settings:
    return settings()


def _settings_of_database() -> Settings:
    """Return the settings after a check that the database answers, if it is an external one.

    Raises:
        ConfigurationError: If it does not.
    """
    from sp404_app.supervisor import database_checks

    if _settings().database_url:
        database_checks.ensure_database(_settings().database_url)
    return _settings()


def _error_message(problem: Failure | AppError | ValidationError | SettingsError) -> str:
    if isinstance(problem, SettingsError):
        return _explain_unreadable(problem)
    if not isinstance(problem, ValidationError):
        return str(problem)
    # pydantic writes this prefix before the message of a ValueError.
    return "\n".join(
        f"{_variable(error['loc'])} is invalid: {error['msg'].removeprefix('Value error, ')}."
        for error in problem.errors()
    )


def _explain_unreadable(problem: SettingsError) -> str:
    """Return a sentence with the file of a setting: pydantic names the field alone."""
    field = re.search(r'field "(\w+)"', str(problem))
    if not field:
        return f"{problem}."
    cause = problem.__cause__
    reason = cause.strerror if isinstance(cause, OSError) else "it has no text in UTF-8"
    path = secret_files_folder() / f"sp404_{field[1]}"
    return f"{_variable(field.groups())} cannot be read from {path}: {reason}."


def _exit_code(problem: Failure | AppError | ValidationError | SettingsError) -> int:
    if isinstance(problem, ValidationError | SettingsError):
        return ConfigurationError.exit_code
    return problem.exit_code if isinstance(problem, Failure) else Failure.exit_code


def _variable(location: Sequence[object]) -> str:
    name = "_".join(map(str, location)).upper()
    return name if name == "PORT" else f"SP404_{name}"


# Their output is collected with the logs, so their errors are JSON where logs are collected.
PROCESSES = (_serve, _web, _worker, _scheduler, _migrate)
