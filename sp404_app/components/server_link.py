"""Links to what the server answers itself: texts, the API and files."""

from typing import Any

import reflex as rx


def server_link(*children: Any, href: str | rx.Var[str], **props: Any) -> rx.Component:
    """Link that the browser follows, not the router of the pages.

    For the router, every address of this site is a page: it would show "Page not found".
    """
    return rx.el.a(*children, href=href, reload_document=True, **props)
