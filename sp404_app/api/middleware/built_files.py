"""Cache headers of the built files, and the assets of former builds for tabs that are still open.

The name of an asset contains a hash of its content, so browsers may keep it forever. All other
files are checked again at each use: without a header, browsers and proxies would guess, and show
pages of a former build for hours.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from reflex.config import get_config
from reflex.utils.precompressed_staticfiles import PrecompressedStaticFiles
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.api.middleware import csp
from sp404_app.services.infra import former_assets

ASSETS = "/assets/"
ASSET_NAME = re.compile(r"[\w@$~+-][\w.@$~+-]*")
FOREVER = "public, max-age=31536000, immutable"
CHECK_AGAIN = "no-cache"
FILE_TYPES = ("text/html", "text/css", "text/javascript", "application/javascript", "image/")
EXPIRY_INTERVAL_S = 3600.0


def serve_built_files(app: ASGIApp) -> ASGIApp:
    """Add cache headers, and answer for assets that only a former bundle contains."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        if not is_read or scope["path"].startswith("/api/"):  # `security_headers` sets those
            await app(scope, receive, send)
            return

        is_asset = scope["path"].startswith(ASSETS)

        async def send_with_cache_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_cache_header(message, is_asset=is_asset)
            await send(message)

        name = scope["path"].removeprefix(ASSETS)
        if is_asset and _is_former(name):
            files = PrecompressedStaticFiles(
                directory=former_assets.folder(),
                encodings=get_config().frontend_compression_formats,
            )
            scope = {**scope, "path": f"/{name}", "root_path": ""}
            await files(scope, receive, send_with_cache_header)
        else:
            await app(scope, receive, send_with_cache_header)

    return served


@asynccontextmanager
async def expire_former_assets() -> AsyncIterator[None]:
    """Remove assets of former bundles after a day, while the server runs."""

    async def every_hour() -> None:
        while True:
            with suppress(OSError):
                await asyncio.to_thread(former_assets.remove_expired)
            await asyncio.sleep(EXPIRY_INTERVAL_S)

    task = asyncio.create_task(every_hour())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _is_former(name: str) -> bool:
    return (
        ASSET_NAME.fullmatch(name) is not None
        and not (csp.built_folder() / "assets" / name).is_file()
        and (former_assets.folder() / name).is_file()
    )


def _add_cache_header(message: Message, *, is_asset: bool) -> None:
    headers = MutableHeaders(scope=message)
    if "cache-control" in headers:
        return
    if is_asset and message["status"] in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
        headers["cache-control"] = FOREVER
    elif (
        is_asset
        or message["status"] == HTTPStatus.NOT_MODIFIED  # without a type
        or headers.get("content-type", "").startswith(FILE_TYPES)
    ):
        headers["cache-control"] = CHECK_AGAIN
