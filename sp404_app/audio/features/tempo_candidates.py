"""Tempo candidates of a loop, and the evidence for each.

A loop lasts a whole number of beats n, so its tempo is 60 n / D for a duration D, and only n is
unknown (Font & Serra, "Tempo estimation for music loops and a simple confidence measure", ISMIR
2016). D is the duration of the file, of the file without its silence, or of some periods of an
autocorrelation peak, for imprecisely cut files. The span is treated as circular, so that one DFT
gives the exact autocorrelation at every beat lag, independent of the frame length:
r(D m / n) = sum over k of P[k] cos(2 pi k m / n)   (Wiener-Khinchin).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import OnsetEnvelope

Matrix = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

MIN_BPM, MAX_BPM = 50.0, 215.0
MAX_BEATS: Final = 128
HARMONICS: Final = 768
LAGS_BEATS: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
PULSES_PER_BEAT: Final = (0.25, 0.5, 1, 2, 3, 4)
PULSE_PAIRS: Final = ((0.25, 0.5), (0.5, 1), (1, 2), (2, 4))
BAND_NAMES: Final = ("all", "low", "mid", "high")
PRIOR_BPM: Final = (58, 66, 75, 85, 97, 110, 125, 142, 161, 183, 208)
PRIOR_OCTAVES: Final = 0.13
SILENCE_LEVEL: Final = 0.05  # of the peak amplitude, as in Font & Serra
WHOLE, TRIMMED, FREE = 0, 1, 2
# Weight of the divisibility of n by span kind: it is informative only for deliberate cuts.
ROUNDNESS_TRUST: Final = (1.0, 0.5, 0.0)

TEMPO_FEATURES: Final = (
    *(f"{band} lag {lag:g}" for band in BAND_NAMES for lag in LAGS_BEATS),
    *(f"{band} pulse {pulse:g}" for band in BAND_NAMES for pulse in PULSES_PER_BEAT),
    "density", "density squared", "low density", "low density squared",
    "whole bpm", "exact bpm",
    "1 beat", "2 beats", "4 beats", "8 beats", "16 beats", "32 beats", "64 beats",
    "multiple of 4", "multiple of 3", "odd", "trimmed", "free", "whole with silence",
    "free height", "free length",
    *(f"near {bpm} bpm" for bpm in PRIOR_BPM),
    "round and whole", "round and exact",
    *(f"{band} pulse {one:g} over {other:g}" for band in BAND_NAMES for one, other in PULSE_PAIRS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """A span that may hold a whole number of beats: `start` to `start + length` seconds."""

    kind: int
    start: float
    length: float
    # FREE: height of the autocorrelation peak. WHOLE: seconds of silence at the ends, at most 1.
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class TempoCandidates:
    """Evidence (count, len(TEMPO_FEATURES)) with the tempo, beats and span of each row."""

    evidence: Matrix
    bpm: npt.NDArray[np.float64]
    beats: Numbers
    span: Numbers
    spans: list[Span]


def candidate_spans(env: OnsetEnvelope, duration: float, *, whole: bool) -> list[Span]:
    """List the spans to consider; `whole` means that the ends are the file's own."""
    spans = cut_spans(env, duration) if whole else []
    return spans + free_spans(env, duration)


def sounding_range(env: OnsetEnvelope, duration: float) -> tuple[float, float]:
    """Return the first and last time, in s, above 5 % of the peak amplitude."""
    loud = np.flatnonzero(env.energy > SILENCE_LEVEL**2)
    if not len(loud):
        return 0.0, duration
    return float(loud[0] / env.fps), min(duration, float((loud[-1] + 1) / env.fps))


def cut_spans(env: OnsetEnvelope, duration: float) -> list[Span]:
    """Return the whole file, and the file without silence at its head, tail or both."""
    head, tail = sounding_range(env, duration)
    head = head if head > 0.012 else 0.0
    spans = [Span(WHOLE, 0.0, duration, min(1.0, head + duration - tail))]
    for start, end in ((head, duration), (0.0, tail), (head, tail)):
        span = Span(TRIMMED, start, end - start)
        if 0.3 < span.length < duration - 0.015 and span not in spans:
            spans.append(span)
    return spans


def autocorrelation(flux: Matrix) -> Matrix:
    """Return the normalised autocorrelation, corrected for the decreasing overlap."""
    count = len(flux)
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(flux - flux.mean(), size)
    lags = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[:count]
    overlap = np.maximum(count - np.arange(count), 0.25 * count) / count
    return (lags / ((lags[0] + 1e-9) * overlap)).astype(np.float32)


def free_spans(env: OnsetEnvelope, duration: float, max_spans: int = 4) -> list[Span]:
    """Return whole periods of the strongest autocorrelation peaks, from the first onset."""
    lags = autocorrelation(env.flux[0])
    low = int(env.fps * 60 / MAX_BPM)
    high = min(len(lags) - 2, int(env.fps * 60 / MIN_BPM * 4))
    if high <= low + 3:
        return []
    stretch = lags[low:high]
    peaks = np.flatnonzero((stretch[1:-1] > stretch[:-2]) & (stretch[1:-1] >= stretch[2:])) + 1
    peaks = peaks[np.argsort(-stretch[peaks])][:max_spans] + low
    first = env.onsets[0] / env.fps if len(env.onsets) else 0.0
    return [free_span(lags, int(top), env.fps, first, duration) for top in peaks]


def free_span(lags: Matrix, peak: int, fps: float, first: float, duration: float) -> Span:
    """Return as many periods as fit, in multiples of 16, 8, 4 or 2 if possible."""
    period = sharpen_period(lags, peak) / fps
    start = first if duration - first >= period else 0.0
    count = max(1, int((duration - start) / period + 0.02))
    count -= count % next(group for group in (16, 8, 4, 2, 1) if count >= group)
    return Span(FREE, start, count * period, float(lags[peak]))


def parabolic_peak(lags: Matrix, peak: int) -> float:
    """Return the position of a peak between frames, by parabolic interpolation."""
    left, middle, right = (float(value) for value in lags[peak - 1 : peak + 2])
    curvature = left - 2 * middle + right
    return peak + (0.5 * (left - right) / curvature if curvature < 0 else 0.0)


def sharpen_period(lags: Matrix, peak: int) -> float:
    """Return a period in frames, refined by the peaks near 2, 4 and 8 times its lag."""
    period = parabolic_peak(lags, peak)
    for times in (2, 4, 8):
        centre = round(period * times)
        reach = max(2, round(4 * times**0.5))
        if centre + reach + 1 >= 0.75 * len(lags):
            break
        near = centre - reach + int(lags[centre - reach : centre + reach + 1].argmax())
        if lags[near] > 0.5 * lags[peak]:
            period = parabolic_peak(lags, near) / times
    return period


@lru_cache(maxsize=1)
def beat_counts() -> Numbers:
    """Return the numbers of beats to consider."""
    return np.arange(1, MAX_BEATS + 1)


@lru_cache(maxsize=1)
def cosine_table() -> Matrix:
    """Return cos(2 pi k m / n) as (MAX_BEATS, len(LAGS_BEATS), HARMONICS)."""
    turns = np.outer(1 / beat_counts(), np.asarray(LAGS_BEATS))
    harmonics = np.arange(1, HARMONICS + 1)
    return np.cos(2 * np.pi * turns[:, :, None] * harmonics).astype(np.float32)


def circular_autocorrelation(powers: Matrix, count: int) -> Matrix:
    """Return the circular autocorrelations (spans, 4 bands, `count` beat counts, lags)."""
    table = cosine_table()[:count].reshape(-1, HARMONICS)
    return (powers.reshape(-1, HARMONICS) @ table.T).reshape(len(powers), 4, count, len(LAGS_BEATS))


def harmonic_power_shares(flux: Matrix) -> Matrix:
    """Return the power share of each harmonic of the span's length, (4, HARMONICS)."""
    level = flux - flux.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(level, norm="forward")[:, 1 : HARMONICS + 1]
    shares = np.zeros((len(flux), HARMONICS), np.float32)
    shares[:, : spectrum.shape[1]] = spectrum.real**2 + spectrum.imag**2
    return np.asarray(shares / (shares.sum(axis=1, keepdims=True) + 1e-12), np.float32)


def gather_candidates(
    env: OnsetEnvelope, duration: float, *, whole: bool = True
) -> TempoCandidates:
    """Compute the evidence for each span and beat count in the tempo range."""
    spans = candidate_spans(env, duration, whole=whole)
    if not spans:
        none = np.zeros(0, np.int64)
        return TempoCandidates(
            np.zeros((0, len(TEMPO_FEATURES)), np.float32), np.zeros(0), none, none, []
        )
    max_beats = min(MAX_BEATS, int(max(span.length for span in spans) * MAX_BPM / 60) + 1)
    lengths = np.array([[span.length] for span in spans])
    tempi = 60 * beat_counts()[:max_beats] / lengths
    owner, column = np.nonzero((tempi >= MIN_BPM) & (tempi <= MAX_BPM))
    n, bpm = beat_counts()[column], tempi[owner, column]
    powers = np.stack([harmonic_power_shares(span_flux(env, span)) for span in spans])
    pulsing = pulse_strengths(powers, owner, n)
    shape = length_features(spans, owner, n, bpm, duration)
    columns = (
        circular_autocorrelation(powers, max_beats)[owner, :, column].reshape(
            len(n), 4 * len(LAGS_BEATS)
        ),
        pulsing.reshape(len(n), 4 * len(PULSES_PER_BEAT)),
        onset_density(env, spans, owner, n),
        shape,
        tempo_bins(bpm),
        clean_cut_features(shape),
        pulse_ratios(pulsing),
    )
    return TempoCandidates(np.concatenate(columns, axis=1), bpm, n, owner, spans)


def span_flux(env: OnsetEnvelope, span: Span) -> Matrix:
    """Return the onset strength within a span."""
    first = int(span.start * env.fps)
    last = max(first + 8, round((span.start + span.length) * env.fps))
    return env.flux[:, first:last]


@lru_cache(maxsize=1)
def pulse_harmonics() -> Numbers:
    """Return the harmonic of each pulse, (MAX_BEATS, len(PULSES_PER_BEAT)); `HARMONICS` if none."""
    k = np.outer(beat_counts(), PULSES_PER_BEAT)
    usable = (k >= 1) & (k <= HARMONICS) & (k == np.floor(k))
    return np.where(usable, k - 1, HARMONICS).astype(np.int64)


def pulse_strengths(shares: Matrix, owner: Numbers, n: Numbers) -> Matrix:
    """Return the strength of pulses with 1/4 to 4 events per beat in each band, (count, 4, 6).

    `shares` is (spans, 4, HARMONICS); `owner` and `n` are the span and the beats of each row.
    """
    padded = np.zeros((len(shares), 4, HARMONICS + 1), np.float32)
    np.sqrt(shares, out=padded[:, :, :HARMONICS])
    places = pulse_harmonics()[n - 1][:, None, :]
    return padded[owner[:, None, None], np.arange(4)[:, None], places]


def onset_density(env: OnsetEnvelope, spans: list[Span], owner: Numbers, n: Numbers) -> Matrix:
    """Return onsets per beat, of all bands and of the low band, in octaves and squared."""
    starts = np.array([span.start for span in spans])
    ends = starts + [span.length for span in spans]
    columns = []
    for onsets in (env.onsets, env.low_onsets):
        times = onsets / env.fps
        counts = np.searchsorted(times, ends) - np.searchsorted(times, starts)
        octaves = np.log2((counts[owner] + 0.5) / n)
        columns += [octaves, octaves**2]
    return np.stack(columns, axis=1).astype(np.float32)


def length_features(
    spans: list[Span], owner: Numbers, n: Numbers, bpm: npt.NDArray[np.float64], duration: float
) -> Matrix:
    """Return features of the length alone: whole tempi and round numbers of bars."""
    kind, length, height = (
        np.array([getattr(span, name) for span in spans])[owner]
        for name in ("kind", "length", "height")
    )
    trust = np.array(ROUNDNESS_TRUST)[kind]
    whole, free = kind == WHOLE, kind == FREE
    power_of_two = [(n == 1 << exponent) * trust for exponent in range(7)]
    others = ((n & (n - 1)) != 0) * trust
    columns = (
        whole_tempo_score(bpm, length) * np.array((1.0, 0.3, 0.0))[kind],
        exact_length_flags(bpm, n, length) * whole,
        *power_of_two,
        others * (n % 4 == 0),
        others * (n % 3 == 0),
        others * (n % 2 == 1),
        kind == TRIMMED,
        free,
        whole * height,
        free * height,
        free * np.log2(length / duration),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def whole_tempo_score(
    bpm: npt.NDArray[np.float64], length: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how close each tempo is to a whole number, minus the expectation by chance.

    The tolerance is the effect of a cut that is 1.2 ms off, at least 0.012 BPM.
    """
    tolerance = np.maximum(0.012, bpm * 1.2e-3 / length)
    away = np.abs(bpm - np.round(bpm))
    return np.exp(-0.5 * (away / tolerance) ** 2) - np.minimum(1, tolerance * np.sqrt(2 * np.pi))


def exact_length_flags(
    bpm: npt.NDArray[np.float64], n: Numbers, length: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return 1 where a whole tempo gives this length within 50 microseconds."""
    away = np.abs(60 * n / np.maximum(1, np.round(bpm)) - length)
    return (away < 5e-5).astype(np.float64)


def tempo_bins(bpm: npt.NDArray[np.float64]) -> Matrix:
    """Return Gaussian bins of the tempo; their weights form a tempo prior."""
    octaves = np.log2(bpm[:, None] / np.asarray(PRIOR_BPM)) / PRIOR_OCTAVES
    return np.asarray(np.exp(-0.5 * octaves**2), np.float32)


def clean_cut_features(shape: Matrix) -> Matrix:
    """Return where a round number of beats gives a whole tempo, a sign of a clean cut."""
    whole, exact, rounds = shape[:, 0], shape[:, 1], shape[:, 4:9].max(axis=1)
    return np.stack([rounds * np.maximum(whole, 0), rounds * exact], axis=1)


def pulse_ratios(pulsing: Matrix) -> Matrix:
    """Return the log ratio of each pulse to the one twice as fast, a cue against octave errors."""
    logs = np.log(pulsing + np.float32(0.02))
    one, other = np.array(
        [[PULSES_PER_BEAT.index(pulse) for pulse in pair] for pair in PULSE_PAIRS]
    ).T
    return (logs[:, :, one] - logs[:, :, other]).reshape(len(logs), 4 * len(PULSE_PAIRS))
