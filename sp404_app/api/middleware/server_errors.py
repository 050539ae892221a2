"""Unhandled exceptions: log them and answer 500 in the shape of every other API error.

Middleware also asks the database and Redis; without them, the answer is the 503 that routes give.
"""

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
            if outage := error_handlers.find_outage(error):
                answer = error_handlers.app_error_response(outage)
            else:
                kind = type(error).__name__
                log.exception("unexpected error", route=route_pattern(scope), kind=kind)
                answer = error_handlers.unexpected_error_response()
            if not started:
                await answer(scope, receive, send)

    return guarded
