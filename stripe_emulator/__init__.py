"""A small faithful Stripe for machines without Stripe: its HTTP API, its pages, its webhooks.

Follows the API version that the installed `stripe` package is pinned to. It stands alone: the
product reaches it only over HTTP, with the real client, in development.
"""
