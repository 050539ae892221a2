"""Render a sound for a pad: one edit, in a fixed order, to a 16-bit WAV file.

The order: channels, trim, silence, reverse, pitch and stretch, resample trick and rate of the
device, fades, normalise, gain, ceiling, dither. The level comes last because stretching and
resampling change peaks. The same sound, edit and seed give the same bytes.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sp404_app.audio.features.survey import amplitude_to_dbfs
from sp404_app.audio.render import length, levels
from sp404_app.audio.render.clip import Clip, load_clip
from sp404_app.audio.render.edit import Edit
from sp404_app.audio.render.frame_store import FrameStore
from sp404_app.audio.render.pcm_writer import HEADER_BYTES, PcmWriter
from sp404_app.audio.render.resample import resample_clip
from sp404_app.audio.render.stretch_clip import stretch_clip

Samples = npt.NDArray[np.float64]  # (frames, channels)
Report = Callable[[float], None]

# Shares of the whole time, for progress.
LOADED, STRETCHED, RESAMPLED = 0.2, 0.7, 0.85


@dataclass(frozen=True, slots=True)
class Rendered:
    """The file that a render has written.

    `peak_dbfs` is the highest sample before the ceiling (None in silence), `frames_held` the number
    of frames that were above it, `sha256` that of the whole file.
    """

    frames: int
    channels: int
    rate: int
    size_bytes: int
    peak_dbfs: float | None
    frames_held: int
    sha256: str


def render(
    source: Path,
    edit: Edit,
    *,
    rate: int,
    loop: bool,
    seed: bytes,
    target: Path,
    progress: Report | None = None,
) -> Rendered:
    """Render a sound file at `rate` Hz into `target`; its folder also holds temporary files.

    With `loop`, stretching and resampling treat the end as followed by the start. `seed`
    determines the dither. `progress` is called with 0..1, and stops the render by raising.

    Raises:
        BadAudio: If the file cannot be decoded.
        InvalidEdit: If the trim is after the end of the sound, or the result would be too long.
    """
    try:
        with ExitStack() as stores:
            report = progress or (lambda _: None)
            return Renderer(edit, rate, loop, seed, target, report, stores).render(source)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class Renderer:
    """The stages of one render; `stores` closes the frames between them."""

    edit: Edit
    rate: int
    loop: bool
    seed: bytes
    target: Path
    report: Report
    stores: ExitStack

    def render(self, source: Path) -> Rendered:
        """Run all stages."""
        edit, folder = self.edit, self.target.parent
        clip = load_clip(source, edit, self.rate, folder, self.stage(0.0, LOADED))
        self.stores.callback(clip.store.close)
        frames = length.result_frames(edit, clip.frames, clip.rate, self.rate)
        exact = clip.on_grid and clip.rate == self.rate and keeps_samples(edit)
        stretched = self.stretch(clip)
        rates = None
        if stretched is clip:
            rates = (clip.rate * length.playback_speed(edit), float(self.rate))
        blocks = resample_clip(stretched, rates, frames, loop=self.loop)
        blocks = levels.fade_blocks(blocks, frames, self.rate, edit)
        blocks = self.apply_gain(blocks, frames, clip)
        return self.write(blocks, frames, clip, exact=exact)

    def stage(self, start: float, end: float) -> Report:
        """Return a report for one stage, which makes this part of the progress."""
        return lambda share: self.report(start + (end - start) * share)

    def stretch(self, clip: Clip) -> Clip:
        """Return the clip stretched for `pitch` and `stretch`, or the clip itself."""
        ratio = length.stretcher_ratio(self.edit)
        if ratio == 1.0:
            return clip
        frames = max(1, round(clip.frames * ratio))
        report = self.stage(LOADED, STRETCHED)
        stretched = stretch_clip(clip, frames, self.target.parent, report, loop=self.loop)
        self.stores.callback(stretched.store.close)
        clip.store.close()
        return stretched

    def apply_gain(self, blocks: Iterator[Samples], frames: int, clip: Clip) -> Iterator[Samples]:
        """Yield the sound at its final level; to normalise, the whole sound is stored first."""
        edit = self.edit
        if edit.normalise is None:
            return scale_blocks(blocks, levels.decibels_to_ratio(edit.gain_db))
        store = self.stores.enter_context(FrameStore(clip.channels, self.target.parent))
        report = self.stage(STRETCHED, RESAMPLED)
        for block in blocks:
            store.append(block.astype(np.float32))
            report(store.frames / frames)
        gain = levels.required_gain(store, self.rate, clip.copies, edit)
        return scale_blocks(
            (block.astype(np.float64) for block in levels.stored_blocks(store)), gain
        )

    def write(self, blocks: Iterator[Samples], frames: int, clip: Clip, *, exact: bool) -> Rendered:
        """Write the file, padded to the device's minimum."""
        padded = max(frames, length.minimum_frames(self.rate))
        report = self.stage(RESAMPLED, 1.0)
        with PcmWriter(
            self.target,
            padded,
            channels=clip.channels,
            copies=clip.copies,
            rate=self.rate,
            seed=None if exact else self.seed,
        ) as writer:
            for block in blocks:
                writer.feed(block)
                report(writer.written / padded)
            writer.pad()
        return Rendered(
            frames=padded,
            channels=clip.channels * clip.copies,
            rate=self.rate,
            size_bytes=HEADER_BYTES + padded * writer.width,
            peak_dbfs=amplitude_to_dbfs(writer.peak),
            frames_held=writer.frames_held,
            sha256=writer.sha.hexdigest(),
        )


def keeps_samples(edit: Edit) -> bool:
    """Return whether an edit leaves the values of samples as they are, at an unchanged rate."""
    return (
        length.stretcher_ratio(edit) == length.playback_speed(edit) == 1.0
        and edit.normalise is None
        and edit.gain_db == edit.fade_in == edit.fade_out == 0.0
    )


def scale_blocks(blocks: Iterator[Samples], gain: float) -> Iterator[Samples]:
    """Multiply all samples by a gain."""
    for block in blocks:
        yield block if gain == 1.0 else block * gain
