"""/s/{token}/download: the files that visitors of a link may download."""

import uuid
from dataclasses import replace
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlmodel import Session

from sp404_app.api.attachment import attachment
from sp404_app.api.deps import RequestClient
from sp404_app.api.routes.media import media_type_of, range_response
from sp404_app.api.share_access import MediaShare
from sp404_app.api.share_page import other_pages
from sp404_app.api.share_page.routing import SharePageRoute, link_path
from sp404_app.db import in_transaction
from sp404_app.errors import Forbidden
from sp404_app.models import JobStatus, ProcessingJob, Share, ShareDownload
from sp404_app.services.cards import conversions, exports
from sp404_app.services.cards.conversions import StoredFile
from sp404_app.services.cards.download_formats import FORMATS, DownloadFormat
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.cards.name_template import NAME_ONLY
from sp404_app.services.collections import collections
from sp404_app.services.infra import share_rate_limits
from sp404_app.services.infra.zip_names import with_extension
from sp404_app.services.projects import history
from sp404_app.services.sharing import failed_files, share_counts, shared_content

ASK: Final = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
# The formats of a collection's archive, by what its link allows.
ARCHIVES: Final = {
    ShareDownload.ORIGINAL: (DownloadFormat.WAV,),
    ShareDownload.SP404: (DownloadFormat.MK2, DownloadFormat.SX),
}
NOT_ALLOWED = "The owner of this link doesn't allow this download."
NOT_AVAILABLE = "A sound of this project was taken down, so it can't be downloaded."

router = APIRouter(prefix="/s", include_in_schema=False, route_class=SharePageRoute)


@router.get("/{token}/download/{number}")
async def download_sound(
    request: Request,
    client: RequestClient,
    share: MediaShare,
    number: int,
    wanted: Annotated[DownloadFormat | None, Query(alias="as")] = None,
    v: str = "",
) -> Response:
    """Download a sound: the original, or with `as` for a device, as the link allows."""
    await share_rate_limits.count_download(client.ip)
    found = await in_transaction(_find_download, share, number, v, wanted)
    return await _send(request, share, found)


@router.get("/{token}/download")
async def download_all(
    request: Request,
    client: RequestClient,
    share: MediaShare,
    wanted: Annotated[DownloadFormat | None, Query(alias="as")] = None,
) -> Response:
    """Download a project for its device, or all sounds of a collection, in one ZIP archive."""
    await share_rate_limits.count_download(client.ip)
    find = partial(_find_archive, wanted=wanted) if share.collection_id else _find_export
    return await _send(request, share, await in_transaction(find, share))


def _find_download(
    session: Session, share: Share, number: int, version: str, wanted: DownloadFormat | None
) -> StoredFile | ProcessingJob:
    """Return the file of a download, or the job that makes it.

    Raises:
        Conflict: If the file could not be made a moment ago.
        Forbidden: If the link does not allow this download.
    """
    is_original = wanted is None and share.allow_download == ShareDownload.ORIGINAL
    is_for_device = wanted in (DownloadFormat.MK2, DownloadFormat.SX)
    if not is_original and not (is_for_device and share.allow_download == ShareDownload.SP404):
        raise Forbidden(NOT_ALLOWED)
    sample = shared_content.find_sound(session, share, number, version)
    if wanted is not None:
        content_key = conversions.describe_file(sample, wanted).etag
        failed_files.ensure_conversion_may_start(session, share.user_id, content_key)
        return conversions.find_or_convert(session, share.user_id, sample.id, wanted)
    return StoredFile(sample.storage_key, sample.filename, media_type_of(sample.format), "")


def _find_export(session: Session, share: Share) -> StoredFile | ProcessingJob:
    """Return the archive of a project, or the job that makes it.

    Raises:
        Conflict: If it could not be made a moment ago.
        Forbidden: If the link does not allow it, or a sound of the project was taken down.
    """
    if share.project_id is None or share.allow_download == ShareDownload.NONE:
        raise Forbidden(NOT_ALLOWED)
    project = history.get_project(session, share.user_id, share.project_id)
    target = parse_target(project.device)
    if not shared_content.is_complete(session, project):
        raise Forbidden(NOT_AVAILABLE)
    failed_files.ensure_export_may_start(session, share.user_id, project.id, target.device)
    job = exports.request_export(session, share.user_id, project.id, target)
    if job.status != JobStatus.DONE or not job.result:
        return job
    archive = exports.find_archive(session, share.user_id, uuid.UUID(job.result["export_id"]))
    return StoredFile(archive.key, archive.file_name, "application/zip", archive.sha256)


def _find_archive(
    session: Session, share: Share, wanted: DownloadFormat | None
) -> StoredFile | ProcessingJob:
    """Return the archive of a collection, or the job that makes it.

    Raises:
        Conflict: If it could not be made a moment ago, or the owner has too many downloads.
        Forbidden: If the link does not allow it.
        TooLarge: If the archive would be too large.
        ValidationFailed: If the collection has no sounds.
    """
    is_allowed = wanted in ARCHIVES.get(ShareDownload(share.allow_download), ())
    if share.collection_id is None or wanted is None or not is_allowed:
        raise Forbidden(NOT_ALLOWED)
    taken = shared_content.taken_down_samples(session, share.user_id)
    ids = [each for each in shared_content.sound_ids(session, share) if each not in taken]
    job = conversions.request_archive(
        session,
        share.user_id,
        wanted,
        NAME_ONLY,
        ids,
        collection_id=share.collection_id,
    )
    if job.status != JobStatus.DONE:
        content_key = str((job.result or {}).get("content_key", ""))
        failed_files.ensure_conversion_may_start(session, share.user_id, content_key)
        return job
    archive = conversions.find_archive(session, share.user_id, job.id)
    collection = collections.get_collection(session, share.user_id, share.collection_id)
    device = FORMATS[wanted].title.replace("/", "-")
    return replace(archive, filename=with_extension(f"{collection.name} {device}", ".zip"))


def _has_beginning(answer: Response) -> bool:
    """Return whether an answer begins a download: the file, or more than its first byte."""
    part = answer.headers.get("content-range", "")
    is_part = answer.status_code == 206 and part.startswith("bytes 0-")
    return answer.status_code == 200 or (is_part and not part.startswith("bytes 0-0/"))


async def _send(request: Request, share: Share, found: StoredFile | ProcessingJob) -> Response:
    """Send a file and count it, or answer that it is being made."""
    if isinstance(found, ProcessingJob):
        return other_pages.preparing_page(link_path(request))
    headers = ASK | attachment(found.filename)
    headers |= {"ETag": f'"{found.etag}"'} if found.etag else {}
    answer = await run_in_threadpool(range_response, request, found.key, found.media_type, headers)
    if request.method == "GET" and _has_beginning(answer):
        await share_counts.count(share.id, share_counts.DOWNLOADS)
    return answer
