"""Reflex configuration: names and plugins here; what differs per deployment comes in REFLEX_*."""

import reflex as rx

from sp404_app.components.fonts import Fonts
from sp404_app.portable_pages import PortablePages
from sp404_app.slim_pages import SlimPages

config = rx.Config(
    app_name="sp404_app",
    show_built_with_reflex=False,
    telemetry_enabled=False,
    plugins=[PortablePages(), SlimPages(), Fonts()],
    # Brotli is a sixth smaller than gzip; browsers ask for it over https and on this machine.
    frontend_compression_formats=["brotli", "gzip"],
    # It bakes the address in; `api/routes/sitemap.py` answers instead.
    disable_plugins=[rx.plugins.SitemapPlugin],
)
