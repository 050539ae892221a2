"""Link from a sample to the list or map that it was opened from."""

import reflex as rx

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True), "list_link.jsx", "list_history.js"
)


class ListLink(rx.Component):
    """The link: back to the list as it was left, or else to the library."""

    library = _ASSET["list_link.jsx"]
    tag = "ListLink"


list_link = ListLink.create
