"""Dependencies of the public routes: count the visit, then find the link of the token."""

from typing import Annotated

from fastapi import Depends, Request

from sp404_app.api.deps import RequestClient
from sp404_app.db import in_transaction
from sp404_app.models import Share
from sp404_app.services.infra import share_rate_limits
from sp404_app.services.infra.client_info import Client
from sp404_app.services.sharing import share_visits
from sp404_app.services.sharing.share_visits import UnknownToken


async def open_page(request: Request, client: RequestClient, token: str) -> Share:
    """Return the link that a page belongs to, if the visitor may see it.

    Raises:
        NotFound: If there is no such link, or it has ended.
        PasswordNeeded: If the visitor has no valid ticket for its password.
        RateLimited: If the visitor's host sent too many requests or guesses.
    """
    return await _open(client, token, dict(request.cookies), media=False)


async def open_media(request: Request, client: RequestClient, token: str) -> Share:
    """Return the link that audio belongs to; as `open_page`, with a limit of its own."""
    return await _open(client, token, dict(request.cookies), media=True)


async def open_unasked(client: RequestClient, token: str) -> Share:
    """Return a link without asking for its password, for what shows nothing of its content."""
    return await _open(client, token, None, media=False)


async def _open(
    client: Client, token: str, tickets: dict[str, str] | None, *, media: bool
) -> Share:
    await share_rate_limits.count_visit(client.ip, media=media)
    try:
        return await in_transaction(share_visits.find_share, token, tickets)
    except UnknownToken:
        await share_rate_limits.count_unknown_token(client.ip)
        raise


PageShare = Annotated[Share, Depends(open_page)]
MediaShare = Annotated[Share, Depends(open_media)]
UnaskedShare = Annotated[Share, Depends(open_unasked)]
