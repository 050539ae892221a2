"""Errors of the command line: one sentence that says what is wrong and what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Failure(Exception):
    """The command cannot continue; its message is shown on stderr."""

    exit_code = 1


class ConfigurationError(Failure):
    """A setting is wrong, or a service that it names does not answer: trying again is no help."""

    exit_code = 2


@contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn file system errors at `path` into a `Failure`.

    Raises:
        Failure: If a file cannot be written, created or read.
    """
    try:
        yield
    except OSError as error:
        raise Failure(os_error_message(error, path)) from error


def os_error_message(error: OSError, path: Path) -> str:
    """Return what is wrong with a file or folder, and what to do about it."""
    where = error.filename or path
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk of {path} is full: free some space, or move SP404_HOME to another disk."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{where} cannot be written: change its owner or mode, or choose another SP404_HOME."
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"{where} is not a folder: move it away, or choose another SP404_HOME."
    return f"{where} cannot be used: {error.strerror or error}."
