"""Handle one API request: authentication, parameters, idempotency, operation, expansion."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe

from stripe_emulator import expansion, form_encoding, idempotency, limits, parameters
from stripe_emulator.errors import ApiError
from stripe_emulator.objects import Object, new_id, public_copy
from stripe_emulator.operation import Call, Operation
from stripe_emulator.operations import ALL_OPERATIONS
from stripe_emulator.store import Store
from stripe_emulator.transaction import EmulatorConfig, Transaction


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """An API request as received."""

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class ApiResponse:
    """The response to an API request."""

    status: int
    body: Object
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """The JSON API of the emulator."""

    def __init__(self, store: Store, config: EmulatorConfig, api_key: str) -> None:
        self.store = store
        self.config = config
        self.api_key = api_key

    def handle(self, request: ApiRequest) -> ApiResponse:
        """Handle a request; errors become error responses."""
        name = new_id("req", 14)
        try:
            self.authenticate(request.headers.get("authorization", ""))
            made = self.dispatch(request, name)
        except ApiError as error:
            made = ApiResponse(error.status, error.body())
        made.headers["Request-Id"] = name
        made.headers["Stripe-Version"] = request.headers.get("stripe-version", stripe.api_version)
        if key := request.headers.get("idempotency-key"):
            made.headers["Idempotency-Key"] = key
        return made

    def authenticate(self, header: str) -> None:
        """Check the API key, sent as bearer token or as user name of basic authentication.

        Raises:
            ApiError: 401.
        """
        scheme, _, given = header.partition(" ")
        if scheme.lower() == "basic":
            given = basic_auth_username(given)
        if not given:
            text = (
                "You did not provide an API key. You need to provide your API key in the"
                " Authorization header, using Bearer auth (e.g. 'Authorization: Bearer"
                " YOUR_SECRET_KEY')."
            )
            raise ApiError(401, text)
        if not hmac.compare_digest(given.encode(), self.api_key.encode()):
            raise ApiError(
                401, f"Invalid API Key provided: {given[:8]}****", code="api_key_invalid"
            )

    def dispatch(self, request: ApiRequest, name: str) -> ApiResponse:
        """Parse the parameters and run the operation in one transaction."""
        operation, ids = find_operation(request.method, request.path)
        try:
            text = request.query if request.method != "POST" else request.body.decode()
            given = form_encoding.decode_form(text)
        except ValueError as error:
            raise ApiError(400, "Invalid request body.") from error
        params = parameters.read_params(operation.params, given)
        operation.check(params)
        limits.check_limits(params)
        call = Call(ids, params)
        if operation.method == "GET":
            with self.store.reading() as connection:
                tx = Transaction(connection, self.config)
                return ApiResponse(200, run_operation(tx, operation, call))
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        return self.run_write_operation(request, operation, call, name, key)

    def run_write_operation(
        self, request: ApiRequest, operation: Operation, call: Call, name: str, key: str | None
    ) -> ApiResponse:
        """Run an operation that writes, once per idempotency key."""
        fingerprint = idempotency.request_fingerprint(request.method, request.path, call.params)
        with self.store.writing() as connection:
            tx = Transaction(connection, self.config)
            tx.request = {"id": name, "idempotency_key": key}
            if key and (kept := idempotency.find_saved_response(tx, key, fingerprint)):
                headers = {"Idempotent-Replayed": "true", "Original-Request": kept[2]}
                return ApiResponse(kept[0], kept[1], headers)
            made = run_or_decline(tx, operation, call)
            if key:
                idempotency.save_response(tx, key, fingerprint, made.status, made.body)
            return made


def run_or_decline(tx: Transaction, operation: Operation, call: Call) -> ApiResponse:
    """Run an operation; a card error that must be committed becomes a response."""
    try:
        return ApiResponse(200, run_operation(tx, operation, call))
    except ApiError as error:
        if not error.commit:
            raise
        return ApiResponse(error.status, error.body())


def run_operation(tx: Transaction, operation: Operation, call: Call) -> Object:
    """Run an operation and expand the requested properties."""
    wanted: list[Any] = call.params.get("expand", [])
    return public_copy(expansion.expand_paths(tx, operation.run(tx, call), wanted))


def find_operation(method: str, path: str) -> tuple[Operation, tuple[str, ...]]:
    """Return the operation for a method and path, and the ids in the path."""
    for operation in ALL_OPERATIONS:
        found = operation.pattern.fullmatch(path)
        if found and operation.method == method:
            return operation, found.groups()
    text = f"Unrecognized request URL ({method}: {path})."
    raise ApiError(404, f"{text} This Stripe emulator may not implement it.")


def basic_auth_username(given: str) -> str:
    """Return the user name of a basic authentication header."""
    try:
        return base64.b64decode(given).decode().split(":", 1)[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
