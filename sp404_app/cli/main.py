"""Commands: `python -m sp404_app serve | worker | analyse | backup | restore | …`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from sp404_app.errors import AppError
from sp404_app.settings import SINGLE_THREADED, Settings, settings
from sp404_app.supervisor.errors import Failure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what went wrong is one sentence on stderr."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (Failure, AppError, ValidationError) as problem:
        sys.stderr.write(f"{_sentence(problem)}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sp404_app", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="start everything and open the library")
    serve.add_argument("--reload", action="store_true", help="take up changes of the code")
    serve.add_argument("--with-parent", action="store_true", help="stop when the parent is gone")
    serve.set_defaults(run=_serve)

    _add_worker(commands.add_parser("worker", help="take jobs from the queues"))
    commands.add_parser("migrate", help="bring the database up to date").set_defaults(run=_migrate)
    commands.add_parser("demo", help="make the demo account").set_defaults(run=_demo)

    backup = commands.add_parser("backup", help="carry database and sounds to a folder")
    backup.add_argument("folder", type=Path, metavar="DIR")
    backup.set_defaults(run=_backup)

    restore = commands.add_parser("restore", help="bring a backup back")
    restore.add_argument("folder", type=Path, metavar="DIR")
    restore.add_argument("--replace", action="store_true", help="throw away what is here")
    restore.set_defaults(run=_restore)

    _add_billing(commands.add_parser("billing", help="look after plans and payments"))

    analyse = commands.add_parser("analyse", help="say what the engine hears in files")
    analyse.add_argument("paths", nargs="+", type=Path, metavar="FILE")
    analyse.add_argument("--json", action="store_true", help="print JSON, one object per file")
    analyse.set_defaults(run=_analyse)

    take = commands.add_parser("import", help="take a folder of sounds into somebody's library")
    take.add_argument("folder", type=Path, metavar="FOLDER")
    take.add_argument("--user", required=True, metavar="EMAIL", help="whose library")
    take.add_argument("--tags", action="store_true", help="let the folders' names become tags")
    take.add_argument("--json", action="store_true", help="print the report as one JSON object")
    take.set_defaults(run=_import)

    _add_people(commands.add_parser("user", help="list, verify, audit, delete people"))
    _add_keys(commands.add_parser("keys", help="list, rotate, retire, audit the keys that sign"))
    return parser


def _add_billing(billing: argparse.ArgumentParser) -> None:
    commands = billing.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser(
        "setup", help="make products, prices, portal and webhook at Stripe; safe to repeat"
    ).set_defaults(run=_billing("set_up"))
    commands.add_parser(
        "reconcile", help="compare everybody with Stripe, heal and report"
    ).set_defaults(run=_billing("reconcile"))
    commands.add_parser("dead", help="list events that were given up").set_defaults(
        run=_billing("dead")
    )
    replay = commands.add_parser("replay", help="work on events again: all that were given up")
    replay.add_argument("event", nargs="?", default="", help="or one of them, by its id")
    replay.set_defaults(run=_billing("replay"))


def _billing(command: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from sqlalchemy.exc import OperationalError

        from sp404_app.cli import billing
        from sp404_app.errors import AppError

        _reach_services()
        try:
            lines, code = billing.run(command, getattr(options, "event", ""))
        except AppError as problem:
            raise Failure(str(problem)) from problem
        except OperationalError as problem:
            raise Failure("The database does not answer: start the library first.") from problem
        print(*lines, sep="\n")
        return code

    return run


def _reach_services() -> None:
    """Find the database and Redis of the library that runs in this home."""
    from sp404_app.supervisor.environment import for_children
    from sp404_app.supervisor.home import Home

    found = for_children(_settings(), Home(_settings().home))
    os.environ |= {name: found[name] for name in ("SP404_DATABASE_URL", "SP404_REDIS_URL")}
    settings.cache_clear()


def _add_people(user: argparse.ArgumentParser) -> None:
    commands = user.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="list all accounts").set_defaults(run=_by_hand("user list"))
    for command, words in (
        ("verify", "confirm somebody's address for them"),
        ("audit", "show what happened in an account"),
        ("two-factor-off", "let somebody who lost everything sign in by password"),
        ("sign-out", "end all sign-ins of somebody"),
        ("delete", "end the subscription and delete everything"),
    ):
        one = commands.add_parser(command, help=words)
        one.add_argument("name", metavar="EMAIL", help="or the account's id")
        one.set_defaults(run=_by_hand(f"user {command}"))


def _add_keys(keys: argparse.ArgumentParser) -> None:
    commands = keys.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="list the keys").set_defaults(run=_by_hand("keys list"))
    commands.add_parser("rotate", help="sign with a new key; nobody is signed out").set_defaults(
        run=_by_hand("keys rotate")
    )
    commands.add_parser(
        "audit", help="show what happened to keys, and to addresses nobody has"
    ).set_defaults(run=_by_hand("keys audit"))
    retire = commands.add_parser("retire", help="believe nothing any more that a key signed")
    retire.add_argument("name", metavar="KID")
    retire.set_defaults(run=_by_hand("keys retire"))


def _by_hand(command: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from sp404_app.cli import users

        return users.run(_settings(), command, getattr(options, "name", ""))

    return run


def _serve(options: argparse.Namespace) -> int:
    from sp404_app.supervisor.supervisor import serve

    return serve(_settings(), reload=options.reload, with_parent=options.with_parent)


def _add_worker(worker: argparse.ArgumentParser) -> None:
    worker.add_argument("--pictures", action="store_true", help="draw spectrograms instead")
    worker.set_defaults(run=_worker)


def _worker(options: argparse.Namespace) -> int:
    if options.pictures:
        from sp404_app.jobs import picture_worker

        picture_worker.main()
        return 0
    from sp404_app.jobs import worker

    worker.main()
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from sp404_app.supervisor import migrations

    if not _settings().database_url:
        raise Failure("SP404_DATABASE_URL is not set; `serve` migrates a database of its own.")
    migrations.upgrade(_settings().database_url)
    return 0


def _backup(options: argparse.Namespace) -> int:
    from sp404_app.cli.backup import back_up

    print(back_up(_settings(), options.folder))
    return 0


def _restore(options: argparse.Namespace) -> int:
    from sp404_app.cli.restore import restore

    print(restore(_settings(), options.folder, replace=options.replace))
    return 0


def _demo(_: argparse.Namespace) -> int:
    from sp404_app.services.account import demo_account  # pyright: ignore[reportAttributeAccessIssue]

    demo_account.ensure_demo()
    note = _settings().home / "cache" / "demo-account"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{demo_account.EMAIL}   password {demo_account.PASSWORD}\n")
    return 0


def _analyse(options: argparse.Namespace) -> int:
    # Before NumPy loads: threads that wait for each other take longer than the sums.
    for name in SINGLE_THREADED:
        os.environ.setdefault(name, "1")
    from sp404_app.audio import cli  # pyright: ignore[reportAttributeAccessIssue]

    return cli.main(options.paths, as_json=options.json) or 0


def _import(options: argparse.Namespace) -> int:
    from sp404_app.cli.import_folder import import_folder

    return import_folder(
        _settings(), options.folder, options.user, tagged=options.tags, as_json=options.json
    )


def _settings() -> Settings:
    return settings()


def _sentence(problem: Failure | AppError | ValidationError) -> str:
    if not isinstance(problem, ValidationError):
        return str(problem)
    return "\n".join(
        f"{_variable(error['loc'])} is not acceptable: {error['msg']}."
        for error in problem.errors()
    )


def _variable(location: Sequence[object]) -> str:
    name = "_".join(map(str, location)).upper()
    return name if name == "PORT" else f"SP404_{name}"
