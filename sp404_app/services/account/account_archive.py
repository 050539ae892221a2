"""The ZIP of all data and files of an account, for its owner or an operator."""

import json
import uuid
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from sp404_app.db import transaction
from sp404_app.errors import NotFound
from sp404_app.models.columns import now
from sp404_app.services.account import data_export
from sp404_app.services.account.data_export import ExportedFile
from sp404_app.services.infra import storage
from sp404_app.settings import settings

README = """All data of your account.

data/     your data as JSON files: profile, sounds, analyses, tags, sign-ins, jobs and account
          activity{payments}
sounds/   your original files in their folders
trash/    files you deleted in the last 30 days
"""


def write_archive(
    path: Path, user_id: uuid.UUID, on_progress: Callable[[float], None] | None = None
) -> list[str]:
    """Write the ZIP of an account; return the names of files that are missing in the store.

    Args:
        path: The file to write.
        user_id: The account.
        on_progress: Called with a number from 0 to 1 after each file; it may raise to stop.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        payments = ", payments" if settings().billing else ""
        target.writestr("README.txt", README.format(payments=payments))
        with transaction() as session:
            for name, rows in data_export.export_tables(session, user_id):
                text = json.dumps(rows, indent=1, ensure_ascii=False)
                # A name can contain a lone surrogate, which JSON can escape.
                target.writestr(f"data/{name}.json", text.encode("utf-8", "backslashreplace"))
            files = data_export.list_original_files(session, user_id)
        return _add_files(target, files, on_progress or (lambda _: None))


def _add_files(
    target: zipfile.ZipFile, files: Sequence[ExportedFile], on_progress: Callable[[float], None]
) -> list[str]:
    missing = []
    for number, file in enumerate(files):
        try:
            _add_file(target, file)
        except NotFound:
            missing.append(file.name)
        on_progress((number + 1) / (len(files) + 1))
    return missing


def _add_file(target: zipfile.ZipFile, file: ExportedFile) -> None:
    """Copy one file in chunks, uncompressed: ZIP hardly compresses audio."""
    size = storage.object_size(file.key)
    entry = zipfile.ZipInfo(file.name, now().timetuple()[:6])
    entry.compress_type, entry.file_size = zipfile.ZIP_STORED, size
    with target.open(entry, "w", force_zip64=size > 1 << 30) as member:
        for chunk in storage.stream_object(file.key, 0, size):
            member.write(chunk)
