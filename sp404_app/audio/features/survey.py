"""Streaming measurements of a whole file in one pass; every upload gets them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.fir import Decimator
from sp404_app.audio.dsp.loudness import LoudnessMeter
from sp404_app.audio.dsp.true_peak import TruePeakMeter
from sp404_app.audio.io import decode
from sp404_app.audio.io.content_hash import ContentHasher
from sp404_app.audio.io.decode import Header
from sp404_app.audio.io.peaks import Peaks, PeaksBuilder

Planes = npt.NDArray[np.float32]  # (channels, frames)
Signal = npt.NDArray[np.float32]

WINDOW_S: Final = 30.0
MAX_WINDOW_RATE_HZ: Final = 50_000  # higher rates are halved until they fit
SILENCE_LEVEL: Final = 1e-4  # -80 dBFS
CLIP_LEVEL: Final = 0.9995
CLIP_RUN: Final = 3  # samples in a row at full scale count as clipping


@dataclass(frozen=True, slots=True)
class Survey:
    """Measurements that need no musical analysis.

    `duration` (s) and `frames` are those of the decoded audio; `digest` is its content hash. Levels
    are in dBFS: `peak_dbfs` of the highest sample (None in silence), `true_peak_dbtp` between
    samples. `loudness_lufs` is integrated (BS.1770-4). `silence_head` and `silence_tail` are
    seconds below -80 dBFS. `window` is mono at `window_rate` Hz, at most 30 s, and starts at
    `window_start` s; `whole` means that it omits nothing but silence.
    """

    header: Header
    duration: float
    frames: int
    digest: str
    peaks: Peaks
    loudness_lufs: float | None
    peak_dbfs: float | None
    true_peak_dbtp: float | None
    silent: bool
    silence_head: float
    silence_tail: float
    clipped: bool
    dc_offset: float
    dual_mono: bool
    truncated: bool
    window: Signal
    window_rate: float
    window_start: float
    whole: bool


def survey_file(path: Path) -> Survey:
    """Measure a file in one pass and extract the window for the analysis.

    Raises:
        BadAudio: If nothing can be decoded.
    """
    with decode.open_audio(path) as (header, blocks):
        levels = LevelMeter(header)
        peaks = PeaksBuilder(header.sample_rate)
        meter = LoudnessMeter(header.sample_rate, header.channels)
        true_peak = TruePeakMeter(header.channels)
        excerpt = ExcerptCollector(header)
        hasher = ContentHasher(header)
        for block in blocks:
            hasher.feed(block)
            peaks.feed(block)
            planes = np.ascontiguousarray(block.T)  # ten times faster to reduce along long rows
            true_peak.feed(planes, levels.feed(planes))
            meter.feed(planes)
            excerpt.feed(planes)
    seconds = levels.frames / header.sample_rate
    whole = seconds <= WINDOW_S
    start = 0.0
    if not whole:
        whole = levels.first is not None and seconds - levels.head - levels.tail <= WINDOW_S
        start = levels.head if whole else loudest_window_start(meter.powers, seconds)
        start = min(start, seconds - WINDOW_S)
        excerpt = ExcerptCollector(header)
        excerpt.feed(decode.decode_segment(path, start, start + WINDOW_S)[0].T)
    return Survey(
        header=header,
        duration=seconds,
        frames=levels.frames,
        digest=hasher.done().digest,
        peaks=peaks.done(),
        loudness_lufs=meter.integrated(),
        peak_dbfs=amplitude_to_dbfs(levels.peak),
        true_peak_dbtp=amplitude_to_dbfs(true_peak.linear_peak()),
        silent=levels.first is None,
        silence_head=levels.head,
        silence_tail=levels.tail,
        clipped=levels.clips > 0,
        dc_offset=float(np.abs(levels.sums).max() / levels.frames),
        dual_mono=levels.dual_mono and levels.first is not None,
        truncated=levels.frames < 0.99 * header.frames - 0.1 * header.sample_rate,
        window=excerpt.mono(),
        window_rate=header.sample_rate / excerpt.factor,
        window_start=start,
        whole=whole,
    )


def loudest_window_start(powers: npt.NDArray[np.float64], seconds: float) -> float:
    """Return the start, in s, of the 30 s of a long file with the highest mean log power.

    The logarithm prevents a single loud event from deciding.
    """
    hops = int(WINDOW_S / 0.1)
    levels = np.log10(powers + 1e-7)
    if len(levels) <= hops:
        return 0.0
    sums = np.concatenate([[0.0], np.cumsum(levels)])
    return min(0.1 * int(np.argmax(sums[hops:] - sums[:-hops])), seconds - WINDOW_S)


def amplitude_to_dbfs(value: float) -> float | None:
    """Convert an amplitude to dBFS; None for silence."""
    return float(20 * np.log10(value)) if value > 1e-9 else None


class LevelMeter:
    """Measures peak, silence, clipping, DC offset and dual mono, block by block."""

    def __init__(self, header: Header) -> None:
        self.rate = header.sample_rate
        self.channels = header.channels
        self.frames = 0
        self.first: int | None = None  # frame of the first sound
        self.last = 0  # frame after the last sound
        self.peak = 0.0
        self.clips = 0
        # Which of the last frames of the previous block are at full scale.
        self.hot = np.zeros((header.channels, CLIP_RUN - 1), bool)
        self.sums = np.zeros(header.channels)
        self.dual_mono = header.channels == 2

    def feed(self, planes: Planes) -> Signal:
        """Add frames of shape (channels, frames); return their highest magnitudes (frames,)."""
        level = np.abs(planes[0]) if len(planes) == 1 else np.abs(planes).max(axis=0)
        top = float(level.max())
        self.sums += planes.sum(axis=1)
        self.find_sound(level)
        self.peak = max(self.peak, top)
        self.find_clips(planes, top)
        if self.dual_mono:
            self.dual_mono = bool(np.array_equal(planes[0], planes[1]))
        self.frames += len(level)
        return level

    def find_sound(self, level: Signal) -> None:
        """Record the first and last frame above silence."""
        sounding = level > SILENCE_LEVEL
        first = int(sounding.argmax())
        if sounding[first]:
            if self.first is None:
                self.first = self.frames + first
            self.last = self.frames + len(level) - int(sounding[::-1].argmax())

    def find_clips(self, planes: Planes, top: float) -> None:
        """Count runs of samples at full scale, also across blocks."""
        if top < CLIP_LEVEL:
            self.hot = np.zeros_like(self.hot)
            return
        hot = np.concatenate([self.hot, np.abs(planes) >= CLIP_LEVEL], axis=1)
        self.clips += int(np.count_nonzero(hot[:, 2:] & hot[:, 1:-1] & hot[:, :-2]))
        self.hot = hot[:, 1 - CLIP_RUN :]

    @property
    def head(self) -> float:
        """Seconds of silence before the first sound."""
        return (self.frames if self.first is None else self.first) / self.rate

    @property
    def tail(self) -> float:
        """Seconds of silence after the last sound; 0 if everything is silent."""
        return 0.0 if self.first is None else (self.frames - self.last) / self.rate


class ExcerptCollector:
    """Collects the first 30 s as up to two mono mixes, decimated for the analysis."""

    def __init__(self, header: Header) -> None:
        self.factor = 1
        while header.sample_rate / self.factor > MAX_WINDOW_RATE_HZ:
            self.factor *= 2
        self.frames_left = int(WINDOW_S * header.sample_rate)
        signs = np.where(np.arange(header.channels) % 2, -1.0, 1.0)
        # The sum of the channels, and their difference if the sum cancels out.
        mixes = np.stack([np.ones(header.channels), signs]) / header.channels
        self.mixes = mixes.astype(np.float32)[: min(2, header.channels)]
        self.decimator = Decimator(self.factor, len(self.mixes))
        self.parts: list[Planes] = []

    def feed(self, planes: Planes) -> None:
        """Add frames of shape (channels, frames); those beyond 30 s are dropped."""
        planes = planes[:, : self.frames_left]
        self.frames_left -= planes.shape[1]
        if planes.size:
            self.parts.append(self.decimator.feed((self.mixes @ planes).T).T)

    def mono(self) -> Signal:
        """Return the sum of the channels, or their difference if the sum cancels out."""
        both = np.concatenate([*self.parts, self.decimator.flush().T], axis=1)
        power = np.vecdot(both, both)
        chosen = int(len(power) == 2 and power[0] < 0.02 * power[1])
        return np.ascontiguousarray(both[chosen])
