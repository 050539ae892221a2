"""Patterns of the SP-404MKII: 480 ticks a quarter note, 1 to 64 bars, little-endian lengths.

Of the 8 bytes after the end, byte 0 counts the bars, byte 4 is the time signature (0: 4/4, 1: 3/4);
both are proven by files that differ in them.
"""

from sp404_app.devices.capabilities import MK2
from sp404_app.devices.pattern import Pattern, PatternLayout
from sp404_app.devices.pattern import decode_pattern as decode

LAYOUT = PatternLayout(MK2, ppq=480, byte_order="little", bars_at=0, has_pitch=True)


def decode_pattern(data: bytes) -> Pattern:
    """Return the notes of a PTN file.

    Raises:
        InvalidDeviceFile: If it is not a pattern, if it is cut off, or too long.
    """
    return decode(data, LAYOUT)
