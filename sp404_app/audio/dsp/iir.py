"""Block-wise IIR filtering by matrix multiplication, exact and without a loop over samples.

A filter with state update s' = A s + B x and output y = C s + D x is linear. The output of a
block is therefore a triangular Toeplitz matrix of the impulse response times the input, plus
the response to the state at its start (Kailath, "Linear systems", 1980, section 2.3). Only the
states pass between blocks; they are computed by a parallel prefix sum (Hillis & Steele, "Data
parallel algorithms", 1986).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]

BLOCK_SIZE: Final = 64  # samples: smaller means more states to scan, larger means larger matrices
NEGLIGIBLE_GAIN: Final = 1e-9  # of a state: below single-precision rounding


def cascade_filters(first: Matrix, second: Matrix) -> Matrix:
    """Connect two filters in series, each given as ((A, B), (C, D)), single input and output."""
    first_states, second_states = len(first) - 1, len(second) - 1
    size = first_states + second_states + 1
    first_step, second_step = np.eye(size), np.eye(size)
    first_places = [*range(first_states), size - 1]
    second_places = range(first_states, size)
    first_step[np.ix_(first_places, first_places)] = first
    second_step[np.ix_(second_places, second_places)] = second
    return second_step @ first_step


class BlockMatrices:
    """Matrices that apply a filter to `BLOCK_SIZE` samples at once.

    `input_to_output`, `state_to_output` and `input_to_state` are named for what they map;
    `powers[n]` maps a state to the state n samples later.
    """

    def __init__(self, step: Matrix) -> None:
        """Take the filter as ((A, B), (C, D)), which maps (states, input) to (states', output)."""
        a, b, c, d = step[:-1, :-1], step[:-1, -1], step[-1, :-1], step[-1, -1]
        powers = [np.eye(len(a))]
        for _ in range(BLOCK_SIZE):
            powers.append(a @ powers[-1])
        self.powers = np.array(powers)
        response = np.array([d, *(c @ power @ b for power in powers[: BLOCK_SIZE - 1])])
        delay = np.subtract.outer(np.arange(BLOCK_SIZE), np.arange(BLOCK_SIZE))
        self.input_to_output = np.where(delay >= 0, response[delay], 0.0).T.astype(np.float32)
        self.state_to_output = np.array([c @ power for power in powers[:BLOCK_SIZE]]).T.astype(
            np.float32
        )
        input_to_state = [power @ b for power in powers[:BLOCK_SIZE][::-1]]
        self.input_to_state = np.array(input_to_state).astype(np.float32)


class RecursiveFilter:
    """An IIR filter with state, over planes of shape (channels, frames), in single precision."""

    def __init__(self, matrices: BlockMatrices, channels: int) -> None:
        self.matrices = matrices
        self.states = np.zeros((channels, matrices.state_to_output.shape[0]))

    def feed(self, planes: Planes) -> Planes:
        """Filter the next frames, shape (channels, frames)."""
        channels, count = planes.shape
        blocks, rest = divmod(count, BLOCK_SIZE)
        whole = count - rest
        inputs = planes[:, :whole].reshape(channels, blocks, BLOCK_SIZE)
        states = self.block_states(inputs)
        out = np.empty((channels, count), np.float32)
        block_outputs = out[:, :whole].reshape(channels, blocks, BLOCK_SIZE)
        np.matmul(inputs, self.matrices.input_to_output, out=block_outputs)
        block_outputs += states[:, :-1].astype(np.float32) @ self.matrices.state_to_output
        tail, last = planes[:, whole:], states[:, -1]
        out[:, whole:] = (
            tail @ self.matrices.input_to_output[:rest, :rest]
            + last @ self.matrices.state_to_output[:, :rest]
        )
        self.states = (
            last @ self.matrices.powers[rest].T
            + tail @ self.matrices.input_to_state[BLOCK_SIZE - rest :]
        )
        return out

    def block_states(self, inputs: Planes) -> Matrix:
        """Return the states before each block and after the last, (channels, n + 1, states)."""
        states = np.concatenate(
            [self.states[:, None], inputs @ self.matrices.input_to_state], axis=1
        )
        reach, power = 1, self.matrices.powers[-1]
        while reach < states.shape[1] and np.abs(power).max() > NEGLIGIBLE_GAIN:
            states[:, reach:] += states[:, :-reach] @ power.T
            reach, power = 2 * reach, power @ power
        return np.asarray(states, np.float64)
