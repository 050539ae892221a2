"""Every command of the runbooks works with a product that runs, or says here why it is not run."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home
from tests.ops.conftest import signed_in
from tests.product import ROOT, Product
from tests.runbook_commands import RUNBOOKS, Command, commands_in
from tests.supervisor.conftest import discard, fresh

pytestmark = pytest.mark.timeout(600)

EXECUTED = {"python", "curl", "psql", "select", "grep", "df", "bash"}
# A program, or the beginning of a command, and why it is not run here.
NOT_EXECUTED = {
    "runuser": "it needs root and the user of the units",
    "systemctl": "it needs systemd and the installed units",
    "dmesg": "reading the kernel's log needs rights on most machines",
    "curl -sI https://api.stripe.com": "it leaves this machine",
    "create role": "tests/security/test_secret_rotation.py does it, with passwords that count",
    "alter role": "the same test does it",
    "redis-cli": "the same test does it; Redis's client is not part of the product",
    "python -m sp404_app keys retire KID": "the same test does it, with a key that exists",
    "python -m sp404_app copy-backup": "tests/cli/test_backup_copies.py does it, with a bucket",
    "python -m sp404_app fetch-backup": "the same test does it",
    "python -m sp404_app check": "a product of tests has no bucket and no mail server",
}
# Exit codes that say something else than that the command is wrong.
NOTHING_FOUND = {"grep": {0, 1}}
BACKUP = "/somewhere/new"
COMMANDS = commands_in(RUNBOOKS.read_text())
# `restore` needs a library that is stopped: it runs last, in a home of its own.
RESTORE = f"python -m sp404_app restore {BACKUP}"


def reason_not_to_run(command: Command) -> str:
    return next(
        (reason for start, reason in NOT_EXECUTED.items() if command.text.startswith(start)), ""
    )


def test_each_command_is_executed_or_has_a_reason_why_not() -> None:
    unknown = [
        f"line {command.line}: {command.text}"
        for command in COMMANDS
        if command.program not in EXECUTED and not reason_not_to_run(command)
    ]
    assert unknown == []


def test_each_reason_is_needed() -> None:
    unused = [
        start
        for start in NOT_EXECUTED
        if not any(command.text.startswith(start) for command in COMMANDS)
    ]
    assert unused == []


@pytest.fixture(scope="module")
def product(pages: Path) -> Iterator[Product]:
    made = fresh(pages)
    made.start()
    with signed_in(made):
        pass
    yield made
    discard(made)


@pytest.fixture(scope="module")
def reference(product: Product) -> str:
    """Return the id of a request that the logs have."""
    with httpx.Client(base_url=product.base_url, timeout=60) as client:
        found = client.post("/api/auth/login", json={"email": "a@b.c", "password": "wrong"})
    return found.headers["x-request-id"]


@pytest.fixture(scope="module")
def person(product: Product) -> str:
    """Return the address of an account."""
    with signed_in(product) as client:
        return str(client.get("/api/me").json()["email"])


@pytest.fixture(scope="module")
def folder(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a backup from before."""
    made = tmp_path_factory.mktemp("runbooks")
    backup = Command(0, "python -m sp404_app backup /somewhere/dated")
    run(backup, product, made, product.home)
    return made


def run(
    command: Command,
    product: Product,
    folder: Path,
    home: Path,
    reference: str = "",
    person: str = "",
) -> None:
    """Run a command as an operator does, in the home, with paths of this test."""
    program = command.program
    text = command.text
    if program == "select":
        text = f'psql "$SP404_DATABASE_URL" -c {shlex.quote(text)}'
    # What reads a backup takes the one from before: the command that makes one may run later.
    backup = "new" if text.startswith("python -m sp404_app backup") else "dated"
    for written, real in {
        BACKUP: str(folder / backup),
        "/somewhere": str(folder),
        "/backups/2026-11-22": str(folder / "dated"),
        "/backups/": f"{folder}/{command.line}-",
        " [ID]": "",
        "1a2b3c4d": reference,
        "EMAIL": person,
    }.items():
        text = text.replace(written, real)
    if not (programs := shutil.which("psql")):
        programs = str(postgresql.programs() / "psql")
    path = [Path(sys.executable).parent, Path(programs).parent, os.environ["PATH"]]
    environment = {
        "PATH": os.pathsep.join(map(os.fspath, path)),
        "PYTHONPATH": str(ROOT),
        "HOME_DIR": str(home),
        "SP404_HOME": str(home),
        "PORT": str(product.port),
        "URL": product.base_url,
    }
    if program in {"psql", "select"}:
        environment["SP404_DATABASE_URL"] = postgresql.postgres_url(Home(product.home))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", text],
        cwd=product.home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = f"line {command.line}: {text}\n{done.stdout}{done.stderr}"
    assert done.returncode in NOTHING_FOUND.get(program, {0}), said
    if program == "curl":
        assert "200" in done.stdout or '"status":"ok"' in done.stdout.replace(" ", ""), said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "command",
    [
        command
        for command in COMMANDS
        if command.program in EXECUTED
        and not reason_not_to_run(command)
        and command.text != RESTORE
    ],
    ids=lambda command: f"{command.line}-{command.program}",
)
def test_a_command_of_the_runbooks_works(
    command: Command, product: Product, folder: Path, reference: str, person: str
) -> None:
    run(command, product, folder, product.home, reference, person)


def test_the_backup_of_the_runbooks_is_restored(product: Product, folder: Path) -> None:
    (command,) = [command for command in COMMANDS if command.text == RESTORE]
    product.stop()
    run(command, product, folder, folder / "home")
