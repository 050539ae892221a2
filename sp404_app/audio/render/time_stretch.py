"""Change the length of a clip at unchanged pitch, with Signalsmith Stretch as WebAssembly.

The specification of WebAssembly fixes how numbers are rounded; native builds of the library do not
give the same audio. The module is that of the npm package signalsmith-stretch 1.3.2; its functions
are declared in `web/emscripten/main.cpp` of its sources.
"""

import atexit
import ctypes
import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]
Reader = Callable[[int, int], Frames]  # (start, count): frames, also outside of the clip

MODULE_PATH: Final = Path(__file__).parent / "wasm" / "signalsmith-stretch-1.3.2.wasm"
MODULE_SHA256: Final = "83869197b3c5ebf9fc8c517a1586aef1ecf77404842218d62b9c0e82882d8ca3"
# The names of this module's exports and imports, shortened by its build.
EXPORTS: Final = {
    "memory": "e", "construct": "f", "main": "y", "set_buffers": "h", "configure": "p",
    "preset": "n", "input_latency": "k", "output_latency": "l", "seek": "v", "process": "w",
}  # fmt: skip
RANDOM_BYTE: Final = 7  # the random numbers of the library must not differ between renders
PAGE_BYTES: Final = 65_536
BLOCK_FRAMES: Final = 16_384  # of input per call; the library rounds positions in each call
PRESET_RATES_HZ: Final = (8_000, 192_000)  # the block length follows the rate within these
PERCUSSIVE_BLOCK_S: Final = 2048 / 48_000
PERCUSSIVE_STEP_S: Final = 512 / 48_000


class DamagedModule(RuntimeError):
    """The WebAssembly file is not the one that this code was written for."""


@lru_cache(maxsize=1)
def compile_module() -> tuple[Any, Any]:
    """Return the engine and the compiled module (40 ms, once per process).

    Raises:
        DamagedModule: If the file has another SHA-256.
    """
    # Only renders that stretch should load wasmtime (30 MB).
    import wasmtime  # noqa: PLC0415

    content = MODULE_PATH.read_bytes()
    if hashlib.sha256(content).hexdigest() != MODULE_SHA256:
        raise DamagedModule(f"{MODULE_PATH.name} has an unexpected SHA-256.")
    engine = wasmtime.Engine()
    return engine, wasmtime.Module(engine, content)


# wasmtime must free them while the interpreter is still complete.
atexit.register(compile_module.cache_clear)


class Stretcher:
    """One instance of the library, for one sound; close it, or its memory stays allocated.

    With `percussive`, blocks are shorter, which keeps hits sharper and tones less pure.
    """

    def __init__(self, channels: int, rate: int, *, percussive: bool) -> None:
        import wasmtime  # noqa: PLC0415  see `compile_module`

        engine, module = compile_module()
        self.channels = channels
        self.store = wasmtime.Store(engine)
        imports = [
            wasmtime.Func(self.store, each.type, getattr(self, f"import_{each.name}"))
            for each in module.imports
        ]
        self.exports: Any = wasmtime.Instance(self.store, module, imports).exports(self.store)
        self.memory: Any = self.exports[EXPORTS["memory"]]
        self.call("construct")
        self.call("main", 0, 0)
        rate = min(max(rate, PRESET_RATES_HZ[0]), PRESET_RATES_HZ[1])
        if percussive:
            sizes = round(rate * PERCUSSIVE_BLOCK_S), round(rate * PERCUSSIVE_STEP_S)
            self.call("configure", channels, *sizes, 0)
        else:
            self.call("preset", channels, float(rate))
        self.input_latency = self.call("input_latency")
        self.output_latency = self.call("output_latency")
        self.buffer_frames = self.buffers_at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.store.close()

    def call(self, name: str, *arguments: float) -> Any:
        """Call a function of the module."""
        return self.exports[EXPORTS[name]](self.store, *arguments)

    def import_a(self, at: int, count: int) -> int:
        """Fill memory with "random" bytes, for `random_get`."""
        self.memory.write(self.store, bytes([RANDOM_BYTE]) * count, at)
        return 0

    def import_b(self, size: int) -> int:
        """Grow the memory to at least `size` bytes, for `emscripten_resize_heap`."""
        missing = max(0, size - self.memory.data_len(self.store))
        self.memory.grow(self.store, -(-missing // PAGE_BYTES))
        return 1

    def import_c(self, target: int, source: int, count: int) -> None:
        """Copy memory, for `emscripten_memcpy_js`."""
        content = self.memory.read(self.store, source, source + count)
        self.memory.write(self.store, content, target)

    def import_d(self) -> None:
        """Stop, for `abort`."""
        raise RuntimeError("The stretcher has aborted.")

    def set_buffers(self, frames: int) -> None:
        """Allocate input and output buffers of so many frames."""
        self.buffer_frames = frames
        self.buffers_at = self.call("set_buffers", self.channels, frames)

    def buffer(self, index: int) -> Frames:
        """Return the input (0) or output (1) buffer, (channels, frames), until the next call."""
        size = self.buffer_frames * self.channels
        base = ctypes.addressof(self.memory.data_ptr(self.store).contents)
        at = base + self.buffers_at + 4 * size * index
        flat = np.frombuffer(memoryview((ctypes.c_float * size).from_address(at)), np.float32)
        return flat.reshape(self.channels, self.buffer_frames)

    def seek(self, block: Frames, speed: float) -> None:
        """Take the first `input_latency` frames of the sound, shape (frames, channels)."""
        self.buffer(0)[:, : len(block)] = block.T
        self.call("seek", len(block), speed)

    def process(self, block: Frames, count: int) -> Frames:
        """Take the next frames of input and return the next `count` frames of output."""
        self.buffer(0)[:, : len(block)] = block.T
        self.call("process", len(block), count)
        return self.buffer(1)[:, :count].T.copy()


def stretch_frames(
    read: Reader, stretcher: Stretcher, start: int, frames: int, out_frames: int
) -> Iterator[Frames]:
    """Yield `out_frames` frames of stretched sound, made of `frames` frames from `start`.

    The first frame of output belongs to the first of input. `read` is also asked for frames
    outside of this span: the library needs context.
    """
    speed = frames / out_frames
    lead, lag = stretcher.input_latency, stretcher.output_latency
    total_in, total_out = frames + round(lag * speed), out_frames + lag
    stretcher.set_buffers(max(BLOCK_FRAMES, int(BLOCK_FRAMES / speed) + 2, lead) + 16)
    stretcher.seek(read(start, lead), speed)
    done = made = 0
    while done < total_in:
        count = min(BLOCK_FRAMES, total_in - done)
        wanted = round((done + count) * total_out / total_in) - made
        block = stretcher.process(read(start + lead + done, count), wanted)
        yield block[max(0, lag - made) :]
        done, made = done + count, made + wanted
