"""Detect requests from this machine: development pages and metrics answer only these.

A reverse proxy on the same machine connects from a loopback address for every client on the web.
So a request counts as local only if it has no header that a proxy adds, and if its Host is a
loopback name. The second check also stops DNS rebinding, where a web page's own name resolves to
127.0.0.1.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from sp404_app.errors import NotFound

# Forwarded (RFC 7239) and Via (RFC 9110) are standard; proxies, load balancers, tunnels and CDNs
# add the others.
FORWARDING = re.compile(
    r"via|cdn-loop|.*forwarded.*|.*(client|real|remote|connecting|originating|source|peer)-?_?ip.*"
    r"|.*remote-?_?(addr|user).*|x-original-.*|x-proxy.*|proxy-.*|.*src-?_?ip"
    r"|x-(url-)?scheme|x-(nginx|arr|ssl|varnish|akamai)-?.*|front-end-https|surrogate-.*"
    r"|(cf|fastly|fly|ngrok|tailscale|x-amzn|x-azure|x-envoy|x-vercel|x-appengine|x-cloud)-.*"
)
# Browsers send this if their user has configured a proxy; a reverse proxy does not add it.
SENT_BY_BROWSERS = frozenset({"proxy-connection"})


def is_local(peer: str, headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether a request came from this machine without a proxy in between."""
    given = [(name.lower(), value) for name, value in headers]
    hosts = [value for name, value in given if name == "host"]
    forwarded = any(is_forwarding(name) for name, _ in given)
    return is_loopback(peer) and not forwarded and all(map(_is_loopback_name, hosts))


def ensure_local(peer: str, headers: Iterable[tuple[str, str]]) -> None:
    """Check that a request came from this machine.

    Raises:
        NotFound: If it did not.
    """
    if not is_local(peer, headers):
        raise NotFound("Page not found.")


def is_forwarding(name: str) -> bool:
    """Return whether a proxy adds a header of this name."""
    return name.lower() not in SENT_BY_BROWSERS and FORWARDING.fullmatch(name.lower()) is not None


def is_loopback(address: str) -> bool:
    """Return whether an IP address is a loopback address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _is_loopback_name(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name)
