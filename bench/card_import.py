"""Taking in a full SP-404MKII project: `python bench/card_import.py`.

160 pads of 10 s, stereo, 48 kHz, are sent to a running product file by file, as the page does, and
read by its worker. Printed is the time from the first byte until the project exists, and until all
waveforms are in the database. As the baseline of this machine at this moment, the same files are
copied and each of their sounds is read with soundfile, in this process, before and after. Returns 1
if a waveform is missing after `MAX_S`.
"""

import http.client
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlparse

import numpy as np
import soundfile
from instance import PASSWORD, create_user, open_database, running_product
from sqlmodel import func, select

from sp404_app.devices.device_pad import DevicePad
from sp404_app.devices.mk2 import padconf, pads, paths, smp
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.models import Waveform
from tests.product import Product

PADS, SECONDS, RATE = 160, 10, 48_000
MAX_S, TIMEOUT_S = 20.0, 300.0
FOLDER = "EXPORT/PROJECT/PROJECT_01"
EMAIL = "bench@example.org"


class Client:
    """Sends requests to the product over one connection."""

    def __init__(self, instance: Product) -> None:
        self.connection = http.client.HTTPConnection(
            urlparse(instance.base_url).netloc, timeout=TIMEOUT_S
        )
        self.headers: dict[str, str] = {}

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Send JSON, or bytes as they are; return the JSON answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "octet-stream" if isinstance(body, bytes) else "json"
        headers = self.headers | {"Content-Type": f"application/{kind}"}
        self.connection.request(method, path, raw, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status < 300, (path, answer.status, content)
        return json.loads(content)


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="sp404b-") as folder:
        card = write_card(Path(folder) / "card")
        with running_product() as instance:
            with open_database(instance) as session:
                create_user(session, EMAIL)
            client = Client(instance)
            token = client.send("POST", "/api/auth/login", {"email": EMAIL, "password": PASSWORD})
            client.headers["Authorization"] = f"Bearer {token['token']}"
            before = baseline(card, Path(folder))
            taken = take_in(client, instance, card)
            after = baseline(card, Path(folder))
    reference = statistics.mean([before, after])
    for name, seconds in taken.items():
        print(f"{name:<22} {seconds:6.1f} s  {seconds / reference:5.1f} times the baseline")
    print(f"{'copy and read':<22} {reference:6.1f} s  ({before:.1f}, {after:.1f})")
    return int(taken["all waveforms"] > MAX_S)


def write_card(root: Path) -> dict[str, Path]:
    """Write a full project; return its files by their path on the card."""
    rng = np.random.default_rng(5)
    frames = RATE * SECONDS
    raw: dict[int, padconf.RawPad] = {}
    card: dict[str, Path] = {}
    decay = np.exp(-np.arange(frames) / RATE * 2 % 1 * 6)[:, None]
    for index in range(PADS):
        samples = (rng.uniform(-0.5, 0.5, (frames, 2)) * decay * 32_767).astype(">i2")
        data = smp.build_smp_header(2, frames) + samples.tobytes()
        card[f"{FOLDER}/{paths.sample_path(index)}"] = write(root, index, data)
        pad = DevicePad(f"Loop {index}", DEFAULTS, (), 2, frames)
        raw[index] = pads.write_pad(pad, padconf.EMPTY_PAD)
    config = padconf.replace_pads(padconf.create_padconf("BENCH"), raw)
    card[f"{FOLDER}/PADCONF.BIN"] = write(root, PADS, padconf.encode_padconf(config))
    return card


def write(root: Path, number: int, data: bytes) -> Path:
    """Write a file of the card."""
    root.mkdir(exist_ok=True)
    path = root / f"{number}.bin"
    path.write_bytes(data)
    return path


def baseline(card: dict[str, Path], folder: Path) -> float:
    """Copy all files and read each sound with soundfile; return the seconds."""
    target = folder / "copy"
    target.mkdir()
    began = time.perf_counter()
    for path in card.values():
        copy = Path(shutil.copy(path, target))
        if copy.stat().st_size > 1_000_000:
            options = {"samplerate": RATE, "channels": 2, "subtype": "PCM_16", "endian": "BIG"}
            soundfile.read(copy, format="RAW", **options)
    took = time.perf_counter() - began
    shutil.rmtree(target)
    return took


def take_in(client: Client, instance: Product, card: dict[str, Path]) -> dict[str, float]:
    """Send the card and wait; return the seconds from the first byte to each stage."""
    began = time.perf_counter()
    times: dict[str, float] = {}
    place = f"/api/imports/{client.send('POST', '/api/imports', {'kind': 'mk2'})['id']}"
    for path, file in card.items():
        client.send("PUT", f"{place}/files/{quote(path)}", file.read_bytes())
    times["all files sent"] = time.perf_counter() - began
    job_id = client.send("POST", f"{place}/finish")["job"]["id"]
    while (job := client.send("GET", f"/api/jobs/{job_id}"))["status"] in ("queued", "running"):
        time.sleep(0.7)
    assert job["status"] == "done", job
    times["the project exists"] = time.perf_counter() - began
    while count_waveforms(instance) < PADS:
        assert time.perf_counter() - began < TIMEOUT_S
        time.sleep(0.5)
    times["all waveforms"] = time.perf_counter() - began
    return times


def count_waveforms(instance: Product) -> int:
    """Return how many waveforms the database has."""
    with open_database(instance) as session:
        return session.exec(select(func.count()).select_from(Waveform)).one()


if __name__ == "__main__":
    sys.exit(main())
