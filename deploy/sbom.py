# ruff: noqa: INP001 - a script, beside the files that it reads and writes
"""Write deploy/sbom.cdx.json: what the image ships, as a CycloneDX 1.6 bill of materials.

.venv/bin/python deploy/sbom.py

It has the packages of LICENCES.md, for programs that look for known vulnerabilities. The packages
of Debian come with the base image, which every build may renew, so they are not in it.
"""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import licences
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

TARGET = Path(__file__).parent / "sbom.cdx.json"


def main() -> None:
    """Write the file."""
    TARGET.write_text(render())


def render() -> str:
    """Return the text of the bill of materials, which is the same at each call."""
    components = [
        *(_component("pypi", *row) for row in sorted(set(licences.image_packages()))),
        *(_component("npm", *row) for row in sorted(set(licences.javascript_packages()))),
    ]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "crate404"}},
        "components": components,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _component(registry: str, name: str, version: str, licence: str) -> dict[str, Any]:
    # https://github.com/package-url/purl-spec: a scope of npm is a segment, its @ is escaped.
    purl = f"pkg:{registry}/{quote(name, safe='/')}@{quote(version)}"
    component: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": version,
        "bom-ref": purl,
        "purl": purl,
    }
    if stated := _licence(licence):
        component["licenses"] = [stated]
    return component


def _licence(text: str) -> dict[str, Any] | None:
    if text == "not stated":
        return None
    try:
        return {"expression": canonicalize_license_expression(text)}
    except InvalidLicenseExpression:  # words of older metadata, as in "BSD License"
        return {"license": {"name": text}}


if __name__ == "__main__":
    sys.exit(main())
