"""Client IP: replace a trusted proxy's address by the one it forwards in `X-Forwarded-For`."""

import ipaddress

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.settings import settings

FROM_TRUSTED_PROXY = "sp404.from_trusted_proxy"  # key of the scope: the peer is such a proxy
FORWARDED_HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip")

log = structlog.get_logger(__name__)
_warned: set[str] = set()  # of this process: what has been logged once


def set_client_ip(app: ASGIApp) -> ASGIApp:
    """Set the client's IP address in the scope; `X-Forwarded-For` counts from trusted proxies."""

    async def with_client_ip(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            ip, port = scope["client"]
            headers = Headers(scope=scope)
            scope[FROM_TRUSTED_PROXY] = _is_trusted_proxy(ip)
            _warn_about_unknown_proxy(ip, headers)
            forwarded = headers.getlist("x-forwarded-for")
            scope["client"] = (client_ip_behind_proxies(ip, ",".join(forwarded)), port)
        await app(scope, receive, send)

    return with_client_ip


def client_ip_behind_proxies(peer_ip: str, forwarded_for: str) -> str:
    """Return the nearest address on the way to us that is not a trusted proxy."""
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    while hops and _is_trusted_proxy(peer_ip):
        peer_ip = hops.pop()
    return peer_ip


def _warn_about_unknown_proxy(peer_ip: str, headers: Headers) -> None:
    """Log once that a peer which is not trusted forwards addresses: it may be the proxy."""
    if _warned or not any(name in headers for name in FORWARDED_HEADERS):
        return
    if not _is_trusted_proxy(peer_ip):
        _warned.add(peer_ip)
        log.warning(
            "a peer that is not in SP404_TRUSTED_PROXIES forwards client addresses: they are "
            "ignored, and everybody behind it shares one address",
            ip=peer_ip,
        )


def _is_trusted_proxy(ip: str) -> bool:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    # A dual-stack socket shows an IPv4 peer as ::ffff:10.0.0.1.
    unmapped = getattr(address, "ipv4_mapped", None) or address
    return any(address in network or unmapped in network for network in settings().trusted_proxies)
