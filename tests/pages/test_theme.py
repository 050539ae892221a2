"""The colours of the themes: text can be read on every surface (WCAG 2.2, 1.4.3)."""

import re
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[2] / "assets"
MIN_CONTRAST = 4.5
TEXTS = ("text", "muted", "faint")
SURFACES = ("bg", "surface", "raised", "hover")
THEMES = {
    "dark": ("app.css", ":root {"),
    "light": ("app.css", '[data-theme="light"] {'),
    "light, public pages": ("share.css", ":root:not([data-theme]) {"),
}


def colours(sheet: str, selector: str) -> dict[str, str]:
    """Return the colours that the first rule with a selector defines, by name."""
    css = (ASSETS / sheet).read_text()
    rule = css[css.index(selector) :].split("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rule))


def luminance(colour: str) -> float:
    """Return the relative luminance of an sRGB colour, 0 to 1."""
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_has_enough_contrast_on_every_surface(theme: str) -> None:
    named = colours(*THEMES[theme])
    low = {
        (text, surface): round(contrast(named[text], named[surface]), 2)
        for text in TEXTS
        for surface in SURFACES
        if contrast(named[text], named[surface]) < MIN_CONTRAST
    }
    assert low == {}
