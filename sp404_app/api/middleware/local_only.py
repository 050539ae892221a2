"""Development pages and the Stripe emulator: answered to this machine only, whatever is asked."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.api import error_handlers
from sp404_app.services.infra import local_access

PLACES = ("dev", "_stripe")


def local_only(app: ASGIApp) -> ASGIApp:
    """Answer 404 for `/dev` and `/_stripe` to everybody who does not sit at this machine."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if _is_closed(scope):
            await error_handlers.answer(404, "There is nothing at this address.")(
                scope, receive, send
            )
            return
        await app(scope, receive, send)

    return guarded


def _is_closed(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["path"].lower().strip("/").split("/")[0] not in PLACES:
        return False
    peer = scope["client"][0] if scope.get("client") else ""
    return not local_access.is_local(peer, Headers(scope=scope).items())
