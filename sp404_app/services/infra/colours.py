"""Colours that users choose from."""

# One hue per bank, readable on dark and on light surfaces; pages show them as lit pads.
BANK_COLOURS = (
    "#ff6b3d", "#ffb020", "#e8d52c", "#7ed957", "#2fd6a3",
    "#36c5f0", "#5b8cff", "#9b72ff", "#e667d8", "#ff5c8a",
)  # fmt: skip
