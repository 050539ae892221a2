"""Reflex configuration: names and plugins here; what differs per deployment comes in REFLEX_*."""

import reflex as rx

config = rx.Config(
    app_name="sp404_app",
    show_built_with_reflex=False,
    telemetry_enabled=False,
    plugins=[
        rx.plugins.SitemapPlugin(),
    ],
)
