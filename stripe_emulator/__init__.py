"""Emulator of the part of Stripe that Crate 404 uses: HTTP API, hosted pages and webhooks.

It answers as the API version that the installed `stripe` package is pinned to. It imports nothing
from `sp404_app`; in development the product calls it over HTTP with the official client.
"""
