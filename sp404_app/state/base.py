"""Who this tab belongs to."""

import uuid

import reflex as rx

from sp404_app.services.auth import authentication
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing import currency
from sp404_app.services.infra.client_info import Client


class SessionState(rx.State):
    """Base of every state that shows private data."""

    async def _user_id(self) -> uuid.UUID:
        """Return the signed-in person, from the HttpOnly cookie of the websocket's handshake.

        Every handler that touches private data starts with this call: a redirect in `on_load`
        stops neither the handlers after it nor a forged event.

        Raises:
            Unauthenticated: If the cookie is missing, unknown or stale.
        """
        return (await self._signed_in()).user_id

    async def _signed_in(self) -> SignedIn:
        """Return the person and the sign-in this tab acts by.

        Raises:
            Unauthenticated: If the cookie is missing, unknown or stale.
        """
        return await authentication.of_cookie(authentication.cookie_in(self.router.headers.cookie))

    def _tongue(self) -> str:
        """Say in which language's way this browser likes its numbers."""
        return currency.language(self.router.headers.accept_language)

    def _client(self) -> Client:
        """Say where this tab's websocket comes from."""
        return Client(self.router.session.client_ip, self.router.headers.user_agent)
