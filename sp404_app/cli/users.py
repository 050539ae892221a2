"""`user …` and `keys …`: commands for accounts and keys, whether or not the library is running."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from sp404_app.cli import database_access
from sp404_app.cli.import_folder import point_at
from sp404_app.services.account import admin
from sp404_app.services.auth import signing_keys
from sp404_app.services.auth.signing_keys import UnusableKeys
from sp404_app.services.infra.audit_log import AuditEvent
from sp404_app.settings import Settings, settings
from sp404_app.supervisor.errors import Failure, explain_os_errors, os_error_message


def run_account_command(app_settings: Settings, command: str, name: str) -> int:
    """Run one command and print its output.

    Raises:
        Failure: If the database does not answer, or a key cannot be used.
        AppError: If the services refuse.
    """
    with database_access.library_database(app_settings) as url:
        point_at(app_settings, url)
        try:
            lines = list(COMMANDS[command](name))
        except UnusableKeys as problem:
            raise Failure(str(problem)) from problem
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def export_account(app_settings: Settings, name: str, path: Path) -> int:
    """Write all data and files of an account to a ZIP, for a question of its owner.

    Raises:
        Failure: If the database does not answer, or the file exists or cannot be written.
        AppError: If there is no such account.
    """
    with database_access.library_database(app_settings) as url:
        point_at(app_settings, url)
        try:
            missing = admin.export_account_as_operator(name, path)
        except FileExistsError as error:
            raise Failure(f"{path} exists: choose another name.") from error
        except OSError as error:
            raise Failure(os_error_message(error, path)) from error
    note = f" {len(missing)} files are missing in the store." if missing else ""
    sys.stdout.write(f"{path} has all data and sounds of {name}.{note} Delete it after use.\n")
    return 0


def _list_users(_: str) -> Iterable[str]:
    for one in admin.list_accounts():
        state = "verified" if one.verified else "not verified"
        yield f"{one.id}  {one.created_at[:10]}  {one.tier:<10}  {state:<12}  {one.email}"


def _verify(name: str) -> Iterable[str]:
    admin.verify_email_as_operator(name)
    yield f"{name} is verified."


def _two_factor_off(name: str) -> Iterable[str]:
    admin.turn_off_two_factor_as_operator(name)
    yield f"{name} now signs in with a password only."


def _sign_out(name: str) -> Iterable[str]:
    yield f"{name} is signed out on all devices: {admin.sign_out_as_operator(name)} sign-ins ended."


def _delete(name: str) -> Iterable[str]:
    admin.delete_account_as_operator(name)
    yield f"{name} and all data of the account are deleted."


def _audit(name: str) -> Iterable[str]:
    return map(_format_event, admin.list_account_events(name))


def _audit_without_account(_: str) -> Iterable[str]:
    return map(_format_event, admin.list_unowned_events())


def _format_event(event: AuditEvent) -> str:
    details = " ".join(f"{key}={value}" for key, value in event.details.items())
    return f"{event.at[:19]}Z  {event.action:<24}  {event.ip:<16} {details}".rstrip()


def _list_keys(_: str) -> Iterable[str]:
    names = sorted(signing_keys.list_public_keys())
    for kid in names:
        yield f"{kid}  {'signs' if kid == names[-1] else 'verifies'}"


def _rotate(_: str) -> Iterable[str]:
    yield f"{admin.rotate_keys()} signs from now on. Older keys still verify."


def _retire(name: str) -> Iterable[str]:
    admin.retire_key(name)
    yield f"{name} is retired."


def _rotate_pepper(_: str) -> Iterable[str]:
    with explain_os_errors(settings().secrets):
        admin.rotate_pepper()
    yield "A new pepper is used from now on. The former one is still accepted."


def _retire_peppers(_: str) -> Iterable[str]:
    with explain_os_errors(settings().secrets):
        deleted, lost = admin.retire_former_peppers()
    yield f"{deleted} former peppers are retired; {lost} values could not be decrypted."
    yield "Whoever has not signed in since the rotation needs a link to reset the password."


COMMANDS: dict[str, Callable[[str], Iterable[str]]] = {
    "user list": _list_users,
    "user verify": _verify,
    "user two-factor-off": _two_factor_off,
    "user sign-out": _sign_out,
    "user delete": _delete,
    "user audit": _audit,
    "keys list": _list_keys,
    "keys rotate": _rotate,
    "keys retire": _retire,
    "keys rotate-pepper": _rotate_pepper,
    "keys retire-peppers": _retire_peppers,
    "keys audit": _audit_without_account,
}
