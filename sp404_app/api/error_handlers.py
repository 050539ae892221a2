"""API errors: every error response has one JSON shape and shows nothing internal."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError, IntegrityError
from starlette.exceptions import HTTPException
from structlog.contextvars import get_contextvars

from sp404_app.errors import AppError, Conflict, Unauthenticated, Unavailable, ValidationFailed
from sp404_app.services.infra.outages import DATABASE_UNAVAILABLE, OUTAGES, REDIS_UNAVAILABLE

SERVER_ERROR = "Something went wrong on our side. The error has been logged."
STATUS_MESSAGES = {
    400: "This request could not be read.",
    404: "This URL does not exist.",
    405: "This URL does not support this method.",
    413: "This request is too large.",
    415: "This content type is not supported.",
}
STATUS_CODES = {400: "bad_request", 413: "too_large", 422: "invalid", 500: "internal_error"}
VALIDATION_MESSAGES = {
    "missing": "This field is required.",
    "json_invalid": "This is not valid JSON.",
    "model_attributes_type": "Send a JSON object.",
    "extra_forbidden": "This field does not exist.",
    "string_type": "This must be text.",
    "bool_type": "This must be true or false.",
}
UNAVAILABLE_RETRY_S = 5

log = structlog.get_logger()


class Problem(BaseModel):
    """An error: a message for users, a code for programs."""

    error: str
    status: int
    code: str
    details: dict[str, Any]


# Added to every route in the OpenAPI description.
ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Client error"},
    "5XX": {"model": Problem, "description": "Server error"},
}


def error_response(
    status: int,
    message: str = "",
    code: str = "",
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return an error in the API's one shape; message and code default to those of the status."""
    phrase = HTTPStatus(status).phrase
    body = {
        "error": message or STATUS_MESSAGES.get(status, f"{phrase}."),
        "status": status,
        "code": code or STATUS_CODES.get(status) or phrase.lower().replace(" ", "_"),
        "details": dict(details or {}),
    }
    return JSONResponse(body, status, dict(headers or {}))


def unexpected_error_response() -> JSONResponse:
    """Return a 500 with the id under which the logs have the error."""
    request_id = str(get_contextvars().get("request_id", ""))
    return error_response(500, SERVER_ERROR, details={"reference": request_id})


def find_outage(error: Exception) -> Unavailable | None:
    """Return what to say if PostgreSQL or Redis cannot be used, and log why; else None."""
    if isinstance(error, DATABASE_UNAVAILABLE):
        cause = getattr(error, "orig", None) or error
        log.error("database unavailable", error=type(cause).__name__)
        return Unavailable("The database is unavailable. Try again in a few seconds.")
    if isinstance(error, REDIS_UNAVAILABLE):
        log.error("redis unavailable", error=type(error).__name__)
        return Unavailable("This is unavailable for a moment. Try again in a few seconds.")
    return None


def app_error_response(error: AppError) -> JSONResponse:
    """Return the response for an error that a service raised."""
    headers: dict[str, str] = {}
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        headers.setdefault("Retry-After", str(UNAVAILABLE_RETRY_S))
    return error_response(error.status, str(error), error.code, error.details, headers)


def http_error_response(error: HTTPException) -> JSONResponse:
    """Return the response for an error that the framework raised."""
    return error_response(error.status_code, headers=error.headers)


def add_error_handlers(api: FastAPI) -> None:
    """Register the exception handlers of an application."""
    api.add_exception_handler(AppError, _handle_app_error)
    api.add_exception_handler(RequestValidationError, _handle_validation_error)
    api.add_exception_handler(HTTPException, _handle_http_error)
    api.add_exception_handler(DataError, _handle_unstorable_value)
    api.add_exception_handler(UnicodeEncodeError, _handle_unstorable_value)
    api.add_exception_handler(IntegrityError, _handle_integrity_error)
    for kind in OUTAGES:
        api.add_exception_handler(kind, _handle_outage)
    api.add_exception_handler(Exception, _handle_unexpected)


async def _handle_app_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return app_error_response(error)


async def _handle_validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details: dict[str, list[str]] = {}
    for problem in error.errors():
        details.setdefault(_field_name(problem["loc"]), []).append(_validation_message(problem))
    return app_error_response(ValidationFailed("Check the marked fields.", details))


def _field_name(location: tuple[int | str, ...]) -> str:
    """Return the dotted name of a field; JSON that cannot be parsed has only a position."""
    path = [str(part) for part in location[1:] if not isinstance(part, int) or len(location) > 2]
    return ".".join(path)[:200] or "body"


def _validation_message(problem: Mapping[str, Any]) -> str:
    if problem["type"] in VALIDATION_MESSAGES:
        return VALIDATION_MESSAGES[problem["type"]]
    message = str(problem["msg"]).removeprefix("Value error, ")
    if message.startswith("Expected UploadFile"):  # FastAPI's message names Python classes
        return "This must be a file."
    return f"{message[:1].upper()}{message[1:]}{'' if message.endswith('.') else '.'}"


async def _handle_http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return http_error_response(error)


async def _handle_unstorable_value(_: Request, error: Exception) -> JSONResponse:
    """Answer 422 for values PostgreSQL cannot store: NUL bytes, lone surrogates, huge numbers."""
    log.warning("value refused by the database", error=type(error).__name__)
    message = "A value contains something that can't be stored."
    return app_error_response(ValidationFailed(message, {"body": [message]}))


async def _handle_integrity_error(_: Request, error: Exception) -> JSONResponse:
    """Answer 409 if a constraint fails and no service has handled it.

    The error's message contains the row, so only the name of the constraint is logged.
    """
    assert isinstance(error, IntegrityError)
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    log.error("constraint violated", error=type(error.orig).__name__, constraint=constraint)
    return app_error_response(Conflict("Someone else changed this in the meantime. Try again."))


async def _handle_outage(_: Request, error: Exception) -> JSONResponse:
    outage = find_outage(error)
    assert outage
    return app_error_response(outage)


async def _handle_unexpected(_: Request, __: Exception) -> JSONResponse:
    """Answer 500; the `server_errors` middleware sees the exception too and logs it."""
    return unexpected_error_response()
