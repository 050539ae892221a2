"""Cost of authentication: from a token or cookie to a valid session, including revocation.

    .venv/bin/python bench/auth.py

The goal is a 95th percentile below 1 ms of server time.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

from services import connected_services, percentile

from sp404_app.db import transaction
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.auth import access_tokens, authentication, sessions
from sp404_app.services.infra import rate_limits
from sp404_app.services.infra.client_info import Client

ROUNDS = 2000
WHERE = Client("127.0.0.1", "bench")


def main() -> None:
    """Measure with one user, who is deleted at the end."""
    with connected_services():
        user = User(
            email=f"{uuid.uuid4().hex}@bench.invalid",
            password_hash="x",  # noqa: S106 - opens nothing
            email_verified_at=now(),
        )
        with transaction() as session:
            session.add(user)
            session.flush()
            token = access_tokens.start_token_family(session, user.id, WHERE).token
            cookie = sessions.start_browser_session(session, user.id, WHERE)
        try:
            asyncio.run(_measure(user.id, token, cookie))
        finally:
            with transaction() as session:
                session.delete(session.get_one(User, user.id))


async def _measure(user_id: uuid.UUID, token: str, cookie: str) -> None:
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "access token": lambda: authentication.authenticate_token(token),
        "browser's cookie": lambda: authentication.authenticate_cookie(cookie),
        "rate limit, with the plan": lambda: rate_limits.count_request(user_id, 6000, media=True),
    }
    for name, step in steps.items():
        await step()
        times, worked = [], time.process_time()
        for _ in range(ROUNDS):
            started = time.perf_counter()
            await step()
            times.append(time.perf_counter() - started)
        p50, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
        work = 1000 * (time.process_time() - worked) / ROUNDS
        print(
            f"{name:28} work {work:.2f} ms   p50 {p50:.2f} ms   p95 {p95:.2f} ms   p99 {p99:.2f} ms"
        )


if __name__ == "__main__":
    main()
