"""Addresses inside the app that a page may send a person on to."""

import re

HOME = "/library"
LOGIN = "/login"
OURS = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f-\U0010ffff]*")


def safe(target: object) -> str:
    """Return a path of our own to go on to: never another host, nor a page for strangers."""
    if not isinstance(target, str) or not OURS.fullmatch(target):
        return HOME
    return HOME if target.startswith(("/auth/", LOGIN)) else target
