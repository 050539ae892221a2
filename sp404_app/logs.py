"""Logs: one JSON object a line, with the request and the person it is about."""

import logging
import sys

import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from sp404_app.settings import settings

SECRET = ("password", "token", "cookie", "secret", "authorization", "body")

CHATTY = ("httpx", "httpcore", "urllib3", "asyncio", "granian.access", "uvicorn.access")


def configure() -> None:
    """Send our own lines and those of the libraries to stderr as JSON; call once per process."""
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings().log_level.upper())
    for name in CHATTY:  # they write whole addresses, whose queries may carry tokens
        logging.getLogger(name).setLevel(logging.WARNING)


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blank every value whose name says that it must not be written down."""
    for name in event:
        if any(word in name.lower() for word in SECRET):
            event[name] = "…"
    return event
