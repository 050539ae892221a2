"""Decode the part of a sound that an edit keeps: channels, trim, silence, reverse."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.io import decode
from sp404_app.audio.io.transcode import downmix
from sp404_app.audio.render import length
from sp404_app.audio.render.edit import Channels, Edit, InvalidEdit
from sp404_app.audio.render.frame_store import FrameStore

Frames = npt.NDArray[np.float32]
Report = Callable[[float], None]

GRID: Final = 32_768  # steps of 16-bit samples from 0 to full scale
MAX_RENDER_S: Final = 3 * 3600  # of the result: no device takes more


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames to render, read at random: `frames` of a store from `first`, in either direction.

    `copies` is 2 if both channels are equal: then only one (`channels` is 1) is rendered. `on_grid`
    means that all samples are 16-bit values.
    """

    store: FrameStore
    rate: int
    channels: int
    first: int
    frames: int
    reverse: bool = False
    copies: int = 1
    on_grid: bool = False

    def read(self, start: int, count: int) -> Frames:
        """Return `count` frames from `start`; all of them must be in the clip."""
        if self.reverse:
            start = self.frames - start - count
        block = self.store.read(self.first + start, count)[:, : self.channels]
        return block[::-1] if self.reverse else block

    def read_padded(self, start: int, count: int) -> Frames:
        """Return `count` frames from `start`, with silence outside the clip."""
        first, last = min(max(start, 0), self.frames), min(max(start + count, 0), self.frames)
        if last - first == count:
            return self.read(first, count)
        block = np.zeros((count, self.channels), np.float32)
        block[first - start : last - start] = self.read(first, last - first)
        return block

    def read_circular(self, start: int, count: int) -> Frames:
        """Return `count` frames from `start` (also negative) of the endlessly repeated clip."""
        parts, at = [], start % self.frames
        while count > 0:
            part = self.read(at, min(count, self.frames - at))
            parts.append(part)
            at, count = 0, count - len(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class ClipLoader:
    """Stores decoded blocks, and finds silence, equal channels and the 16-bit grid."""

    def __init__(self, edit: Edit, folder: Path, channels: int) -> None:
        self.edit = edit
        self.store = FrameStore(kept_channels(edit.channels, channels), folder)
        self.equal_channels = self.store.channels == 2
        self.on_grid = True
        silence = edit.trim_silence
        self.silence = None if silence is None else 10 ** (silence / 20)
        self.first_sound: int | None = None
        self.last_sound = 0

    def feed(self, block: Frames) -> None:
        """Add decoded frames of shape (frames, channels of the file)."""
        kept = choose_channels(block, self.edit.channels)
        if self.equal_channels:
            self.equal_channels = bool(np.array_equal(kept[:, 0], kept[:, 1]))
        if self.on_grid:
            self.on_grid = is_on_grid(kept)
        if self.silence is not None:
            self.find_sound(np.abs(kept).max(axis=1) > self.silence)
        self.store.append(kept)

    def find_sound(self, sounding: npt.NDArray[np.bool_]) -> None:
        """Record the first and the last frame above the silence."""
        found = np.flatnonzero(sounding)
        if len(found):
            if self.first_sound is None:
                self.first_sound = self.store.frames + int(found[0])
            self.last_sound = self.store.frames + int(found[-1]) + 1

    def done(self, rate: int) -> Clip:
        """Return the clip; if everything is silence, none of it is trimmed."""
        first, last = 0, self.store.frames
        if self.first_sound is not None:
            first, last = self.first_sound, self.last_sound
        copies = 2 if self.equal_channels else 1
        return Clip(
            self.store,
            rate,
            self.store.channels // copies,
            first,
            last - first,
            self.edit.reverse,
            copies,
            self.on_grid,
        )


def load_clip(source: Path, edit: Edit, rate: int, folder: Path, report: Report) -> Clip:
    """Decode what the edit keeps of a file; close the clip's store after use.

    Raises:
        BadAudio: If the file cannot be decoded.
        InvalidEdit: If the trim is after the end of the sound, or the render would be too long.
    """
    with ExitStack() as on_error, decode.open_audio(source) as (header, blocks):
        loader = ClipLoader(edit, folder, header.channels)
        on_error.callback(loader.store.close)
        max_frames = longest_clip(edit, header.sample_rate, rate)
        for block in kept_blocks(blocks, edit):
            loader.feed(block)
            if loader.store.frames > max_frames:
                raise InvalidEdit("", "This sound becomes too long. The limit is 3 hours.")
            report(min(1.0, loader.store.frames / max(1, header.frames)))
        if not loader.store.frames:
            raise InvalidEdit("trim", "The trim starts after the end of the sound.")
        on_error.pop_all()
        return loader.done(header.sample_rate)


def longest_clip(edit: Edit, source_rate: int, rate: int) -> float:
    """Return the number of frames that render to `MAX_RENDER_S`, stretched or not."""
    second = length.result_frames(edit, source_rate, source_rate, rate) / rate
    return MAX_RENDER_S * source_rate / max(second, length.stretcher_ratio(edit), 1.0)


def kept_blocks(blocks: Iterator[Frames], edit: Edit) -> Iterator[Frames]:
    """Yield the decoded frames inside the trim; stop decoding after it."""
    if edit.trim is None:
        yield from blocks
        return
    (first, last), at = edit.trim, 0
    for block in blocks:
        part = block[max(0, first - at) : max(0, last - at)]
        if len(part):
            yield part
        at += len(block)
        if at >= last:
            return


def kept_channels(choice: Channels, channels: int) -> int:
    """Return the number of channels of the result: at most two."""
    return min(2, channels) if choice == "keep" else 1


def choose_channels(block: Frames, choice: Channels) -> Frames:
    """Return the chosen channels; more than two are mixed to two first."""
    block = downmix(block)
    match choice:
        case "left":
            return block[:, :1]
        case "right":
            return block[:, -1:]
        case "mono":
            return block.mean(axis=1, keepdims=True)
        case _:
            return block


def is_on_grid(block: Frames) -> bool:
    """Return whether all samples are 16-bit values."""
    steps = block * np.float32(GRID)
    return bool(
        np.array_equal(np.rint(steps), steps) and steps.max() < GRID and steps.min() >= -GRID
    )
