"""Button that copies a text to the clipboard."""

import reflex as rx
from reflex.event import no_args_event_spec


class CopyButton(rx.Component):
    """Copies `text`; `on_refused` is called if the browser does not allow it."""

    library = rx.asset("copy_button.jsx", shared=True).importable_path
    tag = "CopyButton"

    text: rx.Var[str]
    label: rx.Var[str]
    test_id: rx.Var[str]

    on_copied: rx.EventHandler[no_args_event_spec]
    on_refused: rx.EventHandler[no_args_event_spec]


copy_button = CopyButton.create
