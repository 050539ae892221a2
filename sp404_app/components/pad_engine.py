"""JavaScript that plays pads, outside of React; components import it from this asset folder.

A component of another Python module imports `../pad_engine/pad_engine.js`. `pad_engine.js` imports
the audio thread's script with `?worker&url`: Vite bundles it into a file of its own, because the
Content-Security-Policy refuses worklets from `data:` and `blob:` addresses.
"""

import reflex as rx

from sp404_app.components.scripts import publish_scripts

SCRIPTS = (
    "pad_audio.js",
    "pad_engine.js",
    "pad_keys.js",
    "pad_loader.js",
    "pad_midi.js",
    "pad_parameters.js",
    "pad_processor.js",
    "pad_source.js",
    "pad_voice.js",
    "pattern_player.js",
)

PATHS = publish_scripts(lambda name: rx.asset(name, shared=True), *SCRIPTS)
