"""What makes the product installable as an app (W3C Web Application Manifest)."""

import reflex as rx


def installation_links() -> list[rx.Component]:
    """Return the elements of the document's head that name the manifest and the icon for iOS."""
    return [
        rx.el.link(rel="manifest", href="/manifest.webmanifest"),
        rx.el.link(rel="apple-touch-icon", href="/apple-touch-icon.png"),
    ]
