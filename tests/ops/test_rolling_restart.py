"""SIGUSR1 replaces the web server; clients that connect all the time notice nothing."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread

import psutil
import psycopg
import pytest

from sp404_app.supervisor import bundle, postgresql
from sp404_app.supervisor.home import Home
from tests.ops.conftest import Upload, eventually, signed_in
from tests.product import Product
from tests.supervisor.test_supervisor import answers, main_process, named

pytestmark = pytest.mark.timeout(600)

TAKEN_OVER = "The new web server has taken over."
CLIENTS = 4


class Clients:
    """Threads that send requests all the time, on new connections or on one that they keep."""

    def __init__(self, port: int) -> None:
        self.port, self.answered, self.failures = port, 0, list[str]()
        self._stop = Event()
        kinds = [self._connect_anew] * CLIENTS + [self._keep_connection]
        self._threads = [Thread(target=kind, daemon=True) for kind in kinds]
        for thread in self._threads:
            thread.start()

    def _connect_anew(self) -> None:
        while not self._stop.is_set():
            connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
            self._ask(connection)
            connection.close()

    def _keep_connection(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self._stop.is_set():
            self._ask(connection)  # opens a new one after `Connection: close`
            time.sleep(0.01)

    def _ask(self, connection: HTTPConnection) -> None:
        try:
            connection.request("GET", "/api/health/live")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                self.failures.append(str(answer.status))
            self.answered += 1
        except (OSError, HTTPException) as error:
            self.failures.append(repr(error))
            connection.close()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


@contextmanager
def clients_of(product: Product) -> Iterator[Clients]:
    clients = Clients(product.port)
    eventually(lambda: clients.answered > CLIENTS)
    try:
        yield clients
    finally:
        clients.stop()


def replace(product: Product) -> None:
    product.running.send_signal(signal.SIGUSR1)


def test_a_replacement_refuses_and_cuts_no_request(product: Product) -> None:
    # Far more than the replacements take: the limit of a drain is tested elsewhere.
    product.extra |= {"SP404_WEB_PROCESSES": "2", "SP404_DRAIN_SECONDS": "600"}
    product.start()
    old = named(product, "web")
    with signed_in(product) as client, clients_of(product) as clients:
        upload = Upload(client)
        for count in (1, 2):
            replace(product)
            eventually(lambda count=count: product.said.count(TAKEN_OVER) == count, 180)
        before = clients.answered
        answer = upload.finish()  # begun before both replacements
        eventually(lambda: not any(process.is_running() for process in old))
        eventually(lambda: clients.answered > before + 100)
    assert clients.failures == []
    assert getattr(answer, "status_code", answer) == 201
    assert product.stop() == 0


def test_a_new_server_that_fails_leaves_the_old_one(
    new_product: Callable[..., Product], tmp_path: Path
) -> None:
    marker = tmp_path / "broken"
    (tmp_path / "sitecustomize.py").write_text(
        "import pathlib, sys\n"
        f"broken = pathlib.Path({str(marker)!r}).exists()\n"
        "if broken and 'sp404_app.supervisor.web' in sys.orig_argv:\n"
        "    sys.exit('this code does not start')\n"
    )
    product = new_product(PYTHONPATH=str(tmp_path)).start()
    old = main_process(product, "web")
    marker.touch()
    replace(product)
    eventually(lambda: "The present web server goes on." in product.said)
    assert "The new web server ended with 1" in product.said
    assert answers(product)
    assert main_process(product, "web") == old


def test_a_migration_that_fails_leaves_the_old_server(product: Product) -> None:
    product.start()
    old = main_process(product, "web")
    url = postgresql.postgres_url(Home(product.home))
    with psycopg.connect(url) as connection:
        connection.execute("update alembic_version set version_num = 'future'")
    replace(product)
    eventually(lambda: "The present web server goes on." in product.said)
    assert "The migration ended with 1" in product.said
    assert main_process(product, "web") == old
    assert answers(product)


def test_pages_of_other_code_are_not_served_by_the_new_server(product: Product) -> None:
    product.start()
    old = main_process(product, "web")
    stamp = Home(product.home).bundle / bundle.STAMP  # products of other tests share it
    present = stamp.read_text()
    stamp.write_text("other code")
    try:
        replace(product)
        eventually(lambda: "The web server was not replaced" in product.said)
        assert main_process(product, "web") == old
    finally:
        stamp.write_text(present)


def test_the_signal_during_the_start_does_not_end_the_start(product: Product) -> None:
    product.launch()
    process = psutil.Process(product.running.pid)
    eventually(lambda: ignores_sigusr1(process))  # at the first line of the program
    while "Ctrl-C" not in product.said:
        replace(product)
        assert product.running.poll() is None, product.said
        time.sleep(0.05)
    assert answers(product)
    eventually(lambda: TAKEN_OVER in product.said, 180)


def ignores_sigusr1(process: psutil.Process) -> bool:
    """Return whether SIGUSR1 is ignored or handled, by the masks of /proc."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    masks = {
        line.split(":")[0]: int(line.split()[1], 16)
        for line in status.splitlines()
        if line.startswith(("SigIgn", "SigCgt"))
    }
    return bool((masks["SigIgn"] | masks["SigCgt"]) & 1 << (signal.SIGUSR1 - 1))
