"""Rate limits of public links: by the visitor's host, and by link where guessing would help."""

import uuid
from typing import Final

from sp404_app.errors import RateLimited
from sp404_app.services.infra import redis_counters
from sp404_app.services.infra.rate_limits import (
    DAY_S,
    FAILURES_WINDOW_S,
    MINUTE_S,
    count_strictly,
    host_of,
)

PAGES_PER_MINUTE: Final = 300  # from one host, which may be a school
MEDIA_PER_MINUTE: Final = 3000  # a project has up to 160 pads, each read in ranges
UNKNOWN_TOKENS_PER_MINUTE: Final = 30
PASSWORDS_PER_HOST: Final = 10  # to one link, in FAILURES_WINDOW_S
PASSWORDS_OF_ALL_HOSTS: Final = 100
REPORTS_PER_HOST: Final = 5  # in FAILURES_WINDOW_S
REPORTS_PER_LINK_AND_DAY: Final = 20
SAVES_PER_MINUTE: Final = 60
PLAYS_PER_MINUTE: Final = 120
DOWNLOADS_PER_MINUTE: Final = 120


async def count_visit(ip: str, *, media: bool) -> None:
    """Count a request for a link, before the link is looked up.

    Raises:
        RateLimited: If the host sent too many requests, or tried too many unknown tokens. The
            second is checked first, so that a right token among many guesses is refused, too.
    """
    if await redis_counters.peek(_unknown_key(ip)) > UNKNOWN_TOKENS_PER_MINUTE:
        message = "Too many links that don't exist. Try again in a minute."
        raise RateLimited(message, {"limit": UNKNOWN_TOKENS_PER_MINUTE, "retry_after": MINUTE_S})
    kind, limit = ("media", MEDIA_PER_MINUTE) if media else ("page", PAGES_PER_MINUTE)
    await count_strictly(f"share-{kind}:{host_of(ip)}", limit, MINUTE_S)


async def count_unknown_token(ip: str) -> None:
    """Count a token that never existed: 30 a minute from one host.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(_unknown_key(ip), UNKNOWN_TOKENS_PER_MINUTE, MINUTE_S)


async def count_password(share_id: uuid.UUID, ip: str) -> None:
    """Count a password for a link, before it is verified: 10 in five minutes from one host.

    From all hosts together 100 in five minutes: a password of eight random letters and digits is
    found after thousands of years on average.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(
        f"share-password:{share_id}:{host_of(ip)}", PASSWORDS_PER_HOST, FAILURES_WINDOW_S
    )
    await count_strictly(f"share-password:{share_id}", PASSWORDS_OF_ALL_HOSTS, FAILURES_WINDOW_S)


async def count_report(share_id: uuid.UUID, ip: str) -> None:
    """Count a report of abuse: 5 in five minutes from one host, 20 a day for one link.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"share-report:{host_of(ip)}", REPORTS_PER_HOST, FAILURES_WINDOW_S)
    await count_strictly(f"share-report:{share_id}", REPORTS_PER_LINK_AND_DAY, DAY_S)


async def count_play(ip: str) -> None:
    """Count a play that a page reports.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"share-play:{host_of(ip)}", PLAYS_PER_MINUTE, MINUTE_S)


async def count_download(ip: str) -> None:
    """Count a download.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"share-download:{host_of(ip)}", DOWNLOADS_PER_MINUTE, MINUTE_S)


async def count_save(user_id: uuid.UUID) -> None:
    """Count a request to save sounds of a link to one's library.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    await count_strictly(f"share-save:{user_id}", SAVES_PER_MINUTE, MINUTE_S)


def _unknown_key(ip: str) -> str:
    return f"share-unknown:{host_of(ip)}"
