"""Message shown when a part of the page that is loaded later, such as a dialog, does not arrive."""

import reflex as rx

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "late_part_error.jsx")


class LatePartError(rx.Component):
    """The message, with a button that loads the page again."""

    library = _ASSET["late_part_error.jsx"]
    tag = "LatePartError"


late_part_error = LatePartError.create
