"""Patterns of the SP-404SX and SP-404A: 96 ticks a quarter note, big-endian lengths.

Of the 8 bytes after the end, byte 1 counts the bars and byte 4 is the time signature: known from
two descriptions and three files. Byte 3 of a record is 0, a pattern has no pitches.
"""

from sp404_app.devices.capabilities import SX
from sp404_app.devices.pattern import Pattern, PatternLayout
from sp404_app.devices.pattern import decode_pattern as decode

LAYOUT = PatternLayout(SX, ppq=96, byte_order="big", bars_at=1, has_pitch=False)


def decode_pattern(data: bytes) -> Pattern:
    """Return the notes of a PTN file.

    Raises:
        InvalidDeviceFile: If it is not a pattern, if it is cut off, or too long.
    """
    return decode(data, LAYOUT)
