"""A child runs in its own session and is always stopped."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from sp404_app.supervisor import orphans as sweep
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import MAX_LOG_BYTES, Child, open_log, stop_children
from sp404_app.supervisor.watchdog import Watchdog
from sp404_app.supervisor.worker_pool import (
    DEATHS_WINDOW_S,
    MAX_DEATHS,
    PICTURE_WORKER,
    WorkerPool,
)

SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); {SLEEP}"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{SLEEP}']); {SLEEP}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


def child(home: Home, code: str, name: str = "test child") -> Child:
    return Child(
        name=name,
        command=[sys.executable, "-u", "-c", code],
        environment=os.environ | sweep.marker_variable(home, name),
        log=home.log("test"),
        stop_timeout_s=0.5,
    )


def test_a_child_runs_in_its_own_session(home: Home) -> None:
    it = child(home, SLEEP)
    it.start()
    assert it.process
    assert os.getsid(it.process.pid) != os.getsid(0)
    stop_children([it])


def test_a_child_that_ignores_the_stop_signal_is_killed(home: Home) -> None:
    it = child(home, STUBBORN)
    it.start()
    it.wait_until(lambda: "up" in home.log("test").read_text(), 10)
    stop_children([it])
    assert it.exit_code == -9
    assert "was killed by SIGKILL" in it.exit_message()


def test_a_child_that_ends_too_early_gives_one_message(home: Home) -> None:
    it = child(home, "raise SystemExit(3)")
    it.start()
    with pytest.raises(Failure, match=r"The test child ended with 3; see its log .*test\.log\."):
        it.wait_until(lambda: False, 10)


def test_a_child_that_never_answers_gives_one_message(home: Home) -> None:
    it = child(home, SLEEP)
    it.start()
    with pytest.raises(Failure, match="did not answer within 0 s"):
        it.wait_until(lambda: False, 0.1)
    stop_children([it])


def test_a_full_disk_is_named_as_the_cause(home: Home) -> None:
    it = child(home, "print('write: No space left on device'); raise SystemExit(1)")
    it.start()
    with pytest.raises(Failure, match="because the disk is full"):
        it.wait_until(lambda: False, 10)


def test_long_logs_are_rotated(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * (MAX_LOG_BYTES + 1))
    open_log(log).close()
    assert log.stat().st_size == 0
    assert (tmp_path / "web.log.1").stat().st_size == MAX_LOG_BYTES + 1


def test_the_watchdog_kills_children_and_grandchildren_of_a_dead_supervisor(home: Home) -> None:
    guard = Watchdog(home)
    it = child(home, PARENT)
    it.start()
    assert it.process
    family = psutil.Process(it.process.pid)
    while not family.children():
        time.sleep(0.02)
    everybody = [family, *family.children()]
    guard.pipe.close()  # as the kernel does when the supervisor is killed
    guard.process.wait(10)
    it.process.wait(10)
    assert not any(sweep._is_alive(process) for process in everybody)


def test_the_watchdog_does_not_touch_other_processes(
    home: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Home(tmp_path_factory.mktemp("other"))
    it = child(other, SLEEP)
    it.log = None
    it.start()
    assert sweep.stop_all_processes(home) == 0
    assert it.exit_code is None
    stop_children([it])


def crew_of(home: Home, code: str) -> WorkerPool:
    crew = WorkerPool(home, os.environ, 1)
    crew.workers = [child(home, code, "worker 1")]
    crew.workers[0].start()
    return crew


def test_a_dead_worker_is_restarted_and_its_orphan_killed(home: Home) -> None:
    crew = crew_of(home, PARENT)
    process = crew.workers[0].process
    assert process
    family = psutil.Process(process.pid)
    while not (orphans := family.children()):
        time.sleep(0.02)
    process.kill()
    process.wait()
    (message,) = crew.restart_dead()
    assert "worker 1 was killed by SIGKILL" in message
    assert not any(sweep._is_alive(orphan) for orphan in orphans)
    assert crew.workers[0].exit_code is None
    stop_children(crew.workers)
    sweep.stop_all_processes(home)


def test_workers_that_keep_dying_stop_the_supervisor(home: Home) -> None:
    crew = crew_of(home, "raise SystemExit(1)")
    crew.deaths.extend([time.monotonic()] * MAX_DEATHS)
    assert crew.workers[0].process
    crew.workers[0].process.wait(10)
    with pytest.raises(Failure, match=r"Workers keep dying\. The last worker 1 ended with 1"):
        crew.restart_dead()


def test_deaths_before_the_window_do_not_count(home: Home) -> None:
    crew = crew_of(home, "raise SystemExit(1)")
    crew.deaths.extend([time.monotonic() - DEATHS_WINDOW_S - 1] * MAX_DEATHS)
    assert crew.workers[0].process
    crew.workers[0].process.wait(10)
    assert len(crew.restart_dead()) == 1
    stop_children(crew.workers)


def test_deaths_up_to_the_limit_do_not_stop_the_supervisor(home: Home) -> None:
    crew = crew_of(home, "raise SystemExit(1)")
    crew.deaths.extend([time.monotonic()] * (MAX_DEATHS - 1))
    wait_for_end(crew.workers[0])
    assert len(crew.restart_dead()) == 1
    wait_for_end(crew.workers[0])
    with pytest.raises(Failure, match="Workers keep dying"):
        crew.restart_dead()


def test_a_picture_worker_that_keeps_dying_does_not_stop_the_supervisor(home: Home) -> None:
    crew = crew_of(home, SLEEP)
    crew.workers.append(child(home, "raise SystemExit(7)", PICTURE_WORKER))
    crew.workers[1].start()
    for _ in range(MAX_DEATHS + 2):
        wait_for_end(crew.workers[1])
        (message,) = crew.restart_dead()
        assert message.startswith("The picture worker ended with 7")
    assert not crew.deaths
    stop_children(crew.workers)


def test_workers_that_run_are_not_restarted(home: Home) -> None:
    crew = crew_of(home, SLEEP)
    crew.workers.append(child(home, "raise SystemExit(1)", "worker 2"))
    crew.workers[1].start()
    running = crew.workers[0].process
    wait_for_end(crew.workers[1])
    (message,) = crew.restart_dead()
    assert "worker 2" in message
    assert crew.workers[0].process is running
    stop_children(crew.workers)


def wait_for_end(it: Child) -> None:
    assert it.process
    it.process.wait(10)
