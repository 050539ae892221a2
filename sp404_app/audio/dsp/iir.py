"""Run a recursive filter over long blocks by matrices, exactly and without a loop per sample.

A filter with few states, s' = A s + B x and y = C s + D x, is linear, so a stretch of n samples
is too: its outputs are a triangular matrix of the impulse response times its inputs, plus what
the states at its start ring on with (Kailath, "Linear systems", 1980, section 2.3). Only the
states pass from stretch to stretch; those are added up by doubling (Hillis & Steele, "Data
parallel algorithms", 1986).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]

BLOCK_SIZE: Final = 64  # samples: fewer make more states to pass on, more make larger matrices
NEGLIGIBLE_GAIN: Final = 1e-9  # of a state: what it leaves behind is below every rounding


def cascade_filters(first: Matrix, second: Matrix) -> Matrix:
    """Chain two filters, each given as ((A, B), (C, D)) with one input and one output."""
    early, late = len(first) - 1, len(second) - 1
    size = early + late + 1
    one, other = np.eye(size), np.eye(size)
    before = [*range(early), size - 1]
    after = range(early, size)
    one[np.ix_(before, before)] = first
    other[np.ix_(after, after)] = second
    return other @ one


class BlockMatrices:
    """What a filter does to `STRETCH` samples at once.

    `mixing` maps inputs to outputs, `ringing` states to outputs, `charging` inputs to states,
    and `powers[n]` states to those after n samples.
    """

    def __init__(self, step: Matrix) -> None:
        """Take the filter as ((A, B), (C, D)), which maps (states, input) to (states', output)."""
        a, b, c, d = step[:-1, :-1], step[:-1, -1], step[-1, :-1], step[-1, -1]
        powers = [np.eye(len(a))]
        for _ in range(BLOCK_SIZE):
            powers.append(a @ powers[-1])
        self.powers = np.array(powers)
        response = np.array([d, *(c @ power @ b for power in powers[: BLOCK_SIZE - 1])])
        late = np.subtract.outer(np.arange(BLOCK_SIZE), np.arange(BLOCK_SIZE))
        self.mixing = np.where(late >= 0, response[late], 0.0).T.astype(np.float32)
        self.ringing = np.array([c @ power for power in powers[:BLOCK_SIZE]]).T.astype(np.float32)
        charging = [power @ b for power in powers[:BLOCK_SIZE][::-1]]
        self.charging = np.array(charging).astype(np.float32)


class RecursiveFilter:
    """A filter with memory over planes of shape (channels, frames), in single precision."""

    def __init__(self, matrices: BlockMatrices, channels: int) -> None:
        self.by = matrices
        self.states = np.zeros((channels, matrices.ringing.shape[0]))

    def feed(self, planes: Planes) -> Planes:
        """Filter the next frames."""
        channels, count = planes.shape
        whole, rest = divmod(count, BLOCK_SIZE)
        ready = count - rest
        inputs = planes[:, :ready].reshape(channels, whole, BLOCK_SIZE)
        states = self.passed_on(inputs)
        out = np.empty((channels, count), np.float32)
        played = out[:, :ready].reshape(channels, whole, BLOCK_SIZE)
        np.matmul(inputs, self.by.mixing, out=played)
        played += states[:, :-1].astype(np.float32) @ self.by.ringing
        tail, last = planes[:, ready:], states[:, -1]
        out[:, ready:] = tail @ self.by.mixing[:rest, :rest] + last @ self.by.ringing[:, :rest]
        self.states = last @ self.by.powers[rest].T + tail @ self.by.charging[BLOCK_SIZE - rest :]
        return out

    def passed_on(self, inputs: Planes) -> Matrix:
        """Return the states before every stretch and after the last, (channels, n + 1, states)."""
        states = np.concatenate([self.states[:, None], inputs @ self.by.charging], axis=1)
        reach, power = 1, self.by.powers[-1]
        while reach < states.shape[1] and np.abs(power).max() > NEGLIGIBLE_GAIN:
            states[:, reach:] += states[:, :-reach] @ power.T
            reach, power = 2 * reach, power @ power
        return np.asarray(states, np.float64)
