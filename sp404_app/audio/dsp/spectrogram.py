"""Mel spectrogram, tempogram and chromagram of a file, drawn with librosa.

Importing librosa takes seconds and compiles code with numba. Only the picture worker imports this
module (`jobs/spectrogram.py`); an import contract in `pyproject.toml` keeps it out of everything
else.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import librosa
import numpy as np
import numpy.typing as npt

from sp404_app.audio.io import decode
from sp404_app.audio.picture import Picture, View
from sp404_app.errors import BadAudio

Signal = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]

COLUMNS: Final = 8192  # at most, in one picture
CHUNK_SECONDS: Final = 60.0  # decoded and transformed at once
MARGIN_SECONDS: Final = 4.0  # decoded around a chunk, so that no window ends at its border
RANGE_DB: Final = 80.0

MEL_BANDS: Final = 128
LOWEST_HZ, HIGHEST_HZ = 30.0, 18_000.0
HIGHEST_RATE: Final = 48_000
WINDOW_SECONDS: Final = 0.046  # 2048 samples at 44.1 kHz

MUSIC_RATE: Final = 22_050  # Hz; holds the seven octaves of the chromagram
CHROMA_HOPS: Final = (64, 512)  # samples: multiples of 2^6 for seven octaves
ONSET_HOP: Final = 256  # samples: 86 onset values a second
TEMPOGRAM_SECONDS: Final = 6.0
TEMPI_BPM: Final = (40.0, 240.0)
TEMPO_ROWS: Final = 96


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of a transform: sample rate in Hz, and hop size in samples."""

    rate: int
    hop: int

    @property
    def seconds(self) -> float:
        """The time between two frames."""
        return self.hop / self.rate


def draw_picture(path: Path, view: View, start: float, end: float) -> Picture:
    """Draw `start` to `end` seconds of a file, a minute at a time.

    Raises:
        BadAudio: If the file has no audio there, or it cannot be decoded.
    """
    frames = frames_for(view, decode.probe_header(path).sample_rate, end - start)
    count = max(1, min(COLUMNS, int((end - start) / frames.seconds)))
    width = (end - start) / count
    rows = rows_of(view, frames)
    brightest = np.zeros((len(rows), count), np.float32)
    for first, strengths in chunks(path, view, frames, start, end):
        if not strengths.shape[1]:  # the file is shorter than its header says
            break
        number = first + np.arange(strengths.shape[1])
        columns = np.minimum(((number + 0.5) * frames.seconds / width).astype(np.int64), count - 1)
        present, begins = np.unique(columns, return_index=True)
        merged = np.maximum.reduceat(strengths, begins, axis=1)
        brightest[:, present] = np.maximum(brightest[:, present], merged)
    return Picture(view, start, end, rows, pixels_of(view, brightest))


def frames_for(view: View, rate: int, seconds: float) -> Frames:
    """Choose rate and hop size: at least 500 frames, even for a one-shot, if the hop allows it."""
    if view is View.PULSE:
        return Frames(MUSIC_RATE, ONSET_HOP)
    if view is View.NOTES:
        low, high = CHROMA_HOPS
        wanted = 2 ** int(np.log2(max(1.0, seconds * MUSIC_RATE / 512)))
        return Frames(MUSIC_RATE, min(max(low, wanted), high))
    rate = min(rate, HIGHEST_RATE)
    window, length = mel_window(rate), int(seconds * rate)
    hop = max(length // COLUMNS, min(window // 8, length // 512))
    return Frames(rate, min(max(32, hop), window // 2))


def chunks(
    path: Path, view: View, frames: Frames, start: float, end: float
) -> Iterator[tuple[int, Matrix]]:
    """Yield (rows, n) strengths, chunk after chunk, with the number of the first frame in each.

    Raises:
        BadAudio: If nothing can be decoded in the first chunk.
    """
    size = max(1, int(CHUNK_SECONDS / frames.seconds))
    margin = int(MARGIN_SECONDS / frames.seconds)
    for first in range(0, max(1, int(np.ceil((end - start) / frames.seconds))), size):
        begin = start + first * frames.seconds
        before = min(margin, int(begin / frames.seconds))
        stop = min(end, begin + size * frames.seconds) + MARGIN_SECONDS
        signal = resampled(
            *decode.decode_segment(path, begin - before * frames.seconds, stop), frames
        )
        if not len(signal):
            if first:  # the file is shorter than its header says
                return
            raise BadAudio("There is no audio in this part of the file.")
        yield first, strengths_of(view, signal, frames)[:, before : before + size]


def resampled(channels: Signal, rate: int, frames: Frames) -> Signal:
    """Mix channels of shape (n, channels) down to mono, at the rate of the frames."""
    mono = np.ascontiguousarray(channels.mean(axis=1), dtype=np.float32)
    if not len(mono) or rate == frames.rate:
        return mono
    return librosa.resample(mono, orig_sr=rate, target_sr=frames.rate, res_type="soxr_hq")


def rows_of(view: View, frames: Frames) -> npt.NDArray[np.float32]:
    """Return what each row stands for: Hz, BPM, or pitch classes from C."""
    if view is View.PULSE:
        return np.geomspace(*TEMPI_BPM, TEMPO_ROWS).astype(np.float32)
    if view is View.NOTES:
        return np.arange(12, dtype=np.float32)
    highest = min(HIGHEST_HZ, frames.rate / 2)
    edges = librosa.mel_frequencies(MEL_BANDS + 2, fmin=LOWEST_HZ, fmax=highest, htk=True)
    return edges[1:-1].astype(np.float32)


def strengths_of(view: View, signal: Signal, frames: Frames) -> Matrix:
    """Return (rows, n) non-negative strengths of a mono signal, one column a frame."""
    transform = {View.SPECTRUM: mel_powers, View.PULSE: tempo_strengths, View.NOTES: chroma}[view]
    return transform(signal, frames)


def mel_window(rate: int) -> int:
    """Return the power of two that is nearest to `WINDOW_SECONDS`, in samples."""
    return 2 ** round(np.log2(WINDOW_SECONDS * rate))


def mel_powers(signal: Signal, frames: Frames) -> Matrix:
    """Return the powers of 128 mel bands.

    The window is padded to twice its length, because the lowest bands are narrower than its bins.
    """
    window = mel_window(frames.rate)
    return librosa.feature.melspectrogram(
        y=at_least(signal, 2 * window),
        sr=frames.rate,
        n_fft=2 * window,
        win_length=window,
        hop_length=frames.hop,
        htk=True,
        n_mels=MEL_BANDS,
        fmin=LOWEST_HZ,
        fmax=min(HIGHEST_HZ, frames.rate / 2),
    )


def tempo_strengths(signal: Signal, frames: Frames) -> Matrix:
    """Return the tempogram: how strongly the onsets around each frame repeat at each tempo."""
    onsets = librosa.onset.onset_strength(
        y=at_least(signal, 2048), sr=frames.rate, hop_length=frames.hop
    )
    length = int(TEMPOGRAM_SECONDS / frames.seconds)
    tempogram = librosa.feature.tempogram(
        onset_envelope=onsets - onsets.mean(),
        sr=frames.rate,
        hop_length=frames.hop,
        win_length=length,
    )
    lags = 60 / rows_of(View.PULSE, frames) / frames.seconds
    below = lags.astype(np.int64)
    rest = (lags - below)[:, None]
    between = tempogram[below] * (1 - rest) + tempogram[below + 1] * rest
    return np.maximum(between, 0).astype(np.float32)


def chroma(signal: Signal, frames: Frames) -> Matrix:
    """Return the energies of the twelve pitch classes (constant-Q, A = 440 Hz)."""
    with warnings.catch_warnings():
        # In a one-shot, the lowest octave has fewer samples than its window; librosa pads it.
        warnings.filterwarnings("ignore", "n_fft=.* is too large")
        return librosa.feature.chroma_cqt(
            y=at_least(signal, frames.rate // 2),
            sr=frames.rate,
            hop_length=frames.hop,
            norm=None,
            tuning=0.0,
        )


def at_least(signal: Signal, length: int) -> Signal:
    """Pad a signal with silence, for transforms that need `length` samples."""
    return np.pad(signal, (0, max(0, length - len(signal))))


def pixels_of(view: View, strengths: Matrix) -> npt.NDArray[np.uint8]:
    """Scale strengths to 0..255; silence is 0."""
    loudest = float(strengths.max(initial=0.0))
    if loudest <= 0:
        return np.zeros(strengths.shape, np.uint8)
    if view is View.SPECTRUM:
        shares = 1 + librosa.power_to_db(strengths, ref=loudest, amin=1e-12 * loudest) / RANGE_DB
    elif view is View.NOTES:
        floor = 0.01 * loudest  # quieter columns stay dark
        shares = strengths / np.maximum(strengths.max(axis=0, keepdims=True), floor)
    else:
        shares = strengths / max(loudest, 0.4)  # without a pulse, the picture stays dim
    return np.round(255 * np.clip(shares, 0, 1)).astype(np.uint8)
