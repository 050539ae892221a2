"""POST /api/samples: files come in, each with an answer of its own."""

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
from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError

from sp404_app.api.deps import CurrentUser
from sp404_app.db import transaction
from sp404_app.errors import AppError, BadAudio, QuotaExceeded, TooLarge, Unavailable
from sp404_app.services.billing import quotas
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.infra.text import clean_text, last_part, unescaped
from sp404_app.services.library import archives, samples, tags
from sp404_app.services.library.archives import Archive, Member
from sp404_app.services.library.file_kinds import named_as_sound
from sp404_app.services.library.schemas import SampleView, sample_view
from sp404_app.settings import settings

router = APIRouter(prefix="/samples", tags=["samples"])
log = logging.getLogger(__name__)

# Decoding is work for the processor: more at once than cores only makes all of them slower.
DECODERS = max(2, os.cpu_count() or 2)
decoders: RunVar[CapacityLimiter] = RunVar("decoders")


class Rejected(BaseModel):
    """A file that was not kept, and why."""

    filename: str
    code: str
    error: str
    details: dict[str, Any] = {}


class Received(BaseModel):
    """The answer to an upload, file by file."""

    samples: list[SampleView]
    rejected: list[Rejected]
    error: str | None = None
    status: int | None = None
    code: str | None = None
    details: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends files, the folder they lay in, and whether folders become tags."""

    user_id: uuid.UUID
    folder: str
    tagged: bool


Result = SampleView | AppError
Arguments = TypeVarTuple("Arguments")
R = TypeVar("R")


@router.post("", status_code=201, response_model_exclude_unset=True)
async def upload(
    request: Request,
    user_id: CurrentUser,
    response: Response,
    file: Annotated[list[UploadFile], File(max_length=500)],
    folder: Annotated[str, Form()] = "",
    filename: Annotated[list[str], Form(max_length=500)] = [],  # noqa: B006 - FastAPI copies it
    folders_become_tags: Annotated[bool, Form()] = False,
) -> Received:
    """Keep sounds and queue their analysis; every file is judged on its own.

    `folder` is the path the files lay in, such as "Drums/Dusty Kit". `filename` may be sent once
    for each file, in the same order: a multipart header cannot carry every name exactly. A ZIP
    archive is taken like a folder of its name: each sound in it is kept or rejected on its own.
    """
    received = Received(samples=[], rejected=[])
    sender = Sender(user_id, folder, folders_become_tags)
    refusals: list[AppError] = []
    for item, given in zip(file, _names(file, filename), strict=True):
        async for name, result in _results(request, sender, item, given):
            if isinstance(result, SampleView):
                received.samples.append(result)
            else:
                refusals.append(result)
                received.rejected.append(_rejected(name, result))
    if refusals and not received.samples:
        _refuse(received, refusals, response)
    return received


def _names(files: list[UploadFile], given: list[str]) -> list[str]:
    """Return the name of each file: as given in a field, or as its header has it."""
    if len(given) == len(files):
        return given
    return [last_part(unescaped(file.filename or "")) for file in files]


async def _results(
    request: Request, sender: Sender, item: UploadFile, name: str
) -> AsyncIterator[tuple[str, Result]]:
    """Yield what became of a file, or of each sound in an archive."""
    if not archives.is_archive(item.file):
        yield name, await _decoding(_receive, sender, _on_disk(item), name)
        return
    with ExitStack() as stack:
        try:
            archive = await _decoding(stack.enter_context, archives.opened(item.file, name))
        except AppError as refusal:
            yield name, refusal
            return
        async for path, result in _members(request, sender, archive):
            yield f"{name}/{path}", result


async def _members(
    request: Request, sender: Sender, archive: Archive
) -> AsyncIterator[tuple[str, Result]]:
    """Yield what became of the sounds in an archive; without room, the rest stays packed."""
    full: AppError | None = None
    for member in archive.members:
        if await request.is_disconnected():
            return  # nobody waits for the rest
        result = full or await _decoding(_receive_member, sender, archive, member)
        if isinstance(result, QuotaExceeded | Unavailable):
            full = result
        if result:
            yield member.path, result


async def _decoding(work: Callable[[Unpack[Arguments]], R], *arguments: *Arguments) -> R:
    """Do work in a thread once a decoder is free.

    Whoever waits for a decoder holds no thread: those are for everybody's requests.
    """
    return await to_thread.run_sync(work, *arguments, limiter=_free_decoder())


def _free_decoder() -> CapacityLimiter:
    """Return what counts the decoders of this event loop."""
    try:
        return decoders.get()
    except LookupError:
        decoders.set(CapacityLimiter(DECODERS))
        return decoders.get()


def _receive_member(sender: Sender, archive: Archive, member: Member) -> Result | None:
    """Keep one sound of an archive, or return why not; None for a file that is no sound."""
    folder = f"{sender.folder}/{member.folder}".strip("/")
    inside = replace(sender, folder=folder)
    try:
        with transaction() as session:  # before the work of unpacking it
            quotas.ensure_room(session, sender.user_id, member.size)
    except AppError as refusal:
        return refusal
    result = _receive(inside, archive.unpacked(member), member.filename)
    no_sound = isinstance(result, BadAudio) and not member.refusal
    return None if no_sound and not named_as_sound(member.filename) else result


def _receive(sender: Sender, on_disk: AbstractContextManager[Path], name: str) -> Result:
    """Keep one file, or return why not: what is wrong with one must not touch the others."""
    names = tags.of_folder(sender.folder) if sender.tagged else []
    try:
        with on_disk as path:
            incoming = samples.inspect(path, name, sender.folder)
            with transaction() as session:
                sample_id = samples.add(session, sender.user_id, incoming, tag_names=names)
                return sample_view(samples.get(session, sender.user_id, sample_id))
    except AppError as refusal:
        return refusal
    except (OperationalError, OSError):
        log.exception("cannot keep an upload")
        return Unavailable("We could not keep this file just now. Please send it again soon.")


@contextmanager
def _on_disk(item: UploadFile) -> Iterator[Path]:
    """Give decoders a path; the upload itself has none, and may still be in memory."""
    if (item.size or 0) > settings().max_upload_bytes:
        raise TooLarge(f"This file is larger than {format_size(settings().max_upload_bytes)}.")
    with tempfile.NamedTemporaryFile() as target:
        shutil.copyfileobj(item.file, target, 1 << 20)
        target.flush()
        yield Path(target.name)


def _rejected(name: str, refusal: AppError) -> Rejected:
    shown = clean_text(name)[:400]
    return Rejected(filename=shown, code=refusal.code, error=str(refusal), details=refusal.details)


def _refuse(received: Received, refusals: list[AppError], response: Response) -> None:
    """Say in the status that nothing was kept; what is not the files' fault says so."""
    first = refusals[0]
    ours = isinstance(first, QuotaExceeded | Unavailable)
    same = all(type(refusal) is type(first) for refusal in refusals)
    response.status_code = first.status if ours and same else 422
    received.status, received.code = response.status_code, first.code
    received.error, received.details = str(first), first.details
