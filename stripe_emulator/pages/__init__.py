"""Hosted pages: server-rendered HTML without JavaScript."""
