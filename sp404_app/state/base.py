"""Base of the states with private data: the user, session, locale and client of a tab."""

import uuid

import reflex as rx

from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import authentication
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing import currency
from sp404_app.services.infra.client_info import Client


class SessionState(rx.State):
    """Base of every state that shows private data; its methods read the websocket's handshake."""

    async def _user_id(self) -> uuid.UUID:
        """Return the id of the signed-in user, by the HttpOnly session cookie.

        Every handler that uses private data starts with this call: a redirect in `on_load`
        stops neither the handlers after it nor a forged event.

        Raises:
            Unauthenticated: If the cookie is missing, or its session is unknown or ended.
        """
        return (await self._signed_in()).user_id

    async def _signed_in(self) -> SignedIn:
        """Return the user and session of this tab.

        Raises:
            Unauthenticated: If the cookie is missing, or its session is unknown or ended.
        """
        try:
            return await authentication.authenticate_cookie(
                authentication.read_cookie(self.router.headers.cookie)
            )
        except Unauthenticated as error:
            url = self.router.url
            error.page = f"{url.path}?{url.query}" if url.query else url.path
            raise

    def _locale(self) -> str:
        """Return the locale for number formatting, from Accept-Language."""
        return currency.parse_accept_language(self.router.headers.accept_language)

    def _client(self) -> Client:
        """Return the IP address and user agent of this tab's websocket."""
        return Client(self.router.session.client_ip, self.router.headers.user_agent)
