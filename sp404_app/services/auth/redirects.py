"""Addresses inside the app that a page may send a person on to."""

import re
from urllib.parse import unquote

HOME = "/library"
LOGIN = "/login"
OURS = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f-\U0010ffff]*")


def safe(target: object) -> str:
    """Return a path of our own to go on to: never another host, nor a page for strangers."""
    if not isinstance(target, str) or not OURS.fullmatch(target):
        return HOME
    path = re.split(r"[?#]", target)[0]
    decoded = unquote(path, errors="replace")
    if is_crooked(decoded) or decoded != unquote(decoded, errors="replace"):
        return HOME
    return HOME if decoded.lower().startswith(("/auth/", LOGIN)) else target


def is_crooked(path: str) -> bool:
    r"""Return whether a decoded path could be read as another host, or as another path.

    `//host`, `/\host` and `/x//y` begin or hold a host for some reader; dot segments are
    resolved by some readers and not by others.
    """
    parts = path.removeprefix("/").removesuffix("/").split("/")
    return (
        not path.startswith("/")
        or re.search(r"[\x00-\x1f\x7f\\]", path) is not None
        or (len(path) > 1 and any(part in ("", ".", "..") for part in parts))
    )
