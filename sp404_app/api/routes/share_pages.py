"""/s/{token}: the public page of a link, its embedded form, and the forms of its visitors."""

import asyncio
import re
import uuid
from functools import lru_cache
from threading import Lock
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from cachetools import TTLCache
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sp404_app.api.cookies import set_cookie
from sp404_app.api.deps import RequestClient
from sp404_app.api.middleware.csrf import ensure_same_origin
from sp404_app.api.share_access import PageShare, UnaskedShare
from sp404_app.api.share_page import link_page, other_pages
from sp404_app.api.share_page.link_page import Link
from sp404_app.api.share_page.markup import Html
from sp404_app.api.share_page.routing import SharePageRoute, link_path
from sp404_app.db import in_transaction
from sp404_app.errors import AppError, Unauthenticated
from sp404_app.models import Share, ShareDownload
from sp404_app.services.auth import authentication, redirects, sessions
from sp404_app.services.infra import share_rate_limits
from sp404_app.services.plans import plans_url
from sp404_app.services.sharing import (
    share_reports,
    share_saving,
    share_tokens,
    share_visits,
    shared_content,
)
from sp404_app.services.sharing.share_saving import SavedSounds
from sp404_app.services.sharing.share_visits import WrongPassword
from sp404_app.services.sharing.shared_content import SharedContent

RETURN_TTL_S: Final = 3600  # for a sign-up, whose email may take a while
CONTENT_TTL_S: Final = 5  # names may be this old; whether the link still works never is
MAX_CACHED: Final = 200


router = APIRouter(prefix="/s/{token}", include_in_schema=False, route_class=SharePageRoute)


@router.get("")
async def get_page(request: Request, share: PageShare) -> Response:
    """Return the page of a link."""
    link = await _load_link(request, share)
    return await asyncio.to_thread(link_page.link_page, link, _notice_of(request))


@router.get("/embed")
async def get_embedded(request: Request, share: PageShare) -> Response:
    """Return the page that other sites show in a frame."""
    link = await _load_link(request, share)
    return await asyncio.to_thread(link_page.embedded_page, link)


@router.get("/oembed")
async def get_oembed(request: Request, share: PageShare) -> Response:
    """Return the oEmbed description."""
    link = await _load_link(request, share)
    return JSONResponse(link_page.oembed(link), headers={"Cache-Control": "no-store"})


@router.post("/password")
async def post_password(
    request: Request,
    client: RequestClient,
    share: UnaskedShare,
    password: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Check the password of a link; a right one opens it for 12 hours in this browser."""
    ensure_same_origin(request)
    path = link_path(request)
    if not share.password_hash:
        return RedirectResponse(path, 303)
    try:
        ticket = await share_visits.check_password(share, password, client.ip)
    except WrongPassword as error:
        return other_pages.password_page(path, str(error), error.status)
    answer = RedirectResponse(path, 303, {"Cache-Control": "no-store"})
    set_cookie(
        answer, share_tokens.cookie_name(share.id), ticket, share_tokens.TICKET_LIFETIME_S, path
    )
    return answer


@router.get("/report")
async def get_report_form(request: Request, _: UnaskedShare) -> HTMLResponse:
    """Return the form to report a link."""
    return other_pages.report_page(link_path(request))


@router.post("/report")
async def post_report(
    request: Request,
    client: RequestClient,
    share: UnaskedShare,
    reason: Annotated[str, Form(max_length=100)] = "",
    note: Annotated[str, Form(max_length=20_000)] = "",
) -> HTMLResponse:
    """Send a report of abuse to the operator."""
    ensure_same_origin(request)
    await share_rate_limits.count_report(share.id, client.ip)
    try:
        await in_transaction(share_reports.add_report, share, reason, note)
    except AppError as error:
        return other_pages.report_page(link_path(request), str(error), error.status)
    return other_pages.reported_page(link_path(request))


@router.post("/save")
async def post_save_all(request: Request, share: PageShare) -> Response:
    """Save all sounds of a link to the visitor's library, and its project to the projects."""
    return await _save(request, share)


@router.post("/save/{number}")
async def post_save(request: Request, share: PageShare, number: int, v: str = "") -> Response:
    """Save one sound of a link to the visitor's library; `v` is the sound's version."""
    return await _save(request, share, number, v)


async def _save(
    request: Request, share: Share, number: int | None = None, version: str = ""
) -> Response:
    """Save all sounds or one; the result comes back as parameters of the link's page."""
    ensure_same_origin(request)
    path = link_path(request)
    cookie = authentication.read_cookie(request.headers.get("cookie", ""))
    try:
        user_id = (await authentication.authenticate_cookie(cookie)).user_id
    except Unauthenticated:
        query = urlencode({"next": path})
        answer = RedirectResponse(f"{redirects.LOGIN_PATH}?{query}", 303)
        # A visitor without an account creates one first, which takes other pages and an email.
        set_cookie(answer, sessions.return_cookie_name(), path, RETURN_TTL_S)
        return answer
    await share_rate_limits.count_save(user_id)
    sources = await in_transaction(share_saving.list_sources, share, number, version)
    saved = SavedSounds()
    for source in sources:
        if not share_saving.add_result(saved, source, await _save_one(user_id, share, source)):
            break
    if share.project_id and not saved.problem_code:
        await _save_project(user_id, share, saved)
    return RedirectResponse(f"{path}?{urlencode(_result(saved, len(sources)))}", 303)


async def _save_project(user_id: uuid.UUID, share: Share, saved: SavedSounds) -> None:
    try:
        saved.project_id = await in_transaction(
            share_saving.save_project, user_id, share, saved.copies
        )
    except AppError as error:
        share_saving.add_problem(saved, error)


async def _save_one(user_id: uuid.UUID, share: Share, source_id: uuid.UUID) -> uuid.UUID | AppError:
    try:
        return await in_transaction(share_saving.save_sound, user_id, share, source_id)
    except AppError as error:
        return error


def _result(saved: SavedSounds, wanted: int) -> dict[str, str]:
    result = {"saved": str(len(saved.ids)), "duplicates": str(saved.duplicates)}
    if wanted == 1 and saved.ids:
        result["sample"] = str(saved.ids[0])
    if saved.project_id:
        result["project"] = str(saved.project_id)
    return result | ({"problem": saved.problem_code} if saved.problem_code else {})


def _notice_of(request: Request) -> Html | None:
    """Return the result of saving, which a redirect put into the address, as a message."""
    query = request.query_params
    saved, duplicates = _number(query.get("saved", "")), _number(query.get("duplicates", ""))
    problem = share_saving.problem_text(query.get("problem", ""))
    if problem:
        url = plans_url()
        href, words = (url, "See plans") if url else ("/library", "Open library")
        return other_pages.notice(problem, is_error=True, href=href, words=words)
    project = query.get("project", "")
    if saved == 0 and duplicates == 0 and not _is_id(project):
        return None
    parts = [_count(saved, "saved to your library")] if saved else []
    parts += [_count(duplicates, "already in your library")] if duplicates else []
    sample = query.get("sample", "")
    target = f"/samples/{sample}" if _is_id(sample) else "/library"
    if _is_id(project):
        parts, target = ["Saved to your projects", *parts], f"/projects/{project}"
    return other_pages.notice(f"{'; '.join(parts)}.", href=target, words="Open")


def _count(number: int, what: str) -> str:
    return f"{number} sound{'' if number == 1 else 's'} {what}"


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


async def _load_link(request: Request, share: Share) -> Link:
    """Return what the page shows; of links that are opened often, read every five seconds."""
    key = (share.id, share.updated_at)
    cache, lock = _content_cache()
    with lock:
        content: SharedContent | None = cache.get(key)
    if content is None:
        content = await in_transaction(shared_content.load_content, share)
        with lock:
            cache[key] = content
    is_indexed = share.allow_indexing and not share.password_hash
    return Link(link_path(request), content, ShareDownload(share.allow_download), is_indexed)


@lru_cache
def _content_cache() -> tuple[TTLCache[Any, Any], Lock]:
    return TTLCache(MAX_CACHED, CONTENT_TTL_S), Lock()
