"""Start, stop, kill and restart the whole product."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.request import urlopen

import psutil
import psycopg
import pytest

from sp404_app.supervisor import orphans, postgresql
from sp404_app.supervisor.home import Home
from tests.product import Product

PATIENCE = 30.0
pytestmark = pytest.mark.timeout(300)


def processes_of(product: Product) -> list[psutil.Process]:
    """Return all processes of a home, including the watchdog."""
    home = Home(product.home)
    servers = orphans._find_servers(home.postgres, home.redis)
    guards = [
        process
        for process in psutil.process_iter(["cmdline"])
        if "sp404_app.supervisor.watchdog" in (process.info["cmdline"] or [])
        and str(product.home) in process.info["cmdline"]
    ]
    return [*servers, *orphans._find_marked(home.mark + "/"), *guards]


def eventually(claim: Callable[[], object], seconds: float = PATIENCE) -> None:
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.1)


def named(product: Product, name: str) -> list[psutil.Process]:
    return orphans._find_marked(f"{Home(product.home).mark}/{name}")


def answers(product: Product) -> bool:
    with urlopen(f"http://127.0.0.1:{product.port}/ping", timeout=5) as response:
        return response.status == 200


def kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        process.kill()


def test_it_starts_answers_and_leaves_nothing_behind(product: Product) -> None:
    product.start()
    assert answers(product)
    assert product.base_url in product.said

    assert product.stop() == 0
    assert processes_of(product) == []
    assert "Traceback" not in product.said


def test_a_second_start_is_quick_and_keeps_the_data(product: Product) -> None:
    product.start()
    with psycopg.connect(postgresql.postgres_url(Home(product.home))) as connection:
        connection.execute("create table kept (answer int)")
        connection.execute("insert into kept values (404)")
    product.stop()

    begun = time.monotonic()
    product.start()
    assert time.monotonic() - begun < 20
    with psycopg.connect(postgresql.postgres_url(Home(product.home))) as connection:
        assert connection.execute("select answer from kept").fetchone() == (404,)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_stop_signals_stop_all_processes(product: Product, sign: signal.Signals) -> None:
    product.start()
    assert product.stop(sign) == 0
    assert processes_of(product) == []


def test_kill_9_leaves_nothing_and_the_next_start_works(product: Product) -> None:
    product.start()
    assert processes_of(product)
    product.running.kill()
    product.running.wait()
    product.start()  # waits until the old watchdog has ended the old processes
    assert answers(product)
    product.running.kill()
    product.running.wait()
    eventually(lambda: not processes_of(product), 15)


def test_the_next_start_works_after_all_processes_were_killed(product: Product) -> None:
    product.start()
    kill([psutil.Process(product.running.pid), *processes_of(product)])
    product.running.wait()
    product.start()
    assert answers(product)


def test_it_stops_when_its_parent_has_ended(product: Product) -> None:
    pid = os.fork()
    if pid == 0:
        product.launch()
        time.sleep(600)
    eventually(lambda: "Ctrl-C" in product.said, 120)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    eventually(lambda: not processes_of(product))


def test_a_taken_port_gives_one_message(product: Product) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", product.port))
        other.listen()
        product.launch()
        assert product.running.wait(30) == 1
    assert product.said.count("\n") == 1
    assert f"Port {product.port}" in product.said


def test_the_same_home_twice_gives_one_message(
    running: Product, new_product: Callable[..., Product]
) -> None:
    other = new_product()
    other.home = other.home.with_name("link")
    other.home.symlink_to(running.home)
    other.launch()
    assert other.running.wait(30) == 1
    assert "already running" in other.said
    assert other.said.count("\n") == 1
    assert answers(running)


def test_two_homes_run_side_by_side(running: Product, product: Product) -> None:
    product.start()
    assert answers(running)
    assert answers(product)
    product.stop()
    assert answers(running)


def test_a_home_with_a_long_name_works(new_product: Callable[..., Product]) -> None:
    product = new_product()
    long = product.home.parent / ("long " * 30)
    product.home.rename(long)
    product.home = long
    product.start()
    assert answers(product)


def workers(product: Product) -> set[int]:
    """Return the workers without their forked processes."""
    found = named(product, "worker 1")
    return {process.pid for process in found if process.ppid() == product.running.pid}


def test_a_dead_worker_is_restarted_with_a_message(running: Product) -> None:
    (worker,) = workers(running)
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: workers(running) - {worker}, 10)
    assert "worker 1 was killed by SIGKILL" in running.said
    assert answers(running)


def main_process(product: Product, name: str) -> psutil.Process:
    """Return the process of a child that the supervisor started itself."""
    home = Home(product.home)
    found = {
        "database": lambda: orphans._find_servers(home.postgres),
        "redis": lambda: orphans._find_servers(home.redis),
    }.get(name, lambda: named(product, name))()
    (main,) = [process for process in found if process.ppid() == product.running.pid]
    return main


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("web", "web server"),
        ("database", "database"),
        ("redis", "Redis server"),
        ("scheduler", "scheduler"),
    ],
)
def test_a_dead_child_is_restarted_with_a_message(
    running: Product, name: str, sentence: str
) -> None:
    killed = main_process(running, name)
    family = killed.children()
    killed.kill()
    eventually(lambda: f"The {sentence} was killed by SIGKILL" in running.said)
    eventually(lambda: is_another(running, name, killed))
    eventually(lambda: is_healthy(running), 60)
    eventually(lambda: not any(orphans._is_alive(process) for process in family))
    assert "Traceback" not in running.said


def is_another(product: Product, name: str, killed: psutil.Process) -> bool:
    try:
        return main_process(product, name) != killed
    except (ValueError, psutil.Error):  # none, or it ends now
        return False


def is_healthy(product: Product) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{product.port}/api/health", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def test_a_killed_process_of_the_web_server_refuses_no_connection(running: Product) -> None:
    main = main_process(running, "web")
    serving = max(main.children(), key=psutil.Process.create_time)
    serving.kill()
    assert answers(running)
    assert main_process(running, "web") == main


def test_secrets_stay_private(running: Product) -> None:
    secrets = running.home / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    keys = list(secrets.glob("*.pem"))
    assert keys
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in keys)


def test_it_listens_on_loopback_only(running: Product) -> None:
    listening: set[Any] = set()
    # While a process starts, its socket may belong to none.
    eventually(lambda: listening.update(listening_addresses(running)) or listening)
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == {running.port}


def listening_addresses(product: Product) -> list[Any]:
    # `serve` holds the socket, too. psutil names the holder with the highest id, which is that of
    # `serve` if the ids began anew after its start.
    mine = {product.running.pid, *(process.pid for process in processes_of(product))}
    return [
        connection.laddr
        for connection in psutil.net_connections("inet")
        if connection.pid in mine and connection.status == psutil.CONN_LISTEN
    ]
