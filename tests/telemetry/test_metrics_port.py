"""The small metrics server of a worker that runs without a web server."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.product import free_port

CODE = """
from sp404_app.telemetry import processes
processes.use_own_folder()
from sp404_app.telemetry import exposition, metrics
exposition.serve_metrics("127.0.0.1", {port}, {tokens})
metrics.start_process("worker")
print("ready", flush=True)
input()
"""


@pytest.fixture(params=["", "let me see"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    port = free_port()
    tokens = ("of before", request.param) if request.param else ()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROMETHEUS_")}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(port=port, tokens=tokens)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    yield f"http://127.0.0.1:{port}", request.param
    process.communicate()


def get(url: str, token: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(url, headers=headers, trust_env=False)


def test_it_shows_the_metrics_to_whoever_has_the_token(served: tuple[str, str]) -> None:
    url, token = served
    answer = get(f"{url}/metrics", token)
    assert answer.status_code == 200
    assert 'sp404_processes{role="worker"} 1.0' in answer.text.splitlines()


def test_everything_else_is_404(served: tuple[str, str]) -> None:
    url, token = served
    assert get(url, token).status_code == 404
    if token:
        assert get(f"{url}/metrics").status_code == 404
        assert get(f"{url}/metrics", "let me in").status_code == 404


def test_a_port_that_is_taken_gives_one_sentence(environment: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environment.setenv("SP404_METRICS_PORT", str(port))
        done = subprocess.run(
            [sys.executable, "-m", "sp404_app", "worker"],
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"Port {port} of SP404_METRICS_PORT cannot be used: choose another port.\n"
    )
