"""Validate redirect targets: only local paths, to prevent open redirects."""

import re
from urllib.parse import unquote, urlencode

HOME = "/library"
LOGIN_PATH = "/login"
SHARED_PAGES = "/s/"  # the server makes them: the router of the pages has none
LOCAL_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f-\U0010ffff]*")


def safe_redirect_target(target: object) -> str:
    """Return the target if it is a path of this app for signed-in users, else the library."""
    if not isinstance(target, str) or not LOCAL_PATH.fullmatch(target):
        return HOME
    path = re.split(r"[?#]", target)[0]
    decoded = unquote(path, errors="replace")
    if is_ambiguous_path(decoded) or decoded != unquote(decoded, errors="replace"):
        return HOME
    return HOME if decoded.lower().startswith(("/auth/", LOGIN_PATH)) else target


def login_url(page: str) -> str:
    """Return the URL of the sign-in page, which leads back to a page of this app."""
    target = safe_redirect_target(page)
    return LOGIN_PATH if target == HOME else f"{LOGIN_PATH}?{urlencode({'next': target})}"


def is_ambiguous_path(path: str) -> bool:
    r"""Return whether a decoded path may be read as another host or another path.

    Browsers and proxies disagree on `//host`, `/\host` and `/x//y`, and on dot segments.
    """
    parts = path.removeprefix("/").removesuffix("/").split("/")
    return (
        not path.startswith("/")
        or re.search(r"[\x00-\x1f\x7f\\]", path) is not None
        or (len(path) > 1 and any(part in ("", ".", "..") for part in parts))
    )
