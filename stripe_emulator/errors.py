"""Stripe's error objects (docs.stripe.com/api/errors).

Problem
├── invalid(...)        400 invalid_request_error
├── missing(...)        404 resource_missing
└── CardProblem         402 card_error; what the attempt left behind stays
"""

from typing import Any

from stripe_emulator.objects import Object, public


class Problem(Exception):
    """An answer that is an error; `keeps` tells whether what happened until then stays."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keeps: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.keeps = keeps

    def body(self) -> dict[str, Any]:
        """Return the JSON that Stripe answers."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://docs.stripe.com/error-codes#{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


class CardProblem(Problem):
    """A card was refused; the attempt itself is recorded."""

    def __init__(self, message: str, code: str, decline_code: str | None = None) -> None:
        super().__init__(402, message, kind="card_error", code=code, keeps=True)
        self.decline_code = decline_code
        self.charge: str | None = None
        self.intent: Object | None = None
        self.method: Object | None = None

    def body(self) -> dict[str, Any]:
        """Return the JSON that Stripe answers, with the charge and the payment intent."""
        body = super().body()
        error = body["error"]
        if self.decline_code:
            error["decline_code"] = self.decline_code
        if self.charge:
            error["charge"] = self.charge
        if self.intent:
            error["payment_intent"] = public(self.intent)
        return body

    def payment_error(self) -> Object:
        """Return what a payment intent keeps as `last_payment_error`."""
        return {
            "type": self.kind,
            "code": self.code,
            "decline_code": self.decline_code,
            "message": self.message,
            "charge": self.charge,
            "doc_url": f"https://docs.stripe.com/error-codes#{(self.code or '').replace('_', '-')}",
            "payment_method": public(self.method) if self.method else None,
        }


def invalid(message: str, param: str | None = None, code: str | None = None) -> Problem:
    """Return the refusal of a request that cannot be meant."""
    return Problem(400, message, code=code, param=param)


def missing(kind: str, identifier: str, param: str = "id") -> Problem:
    """Return the refusal for an object that does not exist."""
    noun = kind.rsplit(".", 1)[-1].replace("_", " ")
    return Problem(404, f"No such {noun}: '{identifier}'", code="resource_missing", param=param)
