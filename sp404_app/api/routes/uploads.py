"""POST /api/samples: upload audio files and ZIP archives, with a result for each file."""

import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, TypeVarTuple, Unpack

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError

from sp404_app.api.deps import CurrentUser
from sp404_app.db import transaction
from sp404_app.errors import AppError, BadAudio, QuotaExceeded, Unavailable
from sp404_app.services.billing import quotas
from sp404_app.services.infra.text import clean_text, last_part, unescaped
from sp404_app.services.library import archives, samples, tags
from sp404_app.services.library.archives import Archive, ArchiveMember
from sp404_app.services.library.file_kinds import has_audio_extension, upload_too_large
from sp404_app.services.library.schemas import SampleView, sample_view
from sp404_app.settings import settings

router = APIRouter(prefix="/samples", tags=["samples"])
log = logging.getLogger(__name__)

# Decoding is CPU-bound: more decoders than cores would slow down all of them.
MAX_DECODERS = max(2, os.cpu_count() or 2)
decoder_limiter: RunVar[CapacityLimiter] = RunVar("decoders")


class RejectedFile(BaseModel):
    """A file that was rejected, and why."""

    filename: str
    code: str
    error: str
    details: dict[str, Any] = {}


class UploadResult(BaseModel):
    """The result of an upload. Error fields are set only if no file was accepted."""

    samples: list[SampleView]
    rejected: list[RejectedFile]
    error: str | None = None
    status: int | None = None
    code: str | None = None
    details: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """The user who uploads, the folder of the files, and which folder names become tags."""

    user_id: uuid.UUID
    folder: str
    folders_become_tags: bool
    root_becomes_tag: bool


FileResult = SampleView | AppError
Arguments = TypeVarTuple("Arguments")
R = TypeVar("R")


async def upload_options(
    user_id: CurrentUser,
    folder: Annotated[str, Form()] = "",
    folders_become_tags: Annotated[bool, Form()] = False,
    root_becomes_tag: Annotated[bool, Form()] = True,
) -> UploadOptions:
    """Return the options of an upload."""
    return UploadOptions(user_id, folder, folders_become_tags, root_becomes_tag)


@router.post("", status_code=201, response_model_exclude_unset=True)
async def upload(
    request: Request,
    options: Annotated[UploadOptions, Depends(upload_options)],
    response: Response,
    file: Annotated[list[UploadFile], File(max_length=500)],
    filename: Annotated[list[str], Form(max_length=500)] = [],  # noqa: B006 - FastAPI copies it
) -> UploadResult:
    """Upload audio files and enqueue their analysis. Each file is accepted or rejected separately.

    `folder` is the path of the folder the files were in, such as "Drums/Dusty Kit". `filename` may
    be sent once per file, in the same order, as a multipart header cannot contain every name.
    `root_becomes_tag` says whether the first folder of the path is a tag as the others are. A ZIP
    archive is treated like a folder: each audio file in it is accepted or rejected separately.
    """
    received = UploadResult(samples=[], rejected=[])
    refusals: list[AppError] = []
    for item, given in zip(file, _file_names(file, filename), strict=True):
        async for name, result in _receive_item(request, options, item, given):
            if isinstance(result, SampleView):
                received.samples.append(result)
            else:
                refusals.append(result)
                received.rejected.append(_rejected_file(name, result))
    if refusals and not received.samples:
        _set_failure_status(received, refusals, response)
    return received


def _file_names(files: list[UploadFile], given: list[str]) -> list[str]:
    """Return the name of each file, from the form field or from its multipart header."""
    if len(given) == len(files):
        return given
    return [last_part(unescaped(file.filename or "")) for file in files]


async def _receive_item(
    request: Request, options: UploadOptions, item: UploadFile, name: str
) -> AsyncIterator[tuple[str, FileResult]]:
    """Yield the name and result of a file, or of each audio file in an archive."""
    if not archives.is_archive(item.file):
        yield name, await _run_decoder(_receive, options, _saved_upload(item), name)
        return
    with ExitStack() as stack:
        try:
            archive = await _run_decoder(
                stack.enter_context, archives.open_archive(item.file, name)
            )
        except AppError as refusal:
            yield name, refusal
            return
        async for path, result in _receive_members(request, options, archive):
            yield f"{name}/{path}", result


async def _receive_members(
    request: Request, options: UploadOptions, archive: Archive
) -> AsyncIterator[tuple[str, FileResult]]:
    """Yield the results of the audio files in an archive.

    Once the quota is used up or storage is unavailable, the rest is rejected without unpacking it.
    """
    rejection: AppError | None = None
    for member in archive.members:
        if await request.is_disconnected():
            return
        result = rejection or await _run_decoder(_receive_member, options, archive, member)
        if isinstance(result, QuotaExceeded | Unavailable):
            rejection = result
        if result:
            yield member.path, result


async def _run_decoder(work: Callable[[Unpack[Arguments]], R], *arguments: *Arguments) -> R:
    """Run decoding work in a thread, at most `MAX_DECODERS` at a time.

    Requests that wait for a decoder occupy no thread, as other requests need the threads.
    """
    return await to_thread.run_sync(work, *arguments, limiter=_get_decoder_limiter())


def _get_decoder_limiter() -> CapacityLimiter:
    """Return the limiter of decoder threads of this event loop."""
    try:
        return decoder_limiter.get()
    except LookupError:
        decoder_limiter.set(CapacityLimiter(MAX_DECODERS))
        return decoder_limiter.get()


def _receive_member(
    options: UploadOptions, archive: Archive, member: ArchiveMember
) -> FileResult | None:
    """Add one file of an archive, or return the error; None if it is not an audio file."""
    folder = f"{options.folder}/{member.folder}".strip("/")
    # Within an archive that was in no folder, each folder is one of the archive.
    has_root = options.root_becomes_tag or not options.folder
    inside = replace(options, folder=folder, root_becomes_tag=has_root)
    try:
        with transaction() as session:  # check the storage quota before unpacking
            quotas.ensure_storage(session, options.user_id, member.size, "try")
    except AppError as refusal:
        return refusal
    result = _receive(inside, archive.unpacked(member), member.filename)
    no_sound = isinstance(result, BadAudio) and not member.refusal
    return None if no_sound and not has_audio_extension(member.filename) else result


def _receive(
    options: UploadOptions, on_disk: AbstractContextManager[Path], name: str
) -> FileResult:
    """Add one file as a sample, or return the error, so that other files are not affected."""
    has_root = options.root_becomes_tag
    names = tags.folder_tags(options.folder, root=has_root) if options.folders_become_tags else []
    try:
        with on_disk as path:
            incoming = samples.inspect_file(path, name, options.folder)
            with transaction() as session:
                sample_id = samples.add_sample(session, options.user_id, incoming, tag_names=names)
                return sample_view(samples.get_sample(session, options.user_id, sample_id))
    except AppError as refusal:
        return refusal
    except (OperationalError, OSError):
        log.exception("cannot store an upload")
        return Unavailable("This file couldn’t be saved. Try uploading it again in a minute.")


@contextmanager
def _saved_upload(item: UploadFile) -> Iterator[Path]:
    """Copy an upload to a temporary file: decoders need a path, and it may still be in memory."""
    if (item.size or 0) > settings().max_upload_bytes:
        raise upload_too_large()
    with tempfile.NamedTemporaryFile() as target:
        shutil.copyfileobj(item.file, target, 1 << 20)
        target.flush()
        yield Path(target.name)


def _rejected_file(name: str, refusal: AppError) -> RejectedFile:
    filename = clean_text(name)[:400]
    return RejectedFile(
        filename=filename, code=refusal.code, error=str(refusal), details=refusal.details
    )


def _set_failure_status(
    received: UploadResult, refusals: list[AppError], response: Response
) -> None:
    """Set the status of an upload with no accepted file.

    It is 422, unless all were rejected for the same reason outside the files: quota or storage.
    """
    first = refusals[0]
    is_not_the_file = isinstance(first, QuotaExceeded | Unavailable)
    is_same = all(type(refusal) is type(first) for refusal in refusals)
    response.status_code = first.status if is_not_the_file and is_same else 422
    received.status, received.code = response.status_code, first.code
    received.error, received.details = str(first), first.details
