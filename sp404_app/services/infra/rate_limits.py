"""Rate limits: how often a person, an address or a host may ask."""

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

MINUTE, DAY = 60, 86_400
FAILURES, FAILURES_WINDOW = 5, 300
FAILURES_EVERYWHERE = 25
HEARD_PER_MINUTE = 30
MAILS, MAILS_WINDOW = 5, 600
REGISTRATIONS = RESENDS = 3  # in a window of mails, for one mailbox

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of a limit; answers carry it as `RateLimit-*` headers."""

    limit: int
    remaining: int
    reset: int


async def count_request(user_id: uuid.UUID, limit: int, *, media: bool) -> RateLimit | None:
    """Count one request of a person; media (audio, waveforms, uploads) have their own bucket.

    `limit` is how many requests a minute the person's plan allows in that bucket.

    While Redis is away nobody is counted: a library that does not answer at all would hurt
    more than one that answers somebody too often for a while.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    try:
        used = await redis_counters.count(f"{'media' if media else 'general'}:{user_id}", MINUTE)
    except RedisUnavailable:
        log.warning("rate limit not counted", user_id=str(user_id))
        return None
    _ensure(used, limit)
    return RateLimit(limit, limit - used.value, math.ceil(used.seconds_left))


def exhausted(refusal: RateLimited) -> RateLimit:
    """Return the allowance of somebody whose request was one too many."""
    return RateLimit(refusal.details["limit"], 0, refusal.details["retry_after"])


async def count_query_by_sound(user_id: uuid.UUID) -> RateLimit:
    """Count a file of a person's that is heard and not kept: thirty a minute, Redis or not.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    used = await _strict(f"hearing:{user_id}", HEARD_PER_MINUTE, MINUTE)
    left = HEARD_PER_MINUTE - used.value
    return RateLimit(HEARD_PER_MINUTE, left, math.ceil(used.seconds_left))


async def count_sign_in(email: str, ip: str) -> None:
    """Count an attempt to sign in before its password is looked at.

    Five failures in five minutes for an address from one host, 25 from all hosts, and ten
    attempts a minute from one host. All end by themselves, and the 25 do not count where the
    address was signed in to before: strangers cannot keep an owner out of their account.
    While Redis is away each process counts for itself: guessing must never become free.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    from_host, from_all = _failures(email, ip)
    await _strict(f"sign-in:{_host(ip)}", settings().sign_ins_per_minute, MINUTE)
    await _strict(from_host, FAILURES, FAILURES_WINDOW)
    if not await _was_here(email, ip):
        await _strict(from_all, FAILURES_EVERYWHERE, FAILURES_WINDOW)


async def clear_sign_in_failures(email: str, ip: str) -> None:
    """Forget the failures of an address, for its owner knows the password; remember the host."""
    await redis_counters.forget(*_failures(email, ip))
    try:
        await redis_counters.redis_batcher().run("SET", _place(email, ip), "", "EX", 30 * DAY)
    except RedisUnavailable:
        return


async def _was_here(email: str, ip: str) -> bool:
    try:
        return bool(await redis_counters.redis_batcher().run("EXISTS", _place(email, ip)))
    except RedisUnavailable:
        return False


def _place(email: str, ip: str) -> str:
    return f"sp404:was-here:{_mailbox(email)}:{_host(ip)}"


async def count_sign_up(ip: str) -> None:
    """Count a registration of a host: twice as many as attempts to sign in.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _strict(f"sign-up:{_host(ip)}", 2 * settings().sign_ins_per_minute, MINUTE)


async def registration(email: str) -> None:
    """Count a registration of a mailbox: three in ten minutes, whoever asks.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _strict(f"register:{_mailbox(email)}", REGISTRATIONS, MAILS_WINDOW)


async def resend(email: str, ip: str) -> None:
    """Count a request for a new confirmation link: one a minute and three in ten for a mailbox.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _mails("resend", ip)
    await _strict(f"resend-minute:{_mailbox(email)}", 1, MINUTE)
    await _strict(f"resend:{_mailbox(email)}", RESENDS, MAILS_WINDOW)


async def forgotten(email: str, ip: str) -> None:
    """Count a request for a reset link, known address or not: five in ten minutes for a mailbox.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _mails("forgot", ip)
    await _strict(f"forgot:{_mailbox(email)}", MAILS, MAILS_WINDOW)


async def address_change(user_id: uuid.UUID, email: str, ip: str) -> None:
    """Count a request for another address: five in ten minutes for its person and its mailbox.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _mails("change-email", ip)
    await _strict(f"change-email:{user_id}", MAILS, MAILS_WINDOW)
    await _strict(f"change-email:{_mailbox(email)}", MAILS, MAILS_WINDOW)


async def _mails(kind: str, ip: str) -> None:
    await _strict(f"{kind}:{_host(ip)}", 2 * settings().sign_ins_per_minute, MINUTE)


async def count_token_attempt(kind: str, ip: str) -> None:
    """Count a token that a host presents: fifteen times as many as attempts to sign in.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _strict(f"{kind}:{_host(ip)}", 15 * settings().sign_ins_per_minute, MINUTE)


async def count_two_factor_attempt(user_id: uuid.UUID) -> None:
    """Count a code for the second step: five in five minutes, fifty in a day.

    With three codes good at any time, fifty guesses a day find one in 19 years.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _strict(f"second:{user_id}", FAILURES, FAILURES_WINDOW)
    await _strict(f"second-day:{user_id}", 50, DAY)


async def clear_two_factor_failures(user_id: uuid.UUID) -> None:
    """Forget the wrong codes of somebody who typed a right one."""
    await redis_counters.forget(f"second:{user_id}", f"second-day:{user_id}")


async def count_reauthentication(user_id: uuid.UUID) -> None:
    """Count an attempt of a signed-in person to prove their password: five a minute.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await _strict(f"confirm:{user_id}", 5, MINUTE)


async def _strict(key: str, limit: int, seconds: int) -> Count:
    try:
        used = await redis_counters.count(key, seconds)
    except RedisUnavailable:
        used = redis_counters.count_in_process(key, seconds)
    _ensure(used, limit)
    return used


def _ensure(used: Count, limit: int) -> None:
    if used.value > limit:
        wait = max(1, math.ceil(used.seconds_left))
        raise RateLimited(
            f"That was too often. Please wait {_words(wait)}.",
            {"retry_after": wait, "limit": limit},
        )


def _words(seconds: int) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{math.ceil(seconds / MINUTE)} minutes"


def _failures(email: str, ip: str) -> tuple[str, str]:
    return f"failed:{_mailbox(email)}:{_host(ip)}", f"failed:{_mailbox(email)}"


def _mailbox(email: str) -> str:
    """Return a key of bounded length for a mailbox, the same for every spelling of its address.

    An address is normalised as the lookup of accounts does it, so that both mean the same one.
    """
    try:
        address = email_addresses.canonical(email)
    except ValidationFailed:  # no account can have it
        address = email.strip().casefold()
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _host(ip: str) -> str:
    """Return who an IP address stands for: a person owns a whole /64 of IPv6."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)
