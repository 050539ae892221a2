# ruff: noqa: INP001 - a script, beside the files that it reads and writes
"""Make the pages' fonts: Geist and Geist Mono in subsets, limited to the weights that pages use.

    npm pack @fontsource-variable/geist@5.3.0 @fontsource-variable/geist-mono@5.3.0
    pip install fonttools==4.68.0 brotli==1.2.1
    python deploy/web_fonts.py PACKAGE_FOLDER PACKAGE_FOLDER

Writes the files and `fonts.css` into sp404_app/components/fonts. The packages' own files have all
weights from 100 to 900 and alternative glyphs; with what pages use, they have
two thirds of the bytes. The letters of English and the signs of our pages are a file of their own,
so that a page without other letters loads two thirds of the Latin subset.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

TARGET = Path(__file__).parents[1] / "sp404_app/components/fonts"
WEIGHTS = (400, 700)
FEATURES = ["ccmp", "locl", "mark", "mkmk", "kern", "liga", "tnum"]
LATIN = "-latin-wght"
# ASCII, and the other signs that our pages write.
BASIC = frozenset({*range(0x20, 0x7F), *map(ord, "\u00a0§°±·×÷–—‘’“”•…←↑→↓−")})
FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)
FILE = re.compile(r"url\(\./files/(\S+?)\)")
RANGE = re.compile(r"unicode-range: [^;]*;")


def main(packages: list[str]) -> None:
    """Write the subsets of each package and one style sheet with all of them."""
    faces = []
    for package in map(Path, packages):
        for face in FACE.findall((package / "wght.css").read_text("utf-8")):
            name = FILE.findall(face)[0]
            source, short = package / "files" / name, name.replace("-normal", "")
            ours = FILE.sub(f"url(./{short})", face).replace("100 900", "{} {}".format(*WEIGHTS))
            faces.append(re.sub(r"\s+", " ", ours))
            if LATIN not in short:
                write_subset(source, TARGET / short, list_characters(source))
                continue
            characters, basic = list_characters(source), short.replace(LATIN, "-basic-wght")
            write_subset(source, TARGET / short, characters - BASIC)
            write_subset(source, TARGET / basic, characters & BASIC)
            # A browser asks the last face first that has a character.
            ours = RANGE.sub(f"unicode-range: {unicode_range(characters & BASIC)};", faces[-1])
            faces.append(ours.replace(short, basic))
    (TARGET / "fonts.css").write_text("\n".join(faces) + "\n", "utf-8")


def list_characters(source: Path) -> set[int]:
    """Return the code points of a font."""
    return set(TTFont(source).getBestCmap())


def unicode_range(codes: Iterable[int]) -> str:
    """Return code points as CSS writes them: "U+20-7E,U+A0"."""
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and code == runs[-1][-1] + 1:
            runs[-1].append(code)
        else:
            runs.append([code])
    return ",".join(f"U+{run[0]:X}" + (f"-{run[-1]:X}" if run[1:] else "") for run in runs)


def write_subset(source: Path, target: Path, codes: set[int]) -> None:
    """Write characters of a variable font, with the weights and features that pages use.

    It has no hints.
    """
    font = TTFont(source)
    subsetter = Subsetter(Options(layout_features=FEATURES, hinting=False))
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS})
    font.flavor = "woff2"
    font.save(target)


if __name__ == "__main__":
    main(sys.argv[1:])
