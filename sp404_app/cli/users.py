"""`user …` and `keys …`: what an operator does by hand, whether or not the library is open."""

import sys
from collections.abc import Callable, Iterable

from sp404_app.cli import database_access
from sp404_app.cli.import_folder import point_at
from sp404_app.services.account import admin
from sp404_app.services.auth import signing_keys
from sp404_app.services.auth.signing_keys import UnusableKeys
from sp404_app.services.infra.audit_log import AuditEvent
from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure


def run(ours: Settings, command: str, name: str) -> int:
    """Do one command and print what it says.

    Raises:
        Failure: When the database does not answer, or a key cannot be used.
        AppError: When the services refuse.
    """
    with database_access.database(ours, exclusive=False) as url:
        point_at(ours, url)
        try:
            lines = list(COMMANDS[command](name))
        except UnusableKeys as problem:
            raise Failure(str(problem)) from problem
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _list_people(_: str) -> Iterable[str]:
    for one in admin.everybody():
        mark = "verified" if one.verified else "not verified"
        yield f"{one.id}  {one.created_at[:10]}  {one.tier:<10}  {mark:<12}  {one.email}"


def _verify(name: str) -> Iterable[str]:
    admin.verify(name)
    yield f"{name} is verified."


def _two_factor_off(name: str) -> Iterable[str]:
    admin.turn_off_two_factor(name)
    yield f"{name} signs in by password alone."


def _sign_out(name: str) -> Iterable[str]:
    yield f"{name} is signed out everywhere: {admin.sign_out(name)} sign-ins have ended."


def _delete(name: str) -> Iterable[str]:
    admin.delete(name)
    yield f"{name} is deleted, with everything."


def _audit(name: str) -> Iterable[str]:
    return map(_line, admin.log_of(name))


def _audit_of_nobody(_: str) -> Iterable[str]:
    return map(_line, admin.log_of_nobody())


def _line(event: AuditEvent) -> str:
    details = " ".join(f"{key}={value}" for key, value in event.details.items())
    return f"{event.at[:19]}Z  {event.action:<24}  {event.ip:<16} {details}".rstrip()


def _list_keys(_: str) -> Iterable[str]:
    names = sorted(signing_keys.all_public())
    for kid in names:
        yield f"{kid}  {'signs' if kid == names[-1] else 'verifies'}"


def _rotate(_: str) -> Iterable[str]:
    yield f"{admin.rotate_keys()} signs from now on; the older keys go on verifying."


def _retire(name: str) -> Iterable[str]:
    admin.retire_key(name)
    yield f"{name} is retired."


COMMANDS: dict[str, Callable[[str], Iterable[str]]] = {
    "user list": _list_people,
    "user verify": _verify,
    "user two-factor-off": _two_factor_off,
    "user sign-out": _sign_out,
    "user delete": _delete,
    "user audit": _audit,
    "keys list": _list_keys,
    "keys rotate": _rotate,
    "keys retire": _retire,
    "keys audit": _audit_of_nobody,
}
