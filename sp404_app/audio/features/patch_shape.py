"""Shape of a hit in time and frequency, computed from its log-mel patch.

A linear model cannot form these of the patch itself: where the centre of the spectrum lies and how
it moves (a kick sweeps down), how fast each band decays (a closed hat, an open one), and how much
of a band is noise (a snare's wires, a tom's skin).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

SLICES, MEL_BANDS = 13, 40
SLICE_HOPS: Final = (1, 1, 1, 1, 2, 2, 3, 4, 5, 10, 15, 25, 40)  # of 10 ms
REGIONS: Final = ((0, 5), (5, 10), (10, 18), (18, 27), (27, 40))  # bands, from 30 Hz to 16 kHz
REGION_STARTS: Final = [low for low, _ in REGIONS]
PATCH_FLOOR: Final = 1e-4  # relative power: 40 dB below the maximum
LOW_BANDS: Final = 10
EARLY_SLICES: Final = 8  # 110 ms: noisiness later is that of the room
SWEEPS: Final = ((0, 4), (4, 8))

PATCH_SHAPE: Final = (
    *(f"centre {number}" for number in range(SLICES)),
    *(f"spread {number}" for number in range(SLICES)),
    *(f"level {number}" for number in range(SLICES)),
    *(f"low centre {number}" for number in range(SLICES)),
    *(f"region {low}-{high} level {number}" for low, high in REGIONS for number in range(SLICES)),
    *(f"region {low}-{high} noise {n}" for low, high in REGIONS for n in range(EARLY_SLICES)),
    *(f"region {low}-{high} decay" for low, high in REGIONS),
    *(f"peak {number}" for number in range(EARLY_SLICES)),
    *(f"sweep {one} to {other}" for one, other in SWEEPS),
    *(f"low sweep {one} to {other}" for one, other in SWEEPS),
)  # fmt: skip


def patch_shape(mels: npt.NDArray[np.floating]) -> Matrix:
    """Return `PATCH_SHAPE` of a log-mel patch (13, 40) in decades below its maximum."""
    decades = np.asarray(mels, np.float64)
    power = 10.0**decades
    total = power.sum(axis=1) + 1e-12
    places = np.arange(MEL_BANDS)
    centre = power @ places / total
    square = power @ places**2 / total
    low = power[:, :LOW_BANDS]
    low_centre = low @ places[:LOW_BANDS] / (low.sum(axis=1) + 1e-12)
    regions = np.add.reduceat(power, REGION_STARTS, axis=1)
    top = total.max()
    columns = (
        centre,
        np.sqrt(np.maximum(square - centre**2, 0)),
        np.log10(total / top + 1e-6),
        low_centre,
        np.log10(regions / top + 1e-6).T.ravel(),
        flatness(decades, regions)[:EARLY_SLICES].T.ravel(),
        decay_octaves(regions),
        power[:EARLY_SLICES].max(axis=1) / total[:EARLY_SLICES],
        [centre[one] - centre[other] for one, other in SWEEPS],
        [low_centre[one] - low_centre[other] for one, other in SWEEPS],
    )
    return np.concatenate(columns)


def flatness(decades: Matrix, regions: Matrix) -> Matrix:
    """Return the ratio (0..1) of geometric to arithmetic mean of each region: 1 is noise."""
    widths = np.diff([*REGION_STARTS, MEL_BANDS])
    logs = np.add.reduceat(decades, REGION_STARTS, axis=1) / widths
    return 10.0**logs * widths / regions


def decay_octaves(regions: Matrix) -> Matrix:
    """Return the centre of each region's energy in time, log2 of 1 + hops of 10 ms."""
    hops = np.asarray(SLICE_HOPS, np.float64)
    widths = np.diff([*REGION_STARTS, MEL_BANDS])
    # The patch ends at its floor, which must not count as a long decay.
    energy = np.maximum(regions - widths * PATCH_FLOOR, 0) * hops[:, None]
    middle = np.cumsum(hops) - hops / 2
    return np.log2(1 + middle @ energy / (energy.sum(axis=0) + 1e-9))
