"""Write a sound file again at another level, as WAV: rate, channels and bit depth stay."""

from pathlib import Path
from typing import Final

import numpy as np

from sp404_app.audio.io.decode import open_audio
from sp404_app.audio.render.edit import Normalise
from sp404_app.audio.render.encode import STEPS_16, TOO_LONG, Report, kept_depth
from sp404_app.audio.render.frame_store import FrameStore
from sp404_app.audio.render.levels import CEILING, measure_peak, normalising_gain, stored_blocks
from sp404_app.audio.render.pcm_writer import Dither
from sp404_app.audio.render.wav_writer import Depth, WavTooLong, WavWriter
from sp404_app.errors import ValidationFailed

READ_SHARE: Final = 0.5  # of the progress


def normalise_file(
    source: Path, target: Path, wanted: Normalise, seed: bytes, progress: Report
) -> float:
    """Write a sound at a level; return the gain in dB. `seed` determines the dither.

    No sample is held: a loudness that would need it is not reached. Silence stays as it is. The
    folder of `target` also holds temporary files. `progress` is called with 0..1, and stops the
    work by raising.

    Raises:
        BadAudio: If the file cannot be decoded.
        ValidationFailed: If the result would have 4 GB or more.
    """
    depth = kept_depth(source) or Depth.INT16
    with (
        open_audio(source) as (header, blocks),
        FrameStore(header.channels, target.parent) as store,
    ):
        for block in blocks:
            store.append(block)
            progress(READ_SHARE * min(1.0, store.frames / max(1, header.frames)))
        gain = _safe_gain(store, header.sample_rate, wanted)
        dither = Dither(seed) if depth is Depth.INT16 and gain != 1.0 else None
        with WavWriter(target, header.channels, header.sample_rate, depth) as writer:
            written = 0
            for block in stored_blocks(store):
                try:
                    writer.feed(_scale(block, gain, dither))
                except WavTooLong as error:
                    raise ValidationFailed(TOO_LONG) from error
                written += len(block)
                progress(READ_SHARE + (1 - READ_SHARE) * written / store.frames)
    return float(20 * np.log10(gain))


def _safe_gain(store: FrameStore, rate: int, wanted: Normalise) -> float:
    """Return the linear gain to a level, or the largest one that reaches the ceiling."""
    peak = measure_peak(store)
    gain = normalising_gain(store, rate, 1, wanted)
    return min(gain, CEILING / peak) if peak > 0 else 1.0


def _scale(block: np.ndarray, gain: float, dither: Dither | None) -> np.ndarray:
    scaled = block.astype(np.float64) * gain
    if dither is not None:
        steps = np.rint(scaled * STEPS_16 + dither.noise(scaled.shape))
        scaled = np.where(scaled == 0.0, 0.0, np.clip(steps, -STEPS_16, STEPS_16 - 1) / STEPS_16)
    return scaled.astype(np.float32)
