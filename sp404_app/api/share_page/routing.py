"""Routes of the public links: errors of pages are pages, because a person sees them."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from sp404_app.api.share_page import other_pages
from sp404_app.errors import AppError
from sp404_app.services.sharing.share_visits import PasswordNeeded

PATH: Final = re.compile(r"/s/[^/]+")


class HeadRoute(APIRoute):
    """Answers HEAD wherever it answers GET: sites that show links ask so for type and size."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Create the route as FastAPI does, which leaves out HEAD."""
        super().__init__(*args, **options)
        methods = self.methods or set()
        self.methods = methods | {"HEAD"} if "GET" in methods else methods


class SharePageRoute(HeadRoute):
    """Answers errors with pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, inside of one that answers errors."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            is_embedded = request.url.path.endswith("/embed")
            try:
                return await handle(request)
            except PasswordNeeded:
                path = link_path(request)
                if is_embedded:
                    return other_pages.embedded_password_page(path)
                return other_pages.password_page(path)
            except AppError as error:
                return other_pages.error_page(error, is_embedded=is_embedded)

        return answer


def link_path(request: Request) -> str:
    """Return the path of the link that a request is about."""
    found = PATH.match(request.url.path)
    return found[0] if found else "/"
