"""Train the ranking of tempo candidates: a conditional logit over `TEMPO_FEATURES`.

McFadden, "Conditional logit analysis of qualitative choice behavior" (1974): the probability of a
candidate is the softmax of its score over all candidates of its file; the likelihood of a file is
the sum over the candidates that agree with the truth. Fitted by L-BFGS from zero.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bench.train_dirt import DISTORTIONS, cut_like_users, distort
from bench.train_kit import Take
from sp404_app.audio.dsp import onset
from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.features import tempo_candidates
from sp404_app.audio.features.tempo_candidates import TempoCandidates
from sp404_app.audio.model_weights import Linear, Net

MATCH_TOLERANCE = 0.012
DIRTY_WEIGHT = 0.35
SHORTEST_CROP_BEATS = 6
HIDDEN_UNITS, EPOCHS, LEARNING_RATE, L2_PENALTY = 16, 20, 4e-3, 5e-4


@dataclass(frozen=True, slots=True)
class Case:
    """A sound with its evidence and ground truth; all versions of one take share `take`."""

    found: TempoCandidates
    env: OnsetEnvelope
    duration: float
    bpm: float
    group: str
    take: str
    how: str


def make_case(
    signal: npt.NDArray[np.float32], sr: float, truth: tuple[float, str, str, str]
) -> Case:
    """Compute the evidence for one version of a sound."""
    env = onset.onset_strength(signal, sr)
    duration = len(signal) / sr
    return Case(tempo_candidates.gather_candidates(env, duration), env, duration, *truth)


def case_versions(
    signal: npt.NDArray[np.float32], sr: float, bpm: float, group: str, seed: int
) -> Iterable[Case]:
    """Yield the clean cut and its four distorted versions."""
    take = f"{group.partition('/')[0]} {seed}"
    yield make_case(signal, sr, (bpm, group, take, "clean"))
    for number, how in enumerate(DISTORTIONS):
        if how == "crop" and len(signal) / sr * bpm / 60 < SHORTEST_CROP_BEATS:
            continue
        rng = np.random.default_rng([seed, number])
        yield make_case(distort(signal, sr, how, rng), sr, (bpm, group, take, how))


def rendered_cases(takes: Iterable[Take]) -> list[Case]:
    """Return the cases of rendered loops."""
    found: list[Case] = []
    for number, take in enumerate(takes):
        assert take.bpm is not None
        signal = cut_like_users(take.signal, 44_100, np.random.default_rng([9, number]))
        found += case_versions(signal, 44_100, take.bpm, take.group, number)
    return found


CaseWeight = Callable[[Case], float]


@dataclass(frozen=True, slots=True)
class Batch:
    """Concatenated cases: rows `x`, whether each is `right`, and where each case starts."""

    x: npt.NDArray[np.float32]
    right: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]

    def slope(self, score: npt.NDArray[np.floating]) -> tuple[float, npt.NDArray[np.float64]]:
        """Return the negative log likelihood, and its gradient with respect to the scores."""
        power = np.exp(score - np.maximum.reduceat(score, self.starts)[self.owner])
        total = np.add.reduceat(power, self.starts)
        good = np.add.reduceat(power * self.right, self.starts) + 1e-12
        value = float(self.weight @ (np.log(total) - np.log(good)))
        gap = power / total[self.owner] - power * self.right / good[self.owner]
        return value, gap * self.weight[self.owner]


def make_batch(cases: list[Case], weigh: CaseWeight, linear: Linear) -> Batch:
    """Standardise and concatenate cases."""
    rights = [np.abs(c.found.bpm / c.bpm - 1) < MATCH_TOLERANCE for c in cases]
    x = np.concatenate([c.found.evidence for c in cases])
    counts = np.array([len(right) for right in rights])
    weight = np.array([weigh(c) for c in cases], np.float64)
    return Batch(
        ((x - linear.mean) / linear.scale).astype(np.float32),
        np.concatenate(rights),
        np.concatenate([[0], np.cumsum(counts)[:-1]]),
        np.repeat(np.arange(len(cases)), counts),
        weight / weight.sum(),
    )


def solvable_cases(cases: list[Case]) -> list[Case]:
    """Return the cases whose true tempo is among the candidates."""
    return [c for c in cases if (np.abs(c.found.bpm / c.bpm - 1) < MATCH_TOLERANCE).any()]


def fit_linear(cases: list[Case], weigh: CaseWeight, ridge: float = 0.02) -> Linear:
    """Fit the linear model by L-BFGS."""
    x = np.concatenate([c.found.evidence for c in cases])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    nothing = np.zeros(x.shape[1], np.float32)
    blank = Linear(mean, scale, nothing, np.zeros((), np.float32))
    joined = make_batch(cases, weigh, blank)

    def loss(w: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        value, slope = joined.slope((joined.x @ w.astype(np.float32)).astype(np.float64))
        back = joined.x.T @ slope.astype(np.float32)
        return value + 0.5 * ridge * float(w @ w), back + ridge * w

    found = minimize(loss, nothing, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return Linear(mean, scale, found.x.astype(np.float32), np.zeros((), np.float32))


def fit_net(cases: list[Case], weigh: CaseWeight, seeds: tuple[int, ...] = (0, 1, 2)) -> Net:
    """Fit several small nets from the linear solution, and average them into one."""
    cases = solvable_cases(cases)
    linear = fit_linear(cases, weigh)
    nets = [add_hidden_layer(cases, weigh, linear, np.random.default_rng(seed)) for seed in seeds]
    share = np.float32(1 / len(nets))
    weight = np.sum([net.linear.weight for net in nets], axis=0) * share
    return Net(
        Linear(linear.mean, linear.scale, weight, linear.bias),
        np.concatenate([net.hidden for net in nets], axis=1),
        np.concatenate([net.offset for net in nets]),
        np.concatenate([net.out for net in nets]) * share,
    )


def add_hidden_layer(
    cases: list[Case], weigh: CaseWeight, linear: Linear, rng: np.random.Generator
) -> Net:
    """Add a hidden layer by Adam (Kingma & Ba 2015) over batches of cases."""
    values = [
        rng.normal(0, 0.1, (len(linear.weight), HIDDEN_UNITS)),
        np.zeros(HIDDEN_UNITS),
        np.zeros(HIDDEN_UNITS),
        linear.weight.copy(),
    ]
    values = [value.astype(np.float32) for value in values]
    first, second = ([np.zeros_like(value) for value in values] for _ in range(2))
    step = 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(cases))
        for at in range(0, len(order), 256):
            joined = make_batch([cases[index] for index in order[at : at + 256]], weigh, linear)
            step += 1
            for k, slope in enumerate(loss_gradients(values, joined)):
                first[k] += 0.1 * (slope - first[k])
                second[k] += 0.001 * (slope**2 - second[k])
                speed = np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8
                values[k] -= (
                    LEARNING_RATE * (1 - epoch / EPOCHS) * first[k] / (1 - 0.9**step) / speed
                )
    hidden, offset, out, weight = values
    return Net(Linear(linear.mean, linear.scale, weight, linear.bias), hidden, offset, out)


def loss_gradients(
    values: list[npt.NDArray[np.float32]], joined: Batch
) -> list[npt.NDArray[np.float32]]:
    """Return the gradients of the penalised loss for each array of the net."""
    hidden, offset, out, weight = values
    activation = np.tanh(joined.x @ hidden + offset)
    _, slope = joined.slope((activation @ out + joined.x @ weight).astype(np.float64))
    slope = slope.astype(np.float32)
    inner = np.outer(slope, out) * (1 - activation * activation)
    return [
        joined.x.T @ inner + L2_PENALTY * hidden,
        inner.sum(axis=0),
        activation.T @ slope + L2_PENALTY * out,
        joined.x.T @ slope + 3 * L2_PENALTY * weight,
    ]


def tempo_accuracy(bpm: float, truth: float) -> tuple[bool, bool, bool]:
    """Return Acc1e (whole tempo right), Acc1 (4 %) and Acc2 (4 % up to factors of 2 and 3)."""
    exact = round(bpm) == round(truth) or abs(bpm - truth) <= 0.5
    close = [abs(bpm / (truth * factor) - 1) <= 0.04 for factor in (1, 2, 0.5, 3, 1 / 3)]
    return exact, close[0], any(close)
