"""Every error that a client can cause, in one tree: class, HTTP status, error code.

AppError                             400  bad_request
├── Unauthenticated                  401  not_signed_in
│   ├── WrongCredentials             401  wrong_credentials
│   └── TwoFactorRequired            401  two_factor_required   details carry the challenge
├── PaymentFailed                    402  payment_failed
├── Forbidden                        403  not_allowed
│   ├── EmailNotVerified             403  email_not_verified
│   ├── ReauthenticationRequired     403  password_confirmation_required
│   └── InsufficientScope            403  missing_ability
├── NotFound                         404  not_found       missing, or another user's
├── Conflict                         409  conflict
│   └── Duplicate                    409  duplicate       the library has this sound already
├── TooLarge                         413  too_large
├── ValidationFailed                 422  invalid         with messages per field
│   └── BadAudio                     422  bad_audio       not a readable audio file
├── RateLimited                      429  rate_limited
├── QuotaExceeded                    429  <metric>_quota_exceeded
│   └── SubscriptionRestricted       402  subscription_restricted   a payment is missing
└── Unavailable                      503  unavailable
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class AppError(Exception):
    """An error whose message may be shown to the person who caused it."""

    status: ClassVar[int] = 400
    code: str = "bad_request"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details: dict[str, Any] = dict(details or {})


class Unauthenticated(AppError):
    """The request carries no valid session or token."""

    status, code = 401, "not_signed_in"


class WrongCredentials(Unauthenticated):
    """The address or the password is wrong; we do not say which."""

    code = "wrong_credentials"


class TwoFactorRequired(Unauthenticated):
    """The password is right; details carry a challenge for the second step, and nothing else."""

    code = "two_factor_required"


class PaymentFailed(AppError):
    """The card was declined; nothing was changed. Details may carry `pay_url`."""

    status, code = 402, "payment_failed"


class Forbidden(AppError):
    """We know who asks, and they may not."""

    status, code = 403, "not_allowed"


class EmailNotVerified(Forbidden):
    """The account's address has not been confirmed yet."""

    code = "email_not_verified"


class ReauthenticationRequired(Forbidden):
    """This matters, and the password was not proved in the last ten minutes."""

    code = "password_confirmation_required"


class InsufficientScope(Forbidden):
    """The personal access token was not made for this."""

    code = "missing_ability"


class NotFound(AppError):
    """The row does not exist or belongs to someone else."""

    status, code = 404, "not_found"


class Conflict(AppError):
    """The request does not fit what is there."""

    status, code = 409, "conflict"


class Duplicate(Conflict):
    """The library holds the same decoded audio already; details name the sample."""

    code = "duplicate"


class TooLarge(AppError):
    """The body or file is larger than we take."""

    status, code = 413, "too_large"


class ValidationFailed(AppError):
    """A value is not acceptable; details map fields to lists of messages."""

    status, code = 422, "invalid"


class BadAudio(ValidationFailed):
    """The bytes are not audio we can decode."""

    code = "bad_audio"


class RateLimited(AppError):
    """Too many attempts; details carry `retry_after` in seconds."""

    status, code = 429, "rate_limited"


class QuotaExceeded(AppError):
    """The plan allows no more; details carry metric, used, limit, resets_at, upgrade_url."""

    status, code = 429, "quota_exceeded"

    def __init__(self, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message, details)
        self.code = f"{details['metric']}_quota_exceeded"


class SubscriptionRestricted(QuotaExceeded):
    """A payment is missing for so long that nothing can be added until it is made."""

    status = 402

    def __init__(self, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message, details)
        self.code = "subscription_restricted"


class Unavailable(AppError):
    """A part we need does not answer."""

    status, code = 503, "unavailable"
