"""Fixtures of all tests: real PostgreSQL and Redis, an empty database, a user, the API."""

import os

# As in the workers: several threads that wait for each other are 15 times slower on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import io
import logging
import shutil
import sys
import tempfile
import threading
import uuid
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
import structlog
from fastapi.testclient import TestClient
from hypothesis import settings as hypothesis_settings
from sqlmodel import Session, SQLModel, text
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from sp404_app import db, logs
from sp404_app.models import User
from sp404_app.services.auth import signing_keys
from sp404_app.settings import Settings, settings
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.watchdog import Watchdog
from tests.services_for_tests import Addresses, claim

if TYPE_CHECKING:
    from tests.shop import Shop
    from tests.stripe_emulator.stripe_server import Served

TEST_HOME = "SP404_TEST_HOME"
UNSET_PREFIXES = ("SP404_", "REFLEX_", "PORT")
guard_key = pytest.StashKey[Watchdog]()

# An example that takes longer on a busy machine is no fault.
hypothesis_settings.register_profile("no deadline", deadline=None)
hypothesis_settings.load_profile("no deadline")


def pytest_configure(config: pytest.Config) -> None:
    """Start one watchdog per run, which ends the tests' processes even if the run is killed."""
    print_short_errors()
    if hasattr(config, "workerinput"):
        return
    # A short path: the path of a Unix socket has at most 107 bytes.
    root = Path(tempfile.mkdtemp(prefix="sp404t-"))
    os.environ[TEST_HOME] = str(root)
    home = Home(root)
    home.prepare()
    config.stash[guard_key] = Watchdog(home)


def print_short_errors() -> None:
    """Print log records with plain tracebacks, outside the tests that configure logs themselves.

    structlog's default prints the local variables of every frame, which takes seconds, in which an
    event loop stands still.
    """
    structlog.reset_defaults()
    *others, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, plain])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the processes and remove the files of the run."""
    if guard := config.stash.get(guard_key, None):
        guard.release()
        shutil.rmtree(os.environ[TEST_HOME], ignore_errors=True)


PRODUCT_FOLDERS = ("cli", "e2e", "ops", "supervisor")  # their tests start the whole product
PRODUCT_TIMEOUT_S = 600  # the first of them builds the pages
# Browser and test share two cores with everything else. A failure is repeated once and listed as
# RERUN in the summary: one that passes at once is to be looked into, but is no reason to stop.
BROWSER_FOLDERS = ("components", "e2e")
FIRST_TRY_CHARACTERS = 1_500  # the end of a failure: the error and its line


# The longest file of them: it has a product of its own, beside that of the others.
LONGEST_PRODUCT_TESTS = "e2e/test_every_control.py"


class ProductTestsTogether(LoadScopeScheduling):
    """Run the tests of whole products in two groups, one xdist worker each, and start them first.

    More products at once would compete for the machine, and these tests take longest: xdist starts
    the largest groups first. Every other test is a group of its own.

    `--dist loadgroup` would do the same by a mark, but xdist 3.8 appends the group's name to
    `item._nodeid`, which pytest 9.2 no longer reads. `_split_scope` is the method that xdist's own
    schedulers override; both packages are pinned.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("/")[2]
        if path.startswith(LONGEST_PRODUCT_TESTS):
            return LONGEST_PRODUCT_TESTS
        return "products" if path.partition("/")[0] in PRODUCT_FOLDERS else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ProductTestsTogether:
    """Distribute the tests over the workers by `ProductTestsTogether`."""
    return ProductTestsTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of whole products, keep them in order, and give every test a unique id.

    Raises:
        UsageError: If two tests have the same id, of which xdist would run only the first.
    """
    for item in items:
        if "[" in item.name and item.id.params is None:
            # Schemathesis names its operations in `name` only.
            item._id = item.id.with_params(item.name.partition("[")[2].removesuffix("]"))
        folder = folder_of(item)
        if folder in PRODUCT_FOLDERS:
            item.add_marker(pytest.mark.timeout(PRODUCT_TIMEOUT_S))
        if folder == "e2e":
            item.add_marker(pytest.mark.e2e)
        if folder in BROWSER_FOLDERS:
            item.add_marker(pytest.mark.flaky(reruns=1))
    # pytest-randomly has shuffled all tests. Tests of a package share one running product, which
    # restarts when a test of another package comes next, so they run in the order of their files.
    items.sort(key=lambda item: product_test_order(item) if is_product_test(item) else ())
    counts = Counter(item.nodeid for item in items)
    if repeated := [nodeid for nodeid, count in counts.items() if count > 1]:
        raise pytest.UsageError(f"tests with the same id: {repeated}")


def folder_of(item: pytest.Item) -> str:
    """Return the first folder of a test's path below `tests`."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


def is_product_test(item: pytest.Item) -> bool:
    return folder_of(item) in PRODUCT_FOLDERS


def product_test_order(item: pytest.Item) -> tuple[str, int, str]:
    path, line, _ = item.location
    return path, line or 0, item.name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print why tests were repeated, which is nowhere else when they pass the second time."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("-", f"first try of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext[-FIRST_TRY_CHARACTERS:])


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Escape lone surrogates that a test printed: execnet cannot send them between processes."""
    return encodable((yield))


def encodable(value: Any) -> Any:
    """Return a report's data with every lone surrogate written as an escape."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(encodable, value))
    return value


@pytest.fixture(scope="session")
def worker_name() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def addresses(worker_name: str) -> Addresses:
    return claim(Home(Path(os.environ[TEST_HOME])), worker_name)


@pytest.fixture(scope="session")
def secrets_dir(worker_name: str) -> Path:
    """A folder with one signing key per test process: generating keys is slow."""
    return Path(os.environ[TEST_HOME]) / f"secrets-{worker_name}"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Give the test a SP404_HOME of its own and default settings; no service is started.

    Variables and log levels that the test sets, by a command that it calls for example, end with
    it.
    """
    before = dict(os.environ)
    levels = _log_levels()
    for name in list(os.environ):
        if name.startswith(UNSET_PREFIXES) and name != TEST_HOME:
            monkeypatch.delenv(name)
    monkeypatch.setenv("SP404_HOME", str(tmp_path))
    settings.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    os.environ.clear()
    os.environ.update(before)
    settings.cache_clear()  # the next test may not ask for an environment
    for name in _log_levels():
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


def _log_levels() -> dict[str, int]:
    """Return the level of each logger of the product."""
    loggers = logging.root.manager.loggerDict.items()
    return {
        name: logger.level
        for name, logger in loggers
        if name.startswith("sp404_app") and isinstance(logger, logging.Logger)
    }


@pytest.fixture
def own_logs(environment: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Configure logging as the product does, into a text; restore the former logging afterwards."""
    root = logging.getLogger()
    before, level, raising = root.handlers, root.level, logging.raiseExceptions
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
    logs.configure()
    stream = io.StringIO()
    for handler in root.handlers:
        handler.setStream(stream)  # type: ignore[attr-defined]
    yield stream
    logging.setLogRecordFactory(logging.LogRecord)
    root.handlers, logging.raiseExceptions = before, raising
    root.setLevel(level)
    sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = hooks
    print_short_errors()


@pytest.fixture
def services(
    environment: pytest.MonkeyPatch, addresses: Addresses, secrets_dir: Path
) -> Iterator[Settings]:
    """Run against real PostgreSQL and Redis, which are empty when the test starts."""
    environment.setenv("SP404_DATABASE_URL", addresses.database_url)
    environment.setenv("SP404_REDIS_URL", addresses.redis_url)
    environment.setenv("SP404_SECRETS_DIR", str(secrets_dir))
    settings.cache_clear()
    secrets_dir.mkdir(exist_ok=True, mode=0o700)
    signing_keys.ensure_signing_key(signing_keys.MIN_KEY_BITS)
    yield settings()
    db.engine().dispose()
    db.engine.cache_clear()
    _delete_all_rows(addresses)
    settings.cache_clear()


@pytest.fixture
def session(services: Settings) -> Iterator[Session]:
    """An open transaction; the test commits what other transactions must see."""
    with Session(db.engine(), expire_on_commit=False) as session:
        yield session


@pytest.fixture
def person(services: Settings) -> Callable[..., User]:
    """Return a function that creates and commits a user."""

    def make(email: str = "", **fields: object) -> User:
        user = User(
            email=email or f"{uuid.uuid4().hex[:12]}@example.org",
            password_hash="x",
            **fields,  # type: ignore[arg-type]
        )
        with db.transaction() as session:
            session.add(user)
        return user

    return make


@pytest.fixture
def user(person: Callable[..., User]) -> User:
    return person()


@pytest.fixture
def api(services: Settings) -> Iterator[TestClient]:
    """A client of the API on its own origin, not signed in."""
    from sp404_app.api.app import api as app

    with TestClient(app, base_url=services.origin) as client:
        yield client


def _delete_all_rows(addresses: Addresses) -> None:
    with db.engine().begin() as connection:
        connection.execute(text("set local sp404.forget_audit = 'on'"))
        # Faster than `truncate`, which creates new files for every table.
        for table in reversed(SQLModel.metadata.sorted_tables):
            connection.execute(table.delete())
    db.engine().dispose()
    with redis.Redis.from_url(addresses.redis_url) as client:
        client.flushdb()


@pytest.fixture(scope="session")
def served() -> Iterator["Served"]:
    """A real HTTP server; each test sets its application."""
    from tests.stripe_emulator.stripe_server import Served

    server = Served()
    yield server
    server.close()


@pytest.fixture
def shop(
    services: Settings, environment: pytest.MonkeyPatch, served: "Served", tmp_path: Path
) -> Iterator["Shop"]:
    """The Stripe emulator and our API on one real port."""
    from tests.shop import open_shop

    with open_shop(services, environment, served, tmp_path) as shop:
        yield shop
