"""Train a second ranking of tempo candidates, and blend it with the net.

Errors between half and double are half of each estimator's own making. The second one is a plain
conditional logit over `SECOND_FEATURES`: it knows no tempo by itself (no bins, only the prior), no
lags between the beats and no ratios of pulses. Both see the same evidence, so their mean is again
one net of the same size, and the analysis costs nothing more.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bench.train_tempo import Case, CaseWeight, fit_net, make_batch, solvable_cases
from sp404_app.audio.features.tempo import log_tempo_prior
from sp404_app.audio.features.tempo_candidates import BAND_NAMES, TEMPO_FEATURES
from sp404_app.audio.model_weights import Linear, Net

SECOND_SHARE: Final = 0.5
SECOND_RIDGE: Final = 0.01
SECOND_FEATURES: Final = (
    *(f"{band} lag {lag:g}" for band in BAND_NAMES for lag in (0.25, 0.5, 1, 2, 4)),
    *(f"{band} pulse {pulse:g}" for band in BAND_NAMES for pulse in (1, 2, 4)),
    "density", "density squared", "low density", "low density squared", "whole bpm",
    "4 beats", "8 beats", "16 beats", "32 beats", "64 beats", "multiple of 4", "multiple of 3",
    "odd", "trimmed", "free", "whole with silence", "free height", "free length",
)  # fmt: skip

Columns = npt.NDArray[np.int64]


def second_columns() -> Columns:
    """Return the places of `SECOND_FEATURES` among `TEMPO_FEATURES`."""
    return np.array([TEMPO_FEATURES.index(name) for name in SECOND_FEATURES])


def fit_second(cases: list[Case], weigh: CaseWeight) -> Linear:
    """Fit the logit over `SECOND_FEATURES` by L-BFGS, with the tempo prior as it is."""
    columns = second_columns()
    cases = [_with_columns(case, columns) for case in solvable_cases(cases)]
    x = np.concatenate([case.found.evidence for case in cases])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    nothing = np.zeros(x.shape[1], np.float32)
    joined = make_batch(cases, weigh, Linear(mean, scale, nothing, np.zeros((), np.float32)))
    prior = np.concatenate([log_tempo_prior(case.found.bpm) for case in cases])

    def loss(w: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        value, slope = joined.slope((joined.x @ w.astype(np.float32)) + prior)
        back = joined.x.T @ slope.astype(np.float32)
        return value + 0.5 * SECOND_RIDGE * float(w @ w), back + SECOND_RIDGE * w

    found = minimize(loss, nothing, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return Linear(mean, scale, found.x.astype(np.float32), np.zeros((), np.float32))


def _with_columns(case: Case, columns: Columns) -> Case:
    return replace(case, found=replace(case.found, evidence=case.found.evidence[:, columns]))


def blend(net: Net, second: Linear) -> Net:
    """Return one net whose scores are the mean of both, up to a constant."""
    own, columns = net.linear, second_columns()
    weight = (1 - SECOND_SHARE) * own.weight
    weight[columns] += SECOND_SHARE * second.weight * own.scale[columns] / second.scale
    return replace(
        net, linear=replace(own, weight=weight), out=np.float32(1 - SECOND_SHARE) * net.out
    )


def fit_ranking(cases: list[Case], weigh: CaseWeight, seeds: tuple[int, ...] = (0, 1, 2)) -> Net:
    """Fit both estimators and return their blend."""
    return blend(fit_net(cases, weigh, seeds), fit_second(cases, weigh))
