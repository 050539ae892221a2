"""Rate limits per user, mailbox and client IP (fixed windows in Redis)."""

import hashlib
import ipaddress
import math
import uuid
from dataclasses import dataclass

import structlog

from sp404_app.errors import RateLimited, ValidationFailed
from sp404_app.services.infra import email_addresses, redis_counters
from sp404_app.services.infra.redis_counters import Count, RedisUnavailable
from sp404_app.settings import settings
from sp404_app.telemetry import metrics

MINUTE_S, DAY_S = 60, 86_400
MAX_FAILURES, FAILURES_WINDOW_S = 5, 300  # sign-ins to one account from one host
MAX_FAILURES_ALL_HOSTS = 25
QUERIES_BY_SOUND_PER_MINUTE = 30
MAX_EMAILS, EMAILS_WINDOW_S = 5, 600  # to one mailbox
MAX_REGISTRATIONS = MAX_RESENDS = 3  # per EMAILS_WINDOW_S and mailbox
MAX_TWO_FACTOR_CODES_PER_DAY = 50
MAX_REAUTHENTICATIONS_PER_MINUTE = 5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RateLimit:
    """State of a limit, sent in the `RateLimit-*` headers; `reset` is in seconds."""

    limit: int
    remaining: int
    reset: int


async def count_request(user_id: uuid.UUID, limit: int, *, media: bool) -> RateLimit | None:
    """Count one request of a user; media (audio, waveforms, uploads) have their own bucket.

    `limit` is the number of requests a minute that the user's plan allows in that bucket. While
    Redis is not available requests are not counted: refusing all of them would be worse than
    answering too many.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    try:
        used = await redis_counters.count(f"{'media' if media else 'general'}:{user_id}", MINUTE_S)
    except RedisUnavailable:
        log.warning("rate limit not counted", user_id=str(user_id))
        return None
    _ensure(used, limit)
    return RateLimit(limit, limit - used.value, math.ceil(used.seconds_left))


def exhausted_rate_limit(refusal: RateLimited) -> RateLimit:
    """Return the state of a limit from the error it raised."""
    return RateLimit(refusal.details["limit"], 0, refusal.details["retry_after"])


async def count_query_by_sound(user_id: uuid.UUID) -> RateLimit:
    """Count a search with an uploaded file: 30 a minute, also while Redis is not available.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    used = await count_strictly(f"hearing:{user_id}", QUERIES_BY_SOUND_PER_MINUTE, MINUTE_S)
    left = QUERIES_BY_SOUND_PER_MINUTE - used.value
    return RateLimit(QUERIES_BY_SOUND_PER_MINUTE, left, math.ceil(used.seconds_left))


async def count_sign_in(email: str, ip: str) -> None:
    """Count a sign-in attempt, before its password is verified.

    Limits: 5 failures in five minutes for one account from one host, 25 from all hosts, and 10
    attempts a minute from one host. All limits expire. The limit of 25 does not apply to hosts
    from which the account was signed in to before, so attackers cannot lock an owner out. While
    Redis is not available each process counts on its own: guessing is always limited.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    from_host, from_all = _failure_keys(email, ip)
    await count_strictly(f"sign-in:{host_of(ip)}", settings().sign_ins_per_minute, MINUTE_S)
    await count_strictly(from_host, MAX_FAILURES, FAILURES_WINDOW_S)
    if not await _is_known_host(email, ip):
        await count_strictly(from_all, MAX_FAILURES_ALL_HOSTS, FAILURES_WINDOW_S)


async def clear_sign_in_failures(email: str, ip: str) -> None:
    """Reset an account's failures after a successful sign-in; remember its host for 30 days."""
    await redis_counters.forget(*_failure_keys(email, ip))
    key = _known_host_key(email, ip)
    try:
        await redis_counters.redis_batcher().run("SET", key, "", "EX", 30 * DAY_S)
    except RedisUnavailable:
        return


async def _is_known_host(email: str, ip: str) -> bool:
    try:
        return bool(await redis_counters.redis_batcher().run("EXISTS", _known_host_key(email, ip)))
    except RedisUnavailable:
        return False


def _known_host_key(email: str, ip: str) -> str:
    return f"sp404:was-here:{_mailbox(email)}:{host_of(ip)}"


async def count_sign_up(ip: str) -> None:
    """Count a sign-up from a host: twice the limit of sign-ins.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"sign-up:{host_of(ip)}", 2 * settings().sign_ins_per_minute, MINUTE_S)


async def count_registration(email: str) -> None:
    """Count a sign-up with a mailbox: 3 in ten minutes from all hosts.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"register:{_mailbox(email)}", MAX_REGISTRATIONS, EMAILS_WINDOW_S)


async def count_resend(email: str, ip: str) -> None:
    """Count a request for a new confirmation link: 1 a minute and 3 in ten minutes per mailbox.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _count_emails_of_host("resend", ip)
    await count_strictly(f"resend-minute:{_mailbox(email)}", 1, MINUTE_S)
    await count_strictly(f"resend:{_mailbox(email)}", MAX_RESENDS, EMAILS_WINDOW_S)


async def count_password_reset_request(email: str, ip: str) -> None:
    """Count a request for a password reset link, whether or not the mailbox has an account.

    Limit: 5 in ten minutes per mailbox.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _count_emails_of_host("forgot", ip)
    await count_strictly(f"forgot:{_mailbox(email)}", MAX_EMAILS, EMAILS_WINDOW_S)


async def count_email_change(user_id: uuid.UUID, email: str, ip: str) -> None:
    """Count a request to change the e-mail address: 5 in ten minutes per user and per mailbox.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _count_emails_of_host("change-email", ip)
    await count_strictly(f"change-email:{user_id}", MAX_EMAILS, EMAILS_WINDOW_S)
    await count_strictly(f"change-email:{_mailbox(email)}", MAX_EMAILS, EMAILS_WINDOW_S)


async def _count_emails_of_host(kind: str, ip: str) -> None:
    await count_strictly(f"{kind}:{host_of(ip)}", 2 * settings().sign_ins_per_minute, MINUTE_S)


async def count_token_attempt(kind: str, ip: str) -> None:
    """Count a token presented by a host: 15 times the limit of sign-ins.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"{kind}:{host_of(ip)}", 15 * settings().sign_ins_per_minute, MINUTE_S)


async def count_two_factor_attempt(user_id: uuid.UUID) -> None:
    """Count a two-factor code: 5 in five minutes and 50 a day.

    Three of a million codes are valid at any time. With 50 guesses a day, one is found after 18
    years on average.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"second:{user_id}", MAX_FAILURES, FAILURES_WINDOW_S)
    await count_strictly(f"second-day:{user_id}", MAX_TWO_FACTOR_CODES_PER_DAY, DAY_S)


async def clear_two_factor_failures(user_id: uuid.UUID) -> None:
    """Reset a user's wrong codes after a correct one."""
    await redis_counters.forget(f"second:{user_id}", f"second-day:{user_id}")


async def count_reauthentication(user_id: uuid.UUID) -> None:
    """Count a signed-in user's attempt to confirm their password: 5 a minute.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"confirm:{user_id}", MAX_REAUTHENTICATIONS_PER_MINUTE, MINUTE_S)


async def count_strictly(key: str, limit: int, seconds: int) -> Count:
    """Count in Redis, or in this process while Redis is not available."""
    try:
        used = await redis_counters.count(key, seconds)
    except RedisUnavailable:
        used = redis_counters.count_in_process(key, seconds)
    _ensure(used, limit)
    return used


def _ensure(used: Count, limit: int) -> None:
    if used.value > limit:
        metrics.RATE_LIMITED.inc()
        wait = max(1, math.ceil(used.seconds_left))
        raise RateLimited(
            f"Too many attempts. Try again in {_duration(wait)}.",
            {"retry_after": wait, "limit": limit},
        )


def _duration(seconds: int) -> str:
    if seconds < 2 * MINUTE_S:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{math.ceil(seconds / MINUTE_S)} minutes"


def _failure_keys(email: str, ip: str) -> tuple[str, str]:
    return f"failed:{_mailbox(email)}:{host_of(ip)}", f"failed:{_mailbox(email)}"


def _mailbox(email: str) -> str:
    """Return a key of bounded length for a mailbox, equal for all spellings of its address.

    Addresses are normalised as in the lookup of accounts.
    """
    try:
        address = email_addresses.canonical_address(email)
    except ValidationFailed:  # no account can have it
        address = email.strip().casefold()
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def host_of(ip: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 address, which one customer owns."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)
