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
from sp404_app.supervisor.restarts import HEALTHY_AFTER_S, MAX_QUICK_ENDS, Restarter, pause_s
from sp404_app.supervisor.watchdog import Watchdog
from sp404_app.supervisor.worker_pool import PICTURE_WORKER, WorkerPool

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


def pool_of(home: Home, *children: Child) -> WorkerPool:
    pool = WorkerPool(home, os.environ, 1)
    for it in children:
        pool.watch(it)
        it.start()
    return pool


def test_a_dead_worker_is_restarted_and_its_orphan_killed(home: Home) -> None:
    it = child(home, PARENT, "worker 1")
    pool = pool_of(home, it)
    assert it.process
    family = psutil.Process(it.process.pid)
    while not (orphans := family.children()):
        time.sleep(0.02)
    it.process.kill()
    it.process.wait()
    (message,) = pool.restart_dead()
    assert "worker 1 was killed by SIGKILL" in message
    assert not any(sweep._is_alive(orphan) for orphan in orphans)
    assert it.exit_code is None
    stop_children(pool.workers)
    sweep.stop_all_processes(home)


def test_workers_that_run_are_not_restarted(home: Home) -> None:
    first, second = (
        child(home, SLEEP, "worker 1"),
        child(home, "raise SystemExit(1)", "worker 2"),
    )
    pool = pool_of(home, first, second)
    running = first.process
    wait_for_end(second)
    (message,) = pool.restart_dead()
    assert "worker 2" in message
    assert first.process is running
    stop_children(pool.workers)


def restarter_of(it: Child, *, essential: bool = True, quick_ends: int = 0) -> Restarter:
    """Return the restarter of a child that has ended."""
    it.start()
    wait_for_end(it)
    restarter = Restarter(it, essential=essential)
    restarter.quick_ends = quick_ends
    return restarter


def test_the_pause_before_a_restart_doubles_up_to_a_limit() -> None:
    assert [pause_s(ends) for ends in range(1, 9)] == [0, 1, 2, 4, 8, 16, 30, 30]


def test_the_second_quick_end_is_followed_by_a_pause(home: Home) -> None:
    it = child(home, "raise SystemExit(1)")
    restarter = restarter_of(it)
    assert restarter.restart_if_ended().endswith("It is restarted.")
    wait_for_end(it)
    ended = it.process
    assert restarter.restart_if_ended().endswith("It is restarted in 1 s.")
    assert restarter.restart_if_ended() == ""  # said once
    assert it.process is ended
    restarter.due_at = time.monotonic()
    restarter.restart_if_ended()
    assert it.process is not ended
    stop_children([it])


def test_a_child_that_keeps_ending_stops_the_supervisor_with_a_sentence(home: Home) -> None:
    restarter = restarter_of(child(home, "raise SystemExit(1)"), quick_ends=MAX_QUICK_ENDS)
    with pytest.raises(Failure, match=r"ended with 1.* It ended 7 times, each time after a short"):
        restarter.restart_if_ended()


def test_an_end_after_a_long_run_starts_the_count_anew(home: Home) -> None:
    restarter = restarter_of(child(home, "raise SystemExit(1)"), quick_ends=MAX_QUICK_ENDS)
    restarter.child.started_at -= HEALTHY_AFTER_S
    assert restarter.restart_if_ended().endswith("It is restarted.")
    stop_children([restarter.child])


def test_a_picture_worker_that_keeps_ending_does_not_stop_the_supervisor(home: Home) -> None:
    it = child(home, "raise SystemExit(7)", PICTURE_WORKER)
    pool = pool_of(home, it)
    pool.restarters[0].quick_ends = 1000
    wait_for_end(it)
    (message,) = pool.restart_dead()
    assert message.startswith("The picture worker ended with 7")


def test_a_planned_restart_is_no_failure(home: Home) -> None:
    it = child(home, SLEEP)
    it.start()
    restarter = Restarter(it)
    before = it.process
    restarter.restart_when_idle()
    wait_for_end(it)
    assert restarter.restart_if_ended() == ""
    assert it.process is not before
    assert it.exit_code is None
    assert restarter.quick_ends == 0
    stop_children([it])


def wait_for_end(it: Child) -> None:
    assert it.process
    it.process.wait(10)
