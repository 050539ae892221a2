"""The scripts of the pads are served together."""

import re
from pathlib import Path

import sp404_app
from sp404_app.components import pad_engine

FOLDER = Path(sp404_app.__file__).parent / "components"


def test_the_asset_folder_has_every_script_that_the_scripts_import() -> None:
    for name in pad_engine.SCRIPTS:
        imported = re.findall(r'from "\./([\w.]+)', (FOLDER / name).read_text())
        assert set(imported) <= set(pad_engine.SCRIPTS), name


def test_the_audio_thread_is_a_file_of_its_own() -> None:
    # Vite turns other forms into a data: address, which the Content-Security-Policy refuses.
    assert 'from "./pad_processor.js?worker&url"' in (FOLDER / "pad_engine.js").read_text()
