"""/s/{token}/…: audio and the picture of a link, and the scripts of its page.

Every answer must be asked for again (`no-cache`), so that nothing plays from a cache once the link
was revoked.
"""

from typing import Final

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from sp404_app.api.deps import RequestClient
from sp404_app.api.middleware.csrf import ensure_same_origin
from sp404_app.api.routes.media import range_response
from sp404_app.api.share_access import MediaShare, UnaskedShare
from sp404_app.api.share_page import share_scripts
from sp404_app.api.share_page.routing import HeadRoute
from sp404_app.db import in_transaction, transaction
from sp404_app.errors import BadAudio, NotFound
from sp404_app.models import Share
from sp404_app.services.infra import render_files, share_rate_limits
from sp404_app.services.projects import renders
from sp404_app.services.sample import previews
from sp404_app.services.sharing import share_counts, share_picture, shared_content

router = APIRouter(prefix="/s", include_in_schema=False, route_class=HeadRoute)

ASK: Final = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
NO_STORE: Final = {"Cache-Control": "no-store"}
FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
RETRY_S: Final = "1"
MAX_ENCODERS: Final = 2  # at a time in this web process
encoder_limiter: RunVar[CapacityLimiter] = RunVar("share_preview_encoders")


@router.get("/scripts/{version}/{name}")
def get_script(request: Request, version: str, name: str) -> Response:
    """Return a script of the page; with `?url` a module that exports the script's address."""
    text = share_scripts.read_script(version, name, as_address="url" in request.query_params)
    return Response(text, media_type="text/javascript", headers=FOREVER)


@router.get("/{token}/audio/{number}")
async def get_preview(request: Request, share: MediaShare, number: int, v: str = "") -> Response:
    """Stream the Ogg preview of a sound, never its original; `v` is the sound's version."""
    answer = await run_in_threadpool(_send_preview, request, share, number, v)
    if answer is None:
        await _encode_preview(share, number, v)
        answer = await run_in_threadpool(_send_preview, request, share, number, v)
    if answer is None:
        raise NotFound("This sound has changed. Reload the page.")
    return answer


@router.get("/{token}/pads/{bank}/{pad}/audio")
def get_pad_audio(request: Request, share: MediaShare, bank: str, pad: int) -> Response:
    """Return the audio of a pad as 16-bit WAV; 202 while it is rendered."""
    with transaction() as session:
        status = shared_content.find_pad_render(session, share, bank, pad)
    if status.error:
        raise BadAudio(status.error)
    if not status.is_ready:
        return _come_back()
    headers = ASK | {"ETag": f'"{status.key}"'}
    try:
        file_key = render_files.render_file_key(share.user_id, status.key)
        return range_response(request, file_key, "audio/wav", headers)
    except NotFound:  # somebody emptied the cache: the next request renders it again
        with transaction() as session:
            renders.forget_render(session, share.user_id, status.key)
        return _come_back()


@router.post("/{token}/plays", status_code=204)
async def post_play(request: Request, client: RequestClient, share: MediaShare) -> Response:
    """Count a play, as the page reports it."""
    ensure_same_origin(request)
    await share_rate_limits.count_play(client.ip)
    await share_counts.count(share.id, share_counts.PLAYS)
    return Response(status_code=204)


@router.get("/{token}/picture.png")
async def get_picture(request: Request, share: UnaskedShare) -> Response:
    """Return the Open Graph picture; one of a link with a password shows nothing of its content."""
    content = share_picture.PROTECTED
    if not share.password_hash:
        content = await in_transaction(shared_content.load_content, share)
    etag = f'"{share_picture.picture_version(content)}"'
    headers = ASK | {"ETag": etag, "Cross-Origin-Resource-Policy": "cross-origin"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    drawn = await run_in_threadpool(share_picture.get_picture, share.user_id, share.id, content)
    return Response(drawn, media_type="image/png", headers=headers)


def _send_preview(request: Request, share: Share, number: int, version: str) -> Response | None:
    """Return the answer with the preview of a sound; None if it has none yet."""
    with transaction() as session:
        sample = shared_content.find_sound(session, share, number, version)
    if not sample.preview_key:
        return None
    headers = ASK | {"ETag": f'"{shared_content.version_of(sample)}-preview"'}
    return range_response(request, sample.preview_key, "audio/ogg", headers)


async def _encode_preview(share: Share, number: int, version: str) -> None:
    """Make the preview of a sound; requests that wait occupy neither thread nor connection."""
    try:
        limiter = encoder_limiter.get()
    except LookupError:
        limiter = CapacityLimiter(MAX_ENCODERS)
        encoder_limiter.set(limiter)
    await to_thread.run_sync(_ensure_preview, share, number, version, limiter=limiter)


def _ensure_preview(share: Share, number: int, version: str) -> None:
    with transaction() as session:
        sample = shared_content.find_sound(session, share, number, version)
        previews.ensure_preview(session, sample)


def _come_back() -> Response:
    return Response(status_code=202, headers=NO_STORE | {"Retry-After": RETRY_S})
