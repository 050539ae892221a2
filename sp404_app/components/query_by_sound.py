"""Finding by sound: choosing, dropping and recording happen in the browser."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec


class SoundFinder(rx.Component):
    """A dialog that sends a sound away and is told what is like it; its children show that.

    `on_found` gets `{"samples": [{"id", "distance"}], "heard": {…}}`. A change of `aspect` asks
    again with the same sound.
    """

    library = rx.asset("finder.jsx", shared=True).importable_path
    tag = "SoundFinder"

    open: rx.Var[bool]
    aspect: rx.Var[str]

    on_found: rx.EventHandler[passthrough_event_spec(dict[str, Any])]
    on_close: rx.EventHandler[no_args_event_spec]


sound_finder = SoundFinder.create
