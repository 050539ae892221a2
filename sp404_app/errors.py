"""All errors that are answered to clients: class, HTTP status, error code.

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
│   ├── Duplicate                    409  duplicate       the library already has this audio
│   └── ChangedMeanwhile             409  changed_meanwhile   the revision in If-Match is old
├── TooLarge                         413  too_large
├── ValidationFailed                 422  invalid         with messages per field
│   └── BadAudio                     422  bad_audio       not a readable audio file
├── PreconditionRequired             428  precondition_required   If-Match is missing
├── RateLimited                      429  rate_limited
├── QuotaExceeded                    429  <metric>_quota_exceeded
│   └── SubscriptionRestricted       402  subscription_restricted   a payment is missing
└── Unavailable                      503  unavailable
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class AppError(Exception):
    """An error with a message for the user."""

    status: ClassVar[int] = 400
    code: str = "bad_request"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details: dict[str, Any] = dict(details or {})


class Unauthenticated(AppError):
    """The request carries no valid session or token."""

    status, code = 401, "not_signed_in"
    page = ""  # of the tab that asked, to return to after the sign-in


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is wrong; the message does not say which."""

    code = "wrong_credentials"


class TwoFactorRequired(Unauthenticated):
    """The password is right and a code is needed; details carry the challenge only."""

    code = "two_factor_required"


class PaymentFailed(AppError):
    """The card was declined; nothing was changed. Details may carry `pay_url`."""

    status, code = 402, "payment_failed"


class Forbidden(AppError):
    """The user is signed in, but has no permission."""

    status, code = 403, "not_allowed"


class EmailNotVerified(Forbidden):
    """The account's e-mail address has not been confirmed."""

    code = "email_not_verified"


class ReauthenticationRequired(Forbidden):
    """A sensitive action needs a password confirmed within the last ten minutes."""

    code = "password_confirmation_required"


class InsufficientScope(Forbidden):
    """The personal access token lacks the scope for this request."""

    code = "missing_ability"


class NotFound(AppError):
    """The row does not exist or belongs to someone else."""

    status, code = 404, "not_found"


class Conflict(AppError):
    """The request conflicts with the current state."""

    status, code = 409, "conflict"


class Duplicate(Conflict):
    """The library already contains the same decoded audio; details name the sample."""

    code = "duplicate"


class ChangedMeanwhile(Conflict):
    """The caller saw an older revision; details carry the current `revision`."""

    code = "changed_meanwhile"


class TooLarge(AppError):
    """The body or file exceeds the size limit."""

    status, code = 413, "too_large"


class ValidationFailed(AppError):
    """A value is invalid; details map fields to lists of messages."""

    status, code = 422, "invalid"


class BadAudio(ValidationFailed):
    """The file is not audio that can be decoded."""

    code = "bad_audio"


class PreconditionRequired(AppError):
    """A request that changes a project must say which revision it saw, in `If-Match`."""

    status, code = 428, "precondition_required"


class RateLimited(AppError):
    """Too many attempts; details carry `retry_after` in seconds."""

    status, code = 429, "rate_limited"


class QuotaExceeded(AppError):
    """A quota of the plan is used up; details carry metric, used, limit, resets_at, upgrade_url."""

    status, code = 429, "quota_exceeded"

    def __init__(self, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message, details)
        self.code = f"{details['metric']}_quota_exceeded"


class SubscriptionRestricted(QuotaExceeded):
    """A payment has been missing for so long that nothing can be added until it is made."""

    status = 402

    def __init__(self, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message, details)
        self.code = "subscription_restricted"


class Unavailable(AppError):
    """A service that the request needs does not answer, or is overloaded."""

    status, code = 503, "unavailable"
