"""Stripe's error objects (docs.stripe.com/api/errors).

ApiError
├── invalid_request(...)    400 invalid_request_error
├── resource_missing(...)   404 resource_missing
└── CardError               402 card_error; the failed attempt is committed
"""

from typing import Any

from stripe_emulator.objects import Object, public_copy


class ApiError(Exception):
    """An error response. With `commit`, the transaction is committed in spite of the error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        commit: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.commit = commit

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the response."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://docs.stripe.com/error-codes#{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


class CardError(ApiError):
    """A declined card. The failed attempt is recorded."""

    def __init__(self, message: str, code: str, decline_code: str | None = None) -> None:
        super().__init__(402, message, kind="card_error", code=code, commit=True)
        self.decline_code = decline_code
        self.charge: str | None = None
        self.intent: Object | None = None
        self.method: Object | None = None

    def body(self) -> dict[str, Any]:
        """Return the JSON body, with the charge and the payment intent."""
        body = super().body()
        error = body["error"]
        if self.decline_code:
            error["decline_code"] = self.decline_code
        if self.charge:
            error["charge"] = self.charge
        if self.intent:
            error["payment_intent"] = public_copy(self.intent)
        return body

    def payment_error(self) -> Object:
        """Return the value of `last_payment_error` of a payment intent."""
        return {
            "type": self.kind,
            "code": self.code,
            "decline_code": self.decline_code,
            "message": self.message,
            "charge": self.charge,
            "doc_url": f"https://docs.stripe.com/error-codes#{(self.code or '').replace('_', '-')}",
            "payment_method": public_copy(self.method) if self.method else None,
        }


def invalid_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return a 400 error."""
    return ApiError(400, message, code=code, param=param)


def resource_missing(kind: str, identifier: str, param: str = "id") -> ApiError:
    """Return a 404 error for an object that does not exist."""
    noun = kind.rsplit(".", 1)[-1].replace("_", " ")
    return ApiError(404, f"No such {noun}: '{identifier}'", code="resource_missing", param=param)
