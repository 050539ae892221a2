"""One request from bytes to bytes: key, parameters, idempotency, operation, expansion."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe

from stripe_emulator import expansion, form_encoding, idempotency, limits, parameters
from stripe_emulator.errors import Problem
from stripe_emulator.objects import Object, new_id, public
from stripe_emulator.operation import Call, Operation
from stripe_emulator.operations import ALL
from stripe_emulator.store import Store
from stripe_emulator.transaction import Ledger, Setup


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived."""

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: Object
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """The JSON half of the emulator."""

    def __init__(self, store: Store, setup: Setup, api_key: str) -> None:
        self.store = store
        self.setup = setup
        self.api_key = api_key

    def answer(self, request: Request) -> Answer:
        """Answer a request; errors are answers too."""
        name = new_id("req", 14)
        try:
            self.authenticate(request.headers.get("authorization", ""))
            made = self.run(request, name)
        except Problem as problem:
            made = Answer(problem.status, problem.body())
        made.headers["Request-Id"] = name
        made.headers["Stripe-Version"] = request.headers.get("stripe-version", stripe.api_version)
        if key := request.headers.get("idempotency-key"):
            made.headers["Idempotency-Key"] = key
        return made

    def authenticate(self, header: str) -> None:
        """Ask for the key, as bearer token or as the name of basic authentication.

        Raises:
            Problem: 401.
        """
        scheme, _, given = header.partition(" ")
        if scheme.lower() == "basic":
            given = basic_name(given)
        if not given:
            text = (
                "You did not provide an API key. You need to provide your API key in the"
                " Authorization header, using Bearer auth (e.g. 'Authorization: Bearer"
                " YOUR_SECRET_KEY')."
            )
            raise Problem(401, text)
        if not hmac.compare_digest(given.encode(), self.api_key.encode()):
            raise Problem(401, f"Invalid API Key provided: {given[:8]}****", code="api_key_invalid")

    def run(self, request: Request, name: str) -> Answer:
        """Read the parameters and run the operation in one transaction."""
        operation, ids = find(request.method, request.path)
        try:
            text = request.query if request.method != "POST" else request.body.decode()
            given = form_encoding.decode(text)
        except ValueError as error:
            raise Problem(400, "Invalid request body.") from error
        params = parameters.read(operation.params, given)
        operation.check(params)
        limits.check(params)
        call = Call(ids, params)
        if operation.method == "GET":
            with self.store.reading() as connection:
                ledger = Ledger(connection, self.setup)
                return Answer(200, perform(ledger, operation, call))
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        return self.write(request, operation, call, name, key)

    def write(
        self, request: Request, operation: Operation, call: Call, name: str, key: str | None
    ) -> Answer:
        """Run an operation that changes something, once for each idempotency key."""
        mark = idempotency.fingerprint(request.method, request.path, call.params)
        with self.store.writing() as connection:
            ledger = Ledger(connection, self.setup)
            ledger.request = {"id": name, "idempotency_key": key}
            if key and (kept := idempotency.recall(ledger, key, mark)):
                headers = {"Idempotent-Replayed": "true", "Original-Request": kept[2]}
                return Answer(kept[0], kept[1], headers)
            made = attempt(ledger, operation, call)
            if key:
                idempotency.remember(ledger, key, mark, made.status, made.body)
            return made


def attempt(ledger: Ledger, operation: Operation, call: Call) -> Answer:
    """Run an operation; a refusal that keeps what happened becomes an answer."""
    try:
        return Answer(200, perform(ledger, operation, call))
    except Problem as problem:
        if not problem.keeps:
            raise
        return Answer(problem.status, problem.body())


def perform(ledger: Ledger, operation: Operation, call: Call) -> Object:
    """Run an operation, and expand what the request wants to see."""
    wanted: list[Any] = call.params.get("expand", [])
    return public(expansion.expand(ledger, operation.run(ledger, call), wanted))


def find(method: str, path: str) -> tuple[Operation, tuple[str, ...]]:
    """Return the operation at an address."""
    for operation in ALL:
        found = operation.pattern.fullmatch(path)
        if found and operation.method == method:
            return operation, found.groups()
    text = f"Unrecognized request URL ({method}: {path})."
    raise Problem(404, f"{text} This emulator of Stripe may not implement it.")


def basic_name(given: str) -> str:
    """Return the user name of basic authentication."""
    try:
        return base64.b64decode(given).decode().split(":", 1)[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
