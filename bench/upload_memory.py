"""Memory of the server for an upload of 200 MB.

    python bench/upload_memory.py [MEGABYTES]

Starts its own instance, unless PORT names a running one with its demo account. Uploads large files
with different contents and records the peak resident size of the processes that listen on the
port; the first, small upload warms up the decoders and is not counted.
"""

import http.client
import json
import os
import secrets
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from instance import running_product

MB = 1 << 20
PORT = int(os.environ.get("PORT", "3000"))
LIMIT_MB = 32
BOUNDARY = "sp404-bench"


def request_json(method: str, path: str, body: object = None, token: str = "") -> dict:
    """Send JSON and return JSON."""
    connection = http.client.HTTPConnection("localhost", PORT, timeout=600)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    return json.loads(connection.getresponse().read() or b"{}")


def sign_in() -> str:
    """Return an access token of the demo account."""
    account = {"email": "demo@example.com", "password": "sixteen pads"}
    return request_json("POST", "/api/auth/login", account)["token"]


def server_processes() -> list[int]:
    """Return the processes that hold the port's listening socket."""
    inodes = {
        line.split()[9]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].rsplit(":", 1)[1], 16) == PORT
    }
    names = {f"socket:[{inode}]" for inode in inodes}
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in names for link in (process / "fd").iterdir()):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def resident_mb(processes: list[int]) -> float:
    """Return the resident memory of the processes, in MB."""
    total = 0
    for process in processes:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / 1024


def wav_noise(megabytes: int) -> Iterator[bytes]:
    """Yield a WAV file of noise, one megabyte at a time."""
    size = megabytes * MB
    yield b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt "
    yield struct.pack("<IHHIIHH", 16, 1, 2, 48_000, 192_000, 4, 16)
    yield b"data" + struct.pack("<I", size)
    for _ in range(megabytes):
        yield secrets.token_bytes(MB)


def upload_file(token: str, megabytes: int) -> str:
    """Upload a file and return the sample's id."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="long.wav"\r\n\r\n'
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection("localhost", PORT, timeout=600)
    connection.putrequest("POST", "/api/samples")
    connection.putheader("Authorization", f"Bearer {token}")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(len(head) + 44 + megabytes * MB + len(tail)))
    connection.endheaders(head)
    for part in wav_noise(megabytes):
        connection.send(part)
    connection.send(tail)
    answer = json.loads(connection.getresponse().read())
    return answer["samples"][0]["id"]


def main() -> int:
    """Print the figures; return 1 if the server exceeded the limit."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    token, processes = sign_in(), server_processes()
    for name, size in (("warming up", 1), ("first", megabytes), ("second", megabytes)):
        before = peak = resident_mb(processes)
        done = threading.Event()

        def watch(done: threading.Event = done) -> None:
            nonlocal peak
            while not done.wait(0.02):
                peak = max(peak, resident_mb(processes))

        watcher = threading.Thread(target=watch)
        watcher.start()
        sample_id = upload_file(token, size)
        done.set()
        watcher.join()
        for _ in range(2):  # to the trash, then permanently
            request_json("DELETE", f"/api/samples/{sample_id}", token=token)
        rise = peak - before
        print(f"{name}: {size} MB uploaded, {before:.0f} MB before, {rise:+.1f} MB at most")
        if size == megabytes and rise > LIMIT_MB:
            return 1
    return 0


def run_with_own_product() -> int:
    """Start an instance and run this script against it."""
    with running_product() as instance:
        environment = os.environ | {"PORT": str(instance.port)}
        command = [sys.executable, __file__, *sys.argv[1:]]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main() if "PORT" in os.environ else run_with_own_product())
