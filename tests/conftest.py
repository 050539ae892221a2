"""Fixtures every test may use: real services, a clean database, a person, the API."""

import os

# As the workers run: on a busy machine threads that wait for each other take 15 times as long.
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
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
import structlog
from fastapi.testclient import TestClient
from sqlmodel import Session, SQLModel, text
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController

from sp404_app import db, logs
from sp404_app.models import User
from sp404_app.services.auth import signing_keys
from sp404_app.settings import Settings, settings
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.watchdog import Guard
from tests.services_for_tests import Addresses, claim

if TYPE_CHECKING:
    from tests.shop import Shop
    from tests.stripe_emulator.stripe_server import Served

HOME = "SP404_TEST_HOME"
UNWANTED = ("SP404_", "REFLEX_", "PORT")
guard_key = pytest.StashKey[Guard]()


def pytest_configure(config: pytest.Config) -> None:
    """Let one guard per run end whatever the tests start, even if the run is killed."""
    if hasattr(config, "workerinput"):
        return
    # A short path, because sockets are made in it.
    root = Path(tempfile.mkdtemp(prefix="sp404t-"))
    os.environ[HOME] = str(root)
    home = Home(root)
    home.prepare()
    config.stash[guard_key] = Guard(home)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop everything and leave no files."""
    if guard := config.stash.get(guard_key, None):
        guard.release()
        shutil.rmtree(os.environ[HOME], ignore_errors=True)


PROCESSES = ("cli", "e2e", "supervisor")
PATIENCE = 600  # seconds; the first of them builds the pages, on a machine that may be busy


class TogetherFirst(LoadScopeScheduling):
    """Give all tests of whole products to one process, and first: they take longest."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/", 2)[1]
        return "products" if folder in PROCESSES else nodeid

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Take the tests that a process found; of those with one id, xdist would run the first.

        Raises:
            ValueError: If two of them have the same id.
        """
        twice = [name for name, count in Counter(collection).items() if count > 1]
        if twice:
            raise ValueError(f"these tests have one id: {twice}")
        super().add_node_collection(node, collection)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TogetherFirst:
    """Share the tests out in our own way; xdist's groups are lost on the way with this pytest."""
    return TogetherFirst(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests of whole products their time, and every test an id of its own."""
    here = Path(__file__).parent
    for item in items:
        if "[" in item.name and item.id.params is None:
            # Schemathesis' operations, with this pytest.
            item._id = item.id.with_params(item.name.partition("[")[2].removesuffix("]"))
        folder = item.path.relative_to(here).parts[0]
        if folder in PROCESSES:
            item.add_marker(pytest.mark.timeout(PATIENCE))
        if folder == "e2e":
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Escape lone surrogates: hostile input that a test printed cannot pass between processes."""
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
    return claim(Home(Path(os.environ[HOME])), worker_name)


@pytest.fixture(scope="session")
def secrets_dir(worker_name: str) -> Path:
    """A folder with one signing key per process: making keys takes a while."""
    return Path(os.environ[HOME]) / f"secrets-{worker_name}"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Point the settings at a home of this test alone; no service is started for it."""
    for name in list(os.environ):
        if name.startswith(UNWANTED) and name != HOME:
            monkeypatch.delenv(name)
    monkeypatch.setenv("SP404_HOME", str(tmp_path))
    settings.cache_clear()
    return monkeypatch


@pytest.fixture
def own_logs(environment: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Log as a process of ours does, into a text; afterwards this process logs as before."""
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
    structlog.reset_defaults()


@pytest.fixture
def services(
    environment: pytest.MonkeyPatch, addresses: Addresses, secrets_dir: Path
) -> Iterator[Settings]:
    """Run against real services, which are empty when the test begins."""
    environment.setenv("SP404_DATABASE_URL", addresses.database_url)
    environment.setenv("SP404_REDIS_URL", addresses.redis_url)
    environment.setenv("SP404_SECRETS_DIR", str(secrets_dir))
    settings.cache_clear()
    secrets_dir.mkdir(exist_ok=True, mode=0o700)
    signing_keys.ensure(signing_keys.SMALLEST)
    yield settings()
    db.engine().dispose()
    db.engine.cache_clear()
    _empty(addresses)
    settings.cache_clear()


@pytest.fixture
def session(services: Settings) -> Iterator[Session]:
    """One open transaction; what the test wants others to see, it commits itself."""
    with Session(db.engine(), expire_on_commit=False) as session:
        yield session


@pytest.fixture
def person(services: Settings) -> Callable[..., User]:
    """Make a person, visible to everybody at once."""

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
    """The API as a browser on our own origin sees it, without a signed-in person."""
    from sp404_app.api.app import api as app

    with TestClient(app, base_url=services.origin) as client:
        yield client


def _empty(addresses: Addresses) -> None:
    with db.engine().begin() as connection:
        connection.execute(text("set local sp404.forget_audit = 'on'"))
        # Faster than truncating, which makes new files for every table.
        for table in reversed(SQLModel.metadata.sorted_tables):
            connection.execute(table.delete())
    db.engine().dispose()
    with redis.Redis.from_url(addresses.redis_url) as client:
        client.flushdb()


@pytest.fixture(scope="session")
def served() -> Iterator["Served"]:
    """A real HTTP server, whose app each test chooses."""
    from tests.stripe_emulator.stripe_server import Served

    server = Served()
    yield server
    server.close()


@pytest.fixture
def shop(
    services: Settings, environment: pytest.MonkeyPatch, served: "Served", tmp_path: Path
) -> Iterator["Shop"]:
    """Stripe's emulator and our API on one real port."""
    from tests.shop import open_shop

    with open_shop(services, environment, served, tmp_path) as shop:
        yield shop
