"""Why the product cannot run, in one sentence for the person at the keyboard."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Failure(Exception):
    """A reason to stop, told in one clear sentence."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the file system refuses at `path` into a sentence.

    Raises:
        Failure: when a file cannot be written, made or read.
    """
    try:
        yield
    except OSError as error:
        raise Failure(sentence(error, path)) from error


def sentence(error: OSError, path: Path) -> str:
    """Say what to do about a refusal of the file system."""
    where = error.filename or path
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk that holds {path} is full: make room, or set SP404_HOME to another disk."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{where} cannot be written: change its owner or mode, or set SP404_HOME elsewhere."
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"{where} is in the way: a folder is needed there, or set SP404_HOME elsewhere."
    return f"{where} cannot be used: {error.strerror or error}."
