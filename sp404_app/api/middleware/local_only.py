"""Development pages and the Stripe emulator: requests from other machines get 404.

In production everybody does: the bundle contains these pages, because it is the same everywhere.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.api import error_handlers
from sp404_app.services.infra import local_access
from sp404_app.settings import settings

LOCAL_ONLY_PATHS = ("dev", "_stripe")


def require_local_client(app: ASGIApp) -> ASGIApp:
    """Answer 404 for `/dev` and `/_stripe` unless the client is a developer on this machine."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if _is_refused(scope):
            await error_handlers.error_response(404)(scope, receive, send)
            return
        await app(scope, receive, send)

    return guarded


def _is_refused(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    first_segment = scope["path"].lower().strip("/").split("/")[0]
    if first_segment not in LOCAL_ONLY_PATHS:
        return False
    if settings().in_production:
        return True
    peer = scope["client"][0] if scope.get("client") else ""
    return not local_access.is_local(peer, Headers(scope=scope).items())
