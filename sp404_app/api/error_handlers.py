"""The error contract: every refusal has one shape and shows nothing of the inside."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from starlette.exceptions import HTTPException

from sp404_app.errors import AppError, Conflict, Unauthenticated, Unavailable, ValidationFailed

OURS = "Something went wrong on our side. We have written it down."
SENTENCES = {
    400: "We cannot read this request.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "This is larger than we take.",
    415: "We do not take this kind of content.",
}
CODES = {400: "bad_request", 413: "too_large", 422: "invalid", 500: "internal_error"}
PROBLEMS = {
    "missing": "This field is needed.",
    "json_invalid": "This is not JSON.",
    "model_attributes_type": "Send a JSON object.",
    "extra_forbidden": "There is no such field.",
    "string_type": "This has to be text.",
    "bool_type": "This has to be true or false.",
}

log = structlog.get_logger()


class Problem(BaseModel):
    """Why a request was refused: a sentence for a person, a code for a program."""

    error: str
    status: int
    code: str
    details: dict[str, Any]


# What every route may answer too; in the description of the API.
ANSWERS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Refused"},
    "5XX": {"model": Problem, "description": "Not now"},
}


def answer(
    status: int,
    message: str,
    code: str = "",
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Write an error in the one shape of the API."""
    body = {
        "error": message,
        "status": status,
        "code": code or CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_"),
        "details": dict(details or {}),
    }
    return JSONResponse(body, status, dict(headers or {}))


def of_app_error(error: AppError) -> JSONResponse:
    """Translate an error a person caused."""
    headers: dict[str, str] = {}
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        headers.setdefault("Retry-After", "5")
    return answer(error.status, str(error), error.code, error.details, headers)


def of_status(error: HTTPException) -> JSONResponse:
    """Translate an error of the framework."""
    message = SENTENCES.get(error.status_code, HTTPStatus(error.status_code).phrase + ".")
    return answer(error.status_code, message, headers=error.headers)


def install(api: FastAPI) -> None:
    """Give an application its translations."""
    api.add_exception_handler(AppError, _app_error)
    api.add_exception_handler(RequestValidationError, _validation)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(DataError, _unkeepable)
    api.add_exception_handler(UnicodeEncodeError, _unkeepable)
    api.add_exception_handler(IntegrityError, _changed_meanwhile)
    api.add_exception_handler(OperationalError, _away)
    api.add_exception_handler(Exception, _unexpected)


async def _app_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return of_app_error(error)


async def _validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details: dict[str, list[str]] = {}
    for problem in error.errors():
        details.setdefault(_field(problem["loc"]), []).append(_sentence(problem))
    return of_app_error(ValidationFailed("Please look at the marked fields.", details))


def _field(location: tuple[int | str, ...]) -> str:
    """Name a field as its sender knows it; JSON that cannot be parsed has only a position."""
    path = [str(part) for part in location[1:] if not isinstance(part, int) or len(location) > 2]
    return ".".join(path)[:200] or "body"


def _sentence(problem: Mapping[str, Any]) -> str:
    if problem["type"] in PROBLEMS:
        return PROBLEMS[problem["type"]]
    message = str(problem["msg"]).removeprefix("Value error, ")
    if message.startswith("Expected UploadFile"):  # FastAPI's, with names of Python in it
        return "This has to be a file."
    return f"{message[:1].upper()}{message[1:]}{'' if message.endswith('.') else '.'}"


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return of_status(error)


async def _unkeepable(_: Request, error: Exception) -> JSONResponse:
    """Answer for text the database cannot hold (zero bytes, half characters) or huge numbers."""
    log.warning("value refused by the database", error=type(error).__name__)
    message = "A value holds something that cannot be kept."
    return of_app_error(ValidationFailed(message, {"body": [message]}))


async def _changed_meanwhile(_: Request, error: Exception) -> JSONResponse:
    """Answer for rows that do not fit (any more), where no service said so: the last defence.

    What the error says holds the row itself, so only the name of the rule is written down.
    """
    assert isinstance(error, IntegrityError)
    rule = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    log.error("rows do not fit", error=type(error.orig).__name__, constraint=rule)
    return of_app_error(Conflict("This was changed by somebody else meanwhile. Please try again."))


async def _away(_: Request, error: Exception) -> JSONResponse:
    log.error("database away", error=type(error).__name__)
    return of_app_error(Unavailable("Our database does not answer. Please try again soon."))


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    """Answer for a mistake of ours; the gateway, which sees the error too, writes it down."""
    return answer(500, OURS)
