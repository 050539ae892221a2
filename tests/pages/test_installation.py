"""The manifest of the installable app names files and pages that exist."""

import json
import struct

from sp404_app.sp404_app import PAGES
from tests.product import ROOT

ASSETS = ROOT / "assets"
MANIFEST = json.loads((ASSETS / "manifest.webmanifest").read_text())


def png_size(name: str) -> str:
    """Return the size in the header of a PNG file, as a manifest writes it."""
    head = (ASSETS / name).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return "{}x{}".format(*struct.unpack(">II", head[16:24]))


def test_icons_have_the_sizes_that_the_manifest_states() -> None:
    icons = MANIFEST["icons"]
    assert all(png_size(each["src"].lstrip("/")) == each["sizes"] for each in icons)
    assert {(each["sizes"], each["purpose"]) for each in icons} >= {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    assert png_size("apple-touch-icon.png") == "180x180"


def test_screenshots_and_shortcuts_exist() -> None:
    for each in MANIFEST["screenshots"]:
        assert (ASSETS / each["src"].lstrip("/")).is_file()
    routes = {page.route for page in PAGES}
    assert {MANIFEST["start_url"], *(each["url"] for each in MANIFEST["shortcuts"])} <= routes


def test_shared_files_go_where_the_service_worker_takes_them() -> None:
    target = MANIFEST["share_target"]
    worker = (ROOT / "sp404_app" / "components" / "service_worker.js").read_text()
    assert f'const SHARE_URL = "{target["action"]}";' in worker
    assert (target["method"], target["enctype"]) == ("POST", "multipart/form-data")
    (files,) = target["params"]["files"]
    assert f'.getAll("{files["name"]}")' in worker
    assert "audio/*" in files["accept"]


def test_screenshots_cost_little() -> None:
    sizes = [(ASSETS / each["src"].lstrip("/")).stat().st_size for each in MANIFEST["screenshots"]]
    assert {each["form_factor"] for each in MANIFEST["screenshots"]} == {"wide", "narrow"}
    assert sum(sizes) <= 220_000  # of four, of which an installer shows two
