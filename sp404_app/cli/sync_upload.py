"""Upload one file to a Crate 404 server over its REST API."""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

import httpx

from sp404_app.supervisor.errors import Failure

CONNECT_TIMEOUT_S: Final = 15.0
READ_TIMEOUT_S: Final = 600.0  # the server decodes the whole file before it answers
MAX_PAUSE_S: Final = 3600.0
DEFAULT_PAUSE_S: Final = 60.0
TOO_LARGE, TOO_MANY = 413, 429
AWAY: Final = (502, 503, 504)  # of a proxy, or of a library whose stores are away
QUOTA_CODES: Final = ("storage_quota_exceeded", "subscription_restricted")


class TokenRefused(Exception):
    """The server does not accept the token for uploads."""


class NoConnection(Exception):
    """The server does not answer, or cannot store files now."""


class ServerFault(NoConnection):
    """The server answers with an error that may be about this file alone."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The library has the file, as this sample. `is_new` is False for a duplicate."""

    sample_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """The library does not take the file, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be added for `seconds`; `reason` is a sentence if a quota is used up."""

    seconds: float
    reason: str = ""


def normalise_url(url: str) -> str:
    """Return the origin of a server's address.

    Raises:
        Failure: If it is no http address, or would send the token to another machine in clear text.
    """
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise Failure(f"{url} is not the address of a server.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise Failure("Use https: over http, others in the network could read the token.")
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (f":{port}" if port else "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Uploader:
    """A connection to one server, authenticated by a personal access token."""

    def __init__(self, url: str, token: str) -> None:
        timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        # The environment's proxy settings apply; the token is sent to this server only.
        self.client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout
        )

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def upload(self, path: Path, file: BinaryIO) -> Uploaded | Rejected | Wait:
        """Upload a file; `path` is relative to the folder and becomes name and folder.

        Raises:
            NoConnection: If the server does not answer, or cannot store files now.
            TokenRefused: If the token is invalid or lacks its scope.
        """
        name = _as_text(path.name)
        folder = "" if path.parent == Path() else _as_text(path.parent.as_posix())
        fields = {"folder": folder, "filename": name}
        part = {"file": ("sound", file, "application/octet-stream")}
        try:
            answer = self.client.post("/api/samples", data=fields, files=part)
        except (httpx.RequestError, ssl.SSLError) as error:
            raise NoConnection(type(error).__name__) from error
        return read_answer(answer)


def _as_text(name: str) -> str:
    """Return a file name as text; bytes that are no UTF-8 become a replacement character."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read_answer(answer: httpx.Response) -> Uploaded | Rejected | Wait:
    """Return what the answer to an upload of one file says.

    Raises:
        NoConnection: If it comes from a server that is overloaded or away.
        ServerFault: If it is another error, or no answer of a library.
        TokenRefused: If the token is invalid or lacks its scope.
    """
    body = _json(answer)
    if answer.status_code in (401, 403):
        raise TokenRefused(str(body.get("error", "")))
    if answer.status_code == TOO_MANY or body.get("code") in QUOTA_CODES:
        return _read_wait(answer, body)
    if answer.status_code == TOO_LARGE:
        return Rejected("It is too large.")
    for sample in _listed(body, "samples"):
        return Uploaded(str(sample.get("id", "")), is_new=True)
    for refusal in _listed(body, "rejected"):
        return _read_refusal(refusal)
    if answer.status_code == 422:
        return Rejected(str(body.get("error", "The server rejected it.")))
    if answer.status_code in AWAY:
        raise NoConnection
    raise ServerFault(f"the server answers with status {answer.status_code}")


def _read_refusal(refusal: dict[str, Any]) -> Uploaded | Rejected | Wait:
    details = refusal.get("details")
    sample_id = details.get("sample_id") if isinstance(details, dict) else None
    if refusal.get("code") == "duplicate" and sample_id:
        return Uploaded(str(sample_id), is_new=False)
    if refusal.get("code") in QUOTA_CODES:
        return Wait(DEFAULT_PAUSE_S, str(refusal.get("error", "")))
    return Rejected(str(refusal.get("error", "The server rejected it.")))


def _read_wait(answer: httpx.Response, body: dict[str, Any]) -> Wait:
    stated = answer.headers.get("retry-after", "")
    seconds = float(stated[:9]) if stated.isdecimal() else DEFAULT_PAUSE_S
    is_quota = str(body.get("code", "")).endswith("quota_exceeded") or (
        body.get("code") in QUOTA_CODES
    )
    reason = str(body.get("error", "")) if is_quota else ""
    return Wait(min(max(1.0, seconds), MAX_PAUSE_S), reason)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _listed(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    listed = body.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
