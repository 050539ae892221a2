"""Metrics of several processes: added up, never falling, without gauges of ended processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sp404_app.telemetry import exposition, processes

PREFACE = "import os\nfrom sp404_app.telemetry import metrics, processes\n"


def run(folder: Path, code: str) -> str:
    """Run code in a process that counts into `folder`."""
    environment = os.environ | {processes.FOLDER_VARIABLE: str(folder)}
    command = [sys.executable, "-c", PREFACE + dedent(code)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "metrics"
    processes.empty_folder(path)
    monkeypatch.setenv(processes.FOLDER_VARIABLE, str(path))
    return path


def value(name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(exposition.write_metrics().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


def test_counters_of_all_processes_are_added_up(folder: Path) -> None:
    for _ in range(3):
        run(folder, "metrics.start_process('web')\nmetrics.count_response('GET', '/x', 200, 0.2)")
    assert value("sp404_requests_total", method="GET", route="/x", status="200") == 3
    assert value("sp404_request_seconds_bucket", route="/x", le="0.25") == 3
    assert value("sp404_request_seconds_bucket", route="/x", le="0.1") == 0


def test_gauges_of_processes_that_ended_are_removed(folder: Path) -> None:
    run(
        folder,
        "metrics.start_process('web')\nmetrics.OPEN_WEBSOCKETS.set(5)\nos.kill(os.getpid(), 9)",
    )
    assert value("sp404_websockets") is None
    assert value("sp404_processes", role="web") is None
    started = value("sp404_process_start_time_seconds", role="web")
    assert started  # of an ended process, too: restarts are counted by it


def test_gauges_of_processes_that_run_are_added_up(folder: Path) -> None:
    code = """
    metrics.start_process("web")
    metrics.OPEN_WEBSOCKETS.set(2)
    print("ready", flush=True)
    input()
    """
    environment = os.environ | {processes.FOLDER_VARIABLE: str(folder)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PREFACE + dedent(code)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for each in running:
        assert each.stdout
        assert each.stdout.readline() == b"ready\n"
    assert value("sp404_websockets") == 4
    running[0].kill()
    os.waitid(os.P_PID, running[0].pid, os.WEXITED | os.WNOWAIT)  # it has ended, unnoticed
    assert value("sp404_websockets") == 2
    running[0].communicate()
    running[1].communicate()


def test_the_jobs_of_a_worker_share_its_files(folder: Path) -> None:
    out = run(
        folder,
        """
        metrics.start_process("worker")
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                metrics.MAILS.labels("sent").inc()
                metrics.JOB_SECONDS.labels("analyse").observe(0.2)
                os._exit(0)
            os.waitpid(pid, 0)
        metrics.JOBS_KILLED.inc()
        print(os.getpid())
        """,
    )
    assert value("sp404_mails_total", outcome="sent") == 20
    assert value("sp404_job_seconds_count", kind="analyse") == 20
    assert value("sp404_jobs_killed_total") == 1
    names = {path.stem.rpartition("_")[2] for path in folder.glob("counter_*.db")}
    worker = int(out)
    assert names == {f"other-{worker}", f"worker-{worker}", f"jobs-{worker}"}


def test_a_killed_process_keeps_its_counters(folder: Path) -> None:
    run(
        folder,
        """
        metrics.start_process("worker")
        metrics.MAILS.labels("sent").inc(7)
        os.kill(os.getpid(), 9)
        """,
    )
    run(folder, "metrics.start_process('worker')\nmetrics.MAILS.labels('sent').inc()")
    assert value("sp404_mails_total", outcome="sent") == 8


def test_a_process_alone_counts_into_a_folder_that_it_removes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(processes.FOLDER_VARIABLE, raising=False)
    code = (
        "from sp404_app.telemetry import processes; processes.use_own_folder();"
        "from sp404_app.telemetry import metrics; metrics.start_process('worker');"
        "print(processes.folder())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert out.strip().startswith("/")
    assert not Path(out.strip()).exists()


def test_a_file_that_a_process_has_not_filled_yet_is_left_out(folder: Path) -> None:
    run(folder, "metrics.start_process('web')\nmetrics.count_response('GET', '/x', 200, 0.2)")
    (folder / "counter_worker-1.db").touch()
    assert value("sp404_requests_total", method="GET", route="/x", status="200") == 1
