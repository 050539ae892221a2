"""The tempo that a SP-404SX gives to a new sample, from its length."""

from fractions import Fraction

from sp404_app.devices.capabilities import SX

TENTHS_OF_BPM_BAR_SECONDS = 10 * 4 * 60  # a bar has four beats
TARGET_TENTHS = 1200
DEFAULT_BPM = TARGET_TENTHS / 10


def derive_tempo(frames: int) -> float:
    """Return the tempo in BPM at which a sample of this length is a number of bars, in tenths.

    Of an even number of bars, one bar or a half, quarter … of it, the device takes the one whose
    tempo is nearest to 120, and cuts the second decimal. 17 of 18 records of a device agree; the
    tempo of the other had been changed.
    """
    if frames <= 0:
        return DEFAULT_BPM
    one_bar = Fraction(TENTHS_OF_BPM_BAR_SECONDS * SX.rate, frames)
    nearest = min(_plausible_bars(one_bar), key=lambda bars: abs(bars * one_bar - TARGET_TENTHS))
    return int(nearest * one_bar) / 10


def _plausible_bars(one_bar: Fraction) -> list[Fraction]:
    """Return the numbers of bars just below and above the target."""
    if one_bar > TARGET_TENTHS:
        halvings = int(one_bar / TARGET_TENTHS).bit_length()
        return [Fraction(1, 2**halvings), Fraction(1, 2 ** (halvings - 1))]
    pairs = int(TARGET_TENTHS / (2 * one_bar))
    return [Fraction(2 * pairs) or Fraction(1), Fraction(2 * pairs + 2)]
