"""Start the import of a card in one ZIP archive."""

import hashlib
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import IO

from sqlmodel import Session

from sp404_app.errors import BadAudio, ValidationFailed
from sp404_app.models import ProcessingJob
from sp404_app.services.cards import imports
from sp404_app.services.cards.card_tree import CardTree, read_tree
from sp404_app.services.cards.import_files import open_zipped_card
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.library import archives
from sp404_app.services.library.file_kinds import upload_too_large
from sp404_app.settings import settings

ARCHIVE_NAME = "card.zip"
CHUNK_BYTES = 1 << 20
NOT_AN_ARCHIVE = "This is not a ZIP archive. Send a card as ZIP, or its folder."


def import_archive(
    session: Session, user_id: uuid.UUID, file: IO[bytes], name: str
) -> ProcessingJob:
    """Store an archive and queue the job that reads it.

    Raises:
        ValidationFailed: If it is no archive, or if it holds no project.
        AppError: If it is damaged, encrypted, or too large.
    """
    if not archives.is_archive(file):
        raise ValidationFailed(NOT_AN_ARCHIVE, {"file": [NOT_AN_ARCHIVE]})
    tree = _tree_of(file)
    if not tree.projects:
        raise ValidationFailed(tree.why, {"file": [tree.why]})
    found = imports.create_import(session, user_id, tree.kind)
    with tempfile.NamedTemporaryFile() as target:
        file.seek(0)
        shutil.copyfileobj(file, target, CHUNK_BYTES)
        target.flush()
        size = target.tell()
        if size > settings().max_upload_bytes:
            raise upload_too_large()
        with Path(target.name).open("rb") as copy:
            sha256 = hashlib.file_digest(copy, "sha256").hexdigest()
        path = name if imports.is_possible(name) else ARCHIVE_NAME
        imports.store_file(
            session, user_id, found.id, ListedFile(path, size, sha256), Path(target.name)
        )
    return imports.finish_import(session, user_id, found.id)


def _tree_of(file: IO[bytes]) -> CardTree:
    """Return what the card in an archive is. A damaged archive is refused here already."""
    try:
        with open_zipped_card(file) as files:
            return read_tree(sorted(files.sizes()))
    except BadAudio as error:
        raise ValidationFailed(str(error), {"file": [str(error)]}) from None
