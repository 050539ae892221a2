"""Query-by-sound dialog: file chooser, drop target and recording run in the browser."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec


class QueryBySoundDialog(rx.NoSSRComponent):
    """Dialog that sends a sound to the server; its children show the results.

    It is open while it is on the page, and its script is loaded then.
    `on_found` receives `{"samples": [{"id", "distance"}], "heard": {…}}`. Changing `aspect` repeats
    the query with the same sound.
    """

    library = rx.asset("query_by_sound.jsx", shared=True).importable_path
    tag = "QueryBySoundDialog"

    aspect: rx.Var[str]

    on_found: rx.EventHandler[passthrough_event_spec(dict[str, Any])]
    on_close: rx.EventHandler[no_args_event_spec]


query_by_sound_dialog = QueryBySoundDialog.create
