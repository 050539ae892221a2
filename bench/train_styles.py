"""Material of the rendered loops: grooves of fourteen styles, progressions, rhythms.

Patterns are sixteenths: X accent, x hit, o soft, . ghost, - rest.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """A genre: a tempo range, swing, and alternative patterns of sixteenths for each part."""

    low: int
    high: int
    swing: float
    kicks: tuple[str, ...]
    snares: tuple[str, ...]
    hats: tuple[str, ...]
    weight: float = 1.0


BACKBEAT = ("----X-------X---", "----X-------X--.", "----X--.-.--X---", "----X-----.-X-.-")


EIGHTHS, SIXTEENTHS = "x-x-x-x-x-x-x-x-", "xoxoxoxoxoxoxoxo"


OFFBEAT, QUARTERS = "--x---x---x---x-", "x---x---x---x---"


HATS = (EIGHTHS, EIGHTHS, SIXTEENTHS, "x-o-x-o-x-o-x-o-", "x-xox-xox-xox-xo", OFFBEAT, QUARTERS)


STYLES = {
    "boom bap": Style(
        76,
        100,
        0.28,
        (
            "X-----x---x-----",
            "X--x------x-----",
            "X-----xx--x-----",
            "X------xX-x-----",
            "X-x-------X--x--",
        ),
        BACKBEAT,
        (EIGHTHS, EIGHTHS, "x-x-x-x-x-x-x-xo", SIXTEENTHS, QUARTERS),
        2.2,
    ),
    "lo-fi": Style(
        66,
        92,
        0.32,
        ("X------xX-------", "X-----x-X-------", "X---------x-----", "X------x--x-----"),
        BACKBEAT[:2],
        (EIGHTHS, "x-o-x-o-x-o-x-oo", QUARTERS, "x---o---x---o---"),
        2.0,
    ),
    "slow": Style(
        64,
        82,
        0.1,
        ("X-------X-------", "X-------X-x-----", "X-----x-X---x---", "X---------X-----"),
        BACKBEAT,
        (EIGHTHS, SIXTEENTHS, "x-xoxoxox-xoxoxo"),
        1.0,
    ),
    "funk": Style(
        88,
        122,
        0.1,
        ("X-x-------x--x--", "X--x--x---x-----", "X-X---x--xX-----", "X-----x-X-x-----"),
        ("----X--.-.--X--.", "----X--.-.-.X--.", "----X-.--.--X-.-"),
        (EIGHTHS, SIXTEENTHS),
        1.3,
    ),
    "break": Style(
        125,
        172,
        0.06,
        ("X-X-------XX----", "X-X-------x--X--", "X-x---x---X-----", "X--X--X---x--x--"),
        ("----X--.-.--X--.", "----X--x-x--X--x", "----X--x-x----X-"),
        (EIGHTHS, EIGHTHS, SIXTEENTHS),
        1.3,
    ),
    "house": Style(
        116,
        130,
        0.1,
        (QUARTERS.upper(), QUARTERS.upper(), "X---X---X---X-x-"),
        ("----X-------X---", "----X-------X---", "----------------"),
        (OFFBEAT, OFFBEAT, ".-x-.-x-.-x-.-x-", "xoxoxoxoxoxoxoxo", EIGHTHS),
        2.0,
    ),
    "techno": Style(
        122,
        148,
        0.0,
        (QUARTERS.upper(), "X---X---X---X--x", "X---X--xX---X---"),
        ("----------------", "----x-------x---", "-------x--x-----"),
        (OFFBEAT, SIXTEENTHS, "--x---x---x---xo"),
        1.6,
    ),
    "garage": Style(
        126,
        138,
        0.36,
        ("X---------x-----", "X-----x---x-----", "X--x------x-----"),
        ("----X-------X---",),
        ("--x-o-x---x-o-x-", "x-xox-x-x-xox-xo"),
        0.8,
    ),
    "drum and bass": Style(
        164,
        180,
        0.0,
        ("X---------X-----", "X-x-------X-----", "X---------X--x--"),
        ("----X-------X---", "----X--.-.--X---"),
        (EIGHTHS, EIGHTHS, SIXTEENTHS),
        1.3,
    ),
    "trap": Style(
        128,
        152,
        0.0,
        ("X-----------x---", "X-----x---------", "X---------x--x--", "X--x------------"),
        ("--------X-------",),
        (EIGHTHS, "x-x-x-xxx-x-x-x-", "x-x-xxxxx-x-x-xx"),
        1.0,
    ),
    "dembow": Style(
        86,
        104,
        0.0,
        ("X-------X-------", QUARTERS.upper()),
        ("---x--x----x--x-",),
        (EIGHTHS, QUARTERS, "----------------"),
        0.7,
    ),
    "rock": Style(
        92,
        150,
        0.0,
        ("X-------X-------", "X-------X-x-----", "X-x-----X-x-----", "X--x----X-------"),
        ("----X-------X---",),
        (EIGHTHS, QUARTERS),
        1.0,
    ),
    "afro": Style(
        98,
        124,
        0.05,
        (QUARTERS.upper(), "X--x--x-X--x--x-", "X-----x-X-----x-"),
        ("---x--x---x-x---", "x--x--x---x-x---", "------------x---"),
        (OFFBEAT, SIXTEENTHS, "x-xxx-xxx-xxx-xx"),
        1.0,
    ),
    "hard": Style(
        160,
        205,
        0.0,
        (QUARTERS.upper(), QUARTERS.upper(), "X---X---X---X-X-"),
        ("----------------", "----X-------X---"),
        (OFFBEAT, EIGHTHS),
        0.7,
    ),
}


MELODIC = (
    (66, 82, 1.6),
    (80, 100, 2.4),
    (98, 118, 1.4),
    (116, 130, 2.8),
    (128, 146, 1.8),
    (150, 178, 0.7),
)


PROGRESSIONS = {
    "minor": (
        (0, 5, 2, 6),
        (0, 3, 4, 0),
        (0, 6, 5, 6),
        (0, 0, 5, 6),
        (0, 5),
        (0, 3),
        (0,),
        (0, 5, 3, 4),
    ),
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 4, 0), (0, 3), (0, 4), (0,), (0, 2, 3, 4)),
}


RHYTHMS = (
    ((0, 3.8),),
    ((0, 3.8),),
    ((0, 1.9), (2, 1.9)),
    ((0, 0.9), (1, 0.9), (2, 0.9), (3, 0.9)),
    ((0.5, 0.4), (1.5, 0.4), (2.5, 0.4), (3.5, 0.4)),
    ((0, 1.4), (1.5, 1.0), (3, 0.8)),
    ((0, 0.5), (0.75, 0.4), (1.5, 0.8), (2.5, 0.5), (3.25, 0.4)),
    ((0, 1.4), (1.75, 0.2), (2.5, 1.2)),
)
