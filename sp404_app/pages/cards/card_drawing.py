"""A small drawing of a card and the folders on it that an export goes into."""

import reflex as rx

LINES = {
    "import": ("IMPORT", "My project", "A   01 Kick.wav …", "B"),
    "sx": ("ROLAND", "SP-404SX", "SMPL", "PAD_INFO.BIN  A0000001.WAV …"),
    "mk2": ("IMPORT", "PROJECT_01", "PADCONF.BIN", "SMPL"),
    "export": ("EXPORT", "PROJECT", "PROJECT_01", "PADCONF.BIN  SMPL"),
}
DEPTHS = {
    "import": (0, 1, 2, 2),
    "sx": (0, 1, 2, 3),
    "mk2": (0, 1, 2, 2),
    "export": (0, 1, 2, 3),
}
TITLES = {
    "import": "The IMPORT folder at the top of the card, with a folder for each bank",
    "sx": "The ROLAND folder at the top of the card",
    "mk2": "The project folder inside of IMPORT",
    "export": "The project folder inside of EXPORT, PROJECT",
}


def card_drawing(kind: str) -> rx.Component:
    """Draw the card of one kind of export."""
    return rx.el.div(
        rx.el.i(class_name="card-contacts", aria_hidden="true"),
        *(
            rx.el.span(
                text,
                class_name="drawing-line mono",
                style={"--depth": f"{depth}"},
                aria_hidden="true",
            )
            for text, depth in zip(LINES[kind], DEPTHS[kind], strict=True)
        ),
        class_name="card-drawing",
        role="img",
        aria_label=TITLES[kind],
    )
