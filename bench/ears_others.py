"""Other tempo estimators, compared with the engine where they are installed.

`pip install essentia six pyyaml aubio` in an environment for the bench only: essentia is under
the AGPL and aubio under the GPL, so they are never part of the product.
"""

from collections.abc import Callable
from importlib.util import find_spec

import librosa
import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float32]
Estimator = Callable[[Signal, float], float]

RATE = 44_100  # what essentia's estimators expect
MIN_SAMPLES = 2 * RATE  # some reject shorter signals
WINDOW, HOP = 1024, 512


def librosa_beat_track(y: Signal, sr: float) -> float:
    """Return the tempo of `librosa.beat.beat_track`."""
    return float(np.atleast_1d(librosa.beat.beat_track(y=y, sr=sr)[0])[0])


def librosa_tempo(y: Signal, sr: float) -> float:
    """Return the tempo of librosa's tempogram."""
    return float(np.atleast_1d(librosa.feature.tempo(y=y, sr=sr))[0])


def tile_signal(y: Signal, sr: float) -> Signal:
    """Return a signal at `RATE`, repeated to the minimum length of the estimators."""
    y = librosa.resample(y, orig_sr=sr, target_sr=RATE) if sr != RATE else y
    return np.tile(y, 1 + MIN_SAMPLES // max(1, len(y))).astype(np.float32)


def essentia_estimators() -> dict[str, Estimator]:
    """Return three of essentia's estimators; the last is made for loops."""
    import essentia  # noqa: PLC0415  here only where it is installed
    from essentia import standard  # noqa: PLC0415

    essentia.log.infoActive = essentia.log.warningActive = False
    # A new instance each time: some of them keep state.
    return {
        "essentia Percival": lambda y, sr: float(
            standard.PercivalBpmEstimator()(tile_signal(y, sr))
        ),
        "essentia multifeature": lambda y, sr: float(
            standard.RhythmExtractor2013(method="multifeature")(tile_signal(y, sr))[0]
        ),
        "essentia LoopBpm": lambda y, sr: float(standard.LoopBpmEstimator()(tile_signal(y, sr))),
    }


def aubio_tempo(y: Signal, sr: float) -> float:
    """Return the median tempo of aubio's beats."""
    import aubio  # noqa: PLC0415  here only where it is installed

    tracker = aubio.tempo("default", WINDOW, HOP, RATE)
    y = tile_signal(y, sr)
    beats = [
        float(tracker.get_last_s())
        for at in range(0, len(y) - HOP, HOP)
        if tracker(y[at : at + HOP])[0]
    ]
    return 60 / float(np.median(np.diff(beats))) if len(beats) > 1 else 0.0


def available_estimators() -> dict[str, Estimator]:
    """Return the installed estimators by name."""
    found: dict[str, Estimator] = {
        "librosa": librosa_beat_track,
        "librosa tempogram": librosa_tempo,
    }
    if find_spec("essentia"):
        found |= essentia_estimators()
    if find_spec("aubio"):
        found["aubio"] = aubio_tempo
    return found
