"""Time to read and write PADCONF.BIN with 160 used pads, beside unpacking its numbers alone.

"Bytes" splits the file into its parts and joins them. "Pads" also reads the settings of all pads
and of the project, and writes them to the bytes they came from. "Changed" changes the level of each
pad in between. The baseline is one `struct.unpack` and one `struct.pack` of all 13,000 words. Times
are CPU times of the thread.
"""

import statistics
import struct
import time
from collections.abc import Callable
from dataclasses import replace

import instance  # noqa: F401 - makes the package importable

from sp404_app.devices.device_pad import DevicePad
from sp404_app.devices.mk2.padconf import (
    EMPTY_PAD,
    create_padconf,
    decode_padconf,
    encode_padconf,
    replace_pads,
)
from sp404_app.devices.mk2.pads import read_pad, write_pad
from sp404_app.devices.mk2.project_settings import read_project, write_project
from sp404_app.devices.pad_settings import DEFAULTS

ROUNDS = 400
WORDS = struct.Struct(">13000I")
FRAMES = 48_000


def build_full_project() -> bytes:
    """Return a project with a sample on each pad."""
    pads = {
        index: write_pad(
            DevicePad(f"sample {index}", DEFAULTS | {"level": index % 128}, (), 2, FRAMES),
            EMPTY_PAD,
        )
        for index in range(160)
    }
    return encode_padconf(replace_pads(create_padconf("BENCH"), pads))


def copy_words(data: bytes) -> bytes:
    """Unpack and pack all words."""
    return WORDS.pack(*WORDS.unpack(data))


def copy_bytes(data: bytes) -> bytes:
    """Split the file and join it."""
    return encode_padconf(decode_padconf(data))


def copy_pads(data: bytes, level: int | None = None) -> bytes:
    """Read all settings and write them, with another level if one is given."""
    padconf = decode_padconf(data)
    pads = {}
    for index, raw in enumerate(padconf.pads):
        pad = read_pad(padconf, index, 2)
        if pad and level is not None:
            pad = replace(pad, settings={**pad.settings, "level": level})
        if pad:
            pads[index] = write_pad(pad, raw)
    padconf = write_project(read_project(padconf), replace_pads(padconf, pads))
    return encode_padconf(padconf)


def change_pads(data: bytes) -> bytes:
    """Change the level of all pads, and return the bytes as they were."""
    copy_pads(data, 5)
    return data


def measure(copies: dict[str, Callable[[bytes], bytes]], data: bytes) -> dict[str, list[float]]:
    """Return the CPU milliseconds of each round, sorted; the copies take turns."""
    times: dict[str, list[float]] = {name: [] for name in copies}
    for _ in range(ROUNDS):
        for name, copy in copies.items():
            started = time.thread_time()
            copied = copy(data)
            times[name].append(1000 * (time.thread_time() - started))
            if copied != data:
                raise SystemExit("The file that was written differs from the one that was read.")
    return {name: sorted(values) for name, values in times.items()}


def main() -> None:
    """Print median and 95th percentile, and the ratio of the medians to the baseline."""
    copies = {
        "words": copy_words,
        "bytes": copy_bytes,
        "pads": copy_pads,
        "changed": change_pads,
    }
    times = measure(copies, build_full_project())
    baseline = statistics.median(times["words"])
    for name, values in times.items():
        median, p95 = statistics.median(values), values[int(0.95 * len(values))]
        print(f"{name}: median {median:.2f} ms, p95 {p95:.2f} ms, ×{median / baseline:.1f}")


if __name__ == "__main__":
    main()
