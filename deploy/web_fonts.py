# ruff: noqa: INP001 - a script, beside the files that it reads and writes
"""Make the pages' fonts: Geist and Geist Mono in subsets, limited to the weights that pages use.

    npm pack @fontsource-variable/geist@5.3.0 @fontsource-variable/geist-mono@5.3.0
    pip install fonttools==4.68.0 brotli==1.2.1
    python deploy/web_fonts.py PACKAGE_FOLDER PACKAGE_FOLDER

Writes the files and `fonts.css` into sp404_app/components/fonts. The packages' own files have all
weights from 100 to 900 and alternative glyphs; with what pages use, they have
two thirds of the bytes.
"""

import re
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

TARGET = Path(__file__).parents[1] / "sp404_app/components/fonts"
WEIGHTS = (400, 700)
FEATURES = ["ccmp", "locl", "mark", "mkmk", "kern", "liga", "tnum"]
FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)
FILE = re.compile(r"url\(\./files/(\S+?)\)")


def main(packages: list[str]) -> None:
    """Write the subsets of each package and one style sheet with all of them."""
    faces = []
    for package in map(Path, packages):
        for face in FACE.findall((package / "wght.css").read_text("utf-8")):
            name = FILE.findall(face)[0]
            short = name.replace("-normal", "")
            limit_weights(package / "files" / name, TARGET / short)
            ours = FILE.sub(f"url(./{short})", face).replace("100 900", "{} {}".format(*WEIGHTS))
            faces.append(re.sub(r"\s+", " ", ours))
    (TARGET / "fonts.css").write_text("\n".join(faces) + "\n", "utf-8")


def limit_weights(source: Path, target: Path) -> None:
    """Write a variable font with the weights and features that pages use, without hints."""
    font = TTFont(source)
    subsetter = Subsetter(Options(layout_features=FEATURES, hinting=False))
    subsetter.populate(unicodes=font.getBestCmap())
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS})
    font.flavor = "woff2"
    font.save(target)


if __name__ == "__main__":
    main(sys.argv[1:])
