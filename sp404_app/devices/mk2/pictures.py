"""Pictures of a SP-404MKII project: two start images and four screen savers without any text.

A picture is a BMP of 1,086 bytes: 128 × 64 pixels of one bit, colour 0 black and 1 white, lowest
row first, pixels at offset 62. Proven by exports of a device. That the device loads nothing else is
known from one description.
"""

import math
from collections.abc import Callable
from struct import pack, unpack_from

from sp404_app.devices.errors import InvalidDeviceFile

WIDTH, HEIGHT = 128, 64
ROW_BYTES = WIDTH // 8
PIXELS_OFFSET = 62
FILE_BYTES = PIXELS_OFFSET + ROW_BYTES * HEIGHT
HEADER = pack("<2sIHHI", b"BM", FILE_BYTES, 0, 0, PIXELS_OFFSET) + pack(
    "<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 1, 0, ROW_BYTES * HEIGHT, 0, 0, 2, 0
)
PALETTE = bytes([0, 0, 0, 0, 255, 255, 255, 0])
# Thresholds of ordered dithering, in sixteenths.
BAYER = ((0, 8, 2, 10), (12, 4, 14, 6), (3, 11, 1, 9), (15, 7, 13, 5))


def draw_picture(is_white: Callable[[int, int], bool]) -> bytes:
    """Return a picture whose pixels are white where the function of x and y (from the top) says."""
    rows = bytearray()
    for y in reversed(range(HEIGHT)):
        bits = "".join("1" if is_white(x, y) else "0" for x in range(WIDTH))
        rows += int(bits, 2).to_bytes(ROW_BYTES, "big")
    return HEADER + PALETTE + bytes(rows)


def check_picture(data: bytes) -> None:
    """Check that the device can load a picture.

    Raises:
        InvalidDeviceFile: If it is another format, another size or another layout.
    """
    if len(data) < FILE_BYTES or data[:2] != b"BM":
        raise InvalidDeviceFile("This is not a picture of a SP-404MKII.")
    (offset,) = unpack_from("<I", data, 10)
    layout = unpack_from("<IiiHHI", data, 14)
    if offset != PIXELS_OFFSET or layout != (40, WIDTH, HEIGHT, 1, 1, 0):
        raise InvalidDeviceFile("A picture of a SP-404MKII has 128 × 64 pixels in black and white.")


def draw_start_images() -> tuple[bytes, bytes]:
    """Return the two start images: a grid of pads, and a record."""
    return draw_picture(_pad_grid), draw_picture(_record)


def draw_screen_savers() -> tuple[bytes, bytes, bytes, bytes]:
    """Return the four screen savers: waves, rings, a fading sky, stripes."""
    return (
        draw_picture(_waves),
        draw_picture(_rings),
        draw_picture(_sky),
        draw_picture(_stripes),
    )


def _pad_grid(x: int, y: int) -> bool:
    """Draw 4 × 4 pads with cut corners, of which those on a diagonal are lit."""
    column, across = divmod(x - 34, 15)
    row, down = divmod(y - 2, 15)
    if not (0 <= column < 4 and 0 <= row < 4 and across < 13 and down < 13):
        return False
    from_edge = min(across, 12 - across), min(down, 12 - down)
    if sum(from_edge) < 2:
        return False
    is_lit = row == 3 - column
    return is_lit or min(from_edge) == 0 or sum(from_edge) == 2


def _record(x: int, y: int) -> bool:
    """Draw a record with its grooves, its label and its hole."""
    across, down = x - 63.5, y - 31.5
    radius = math.hypot(across, down)
    if radius < 2:
        return False
    if radius < 9.5:
        return True
    shines = abs(across * down) > 0.30 * radius**2 and across * down < 0
    return 29.5 < radius < 31 or (12 < radius < 29 and shines and int(radius) % 2 == 0)


def _waves(x: int, y: int) -> bool:
    """Draw five waves whose height grows towards the middle."""
    height = 6.5 * math.sin(math.pi * x / (WIDTH - 1)) ** 2
    lines = (
        8 + 12 * line + height * math.sin(2 * math.pi * (x / 42 + line / 5)) for line in range(5)
    )
    return any(abs(y - round(line)) < 1 for line in lines)


def _rings(x: int, y: int) -> bool:
    """Draw the interference of rings around two points."""
    left, right = math.hypot(x - 40, y - 31.5), math.hypot(x - 87, y - 31.5)
    return (int(left / 4) + int(right / 4)) % 2 == 0


def _sky(x: int, y: int) -> bool:
    """Draw a full moon before a sky that grows darker towards the top."""
    if math.hypot(x - 92, y - 24) < 14:
        return True
    return 16 * (y / HEIGHT) ** 2 > BAYER[y % 4][x % 4] + 0.5


def _stripes(x: int, y: int) -> bool:
    """Draw diagonal stripes that grow wider from left to right."""
    return (x + y) % 12 < 1 + 10 * x // WIDTH
