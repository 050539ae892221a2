"""JavaScript of the public pages, served as ES modules from the folder of the components.

The pad page's engine is used unchanged. It imports the audio thread's script with `?worker&url`,
which Vite resolves when it builds the app; here such a request is answered by a module that exports
the address.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

import sp404_app
from sp404_app.errors import NotFound

FOLDER: Final = Path(sp404_app.__file__).parent / "components"
PREFIX: Final = "/s/scripts"
PAGE_SCRIPT, PROCESSOR = "share_page.js", "pad_processor.js"
NAMES: Final = (
    PAGE_SCRIPT,
    PROCESSOR,
    "pad_audio.js",
    "pad_engine.js",
    "pad_keys.js",
    "pad_loader.js",
    "pad_midi.js",
    "pad_parameters.js",
    "pad_source.js",
    "pad_voice.js",
    "share_pads.js",
    "share_sounds.js",
)


def script_address(name: str) -> str:
    """Return the address of a script; it changes with the content of any of them."""
    return f"{PREFIX}/{scripts_version()}/{name}"


def read_script(version: str, name: str, *, as_address: bool) -> str:
    """Return a script, or with `as_address` a module that exports its address.

    Raises:
        NotFound: If the name or the version is unknown.
    """
    if name not in NAMES or version != scripts_version():
        raise NotFound("This URL does not exist.")
    if as_address:
        return f'export default "{script_address(name)}";\n'
    return _sources()[name]


@lru_cache
def scripts_version() -> str:
    """Return 16 characters that name the content of all scripts."""
    content = "\0".join(f"{name}\0{text}" for name, text in _sources().items())
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@lru_cache
def _sources() -> dict[str, str]:
    return {name: (FOLDER / name).read_text("utf-8") for name in NAMES}
