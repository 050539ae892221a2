"""Unhandled exceptions: log them and answer 500 in the shape of every other API error."""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.api import error_handlers
from sp404_app.api.middleware.access_log import route_pattern

log = structlog.get_logger("sp404_app.access")


def catch_server_errors(app: ASGIApp) -> ASGIApp:
    """Log an unhandled exception; answer 500 if no response was started."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await app(scope, receive, send_and_note_start)
        except Exception as error:  # the last handler before the server: any exception may arrive
            if scope["type"] != "http":
                raise
            log.exception("unexpected error", route=route_pattern(scope), kind=type(error).__name__)
            if not started:
                answer = error_handlers.unexpected_error_response()
                await answer(scope, receive, send)

    return guarded
