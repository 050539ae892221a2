"""`sync FOLDER`: upload what is new in a folder through the REST API, and keep watching it.

The folder is read every few seconds, which also works on network drives. A file is uploaded when
two readings found it unchanged. What was uploaded is remembered (`sync_state`), so a restart, a
lost connection or a used-up quota only delays the rest. Nothing is changed or deleted on either
side.
"""

import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from sp404_app.cli.sync_run import FolderSync, print_line
from sp404_app.cli.sync_state import SyncState, state_path
from sp404_app.cli.sync_upload import TokenRefused, Uploader, normalise_url
from sp404_app.supervisor.errors import Failure

REFUSED_EXIT_CODE: Final = 2  # the service is not restarted after it
TOKEN_VARIABLE: Final = "SP404_TOKEN"  # noqa: S105 - a name, no secret
MAX_TOKEN_BYTES: Final = 4096


class StopRequested(BaseException):
    """The process received SIGTERM or SIGINT."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What is synchronised, and how: `once` ends when every file is handled."""

    folder: Path
    url: str = ""
    once: bool = False
    verbose: bool = False


def sync_folder(options: SyncOptions, token_file: Path | None) -> int:
    """Watch a folder and upload what is new; return the exit code.

    It is 0 after SIGTERM, or with `once` when all files are handled; 1 if with `once` some could
    not be uploaded; 2 if the server refuses the token.

    Raises:
        Failure: If the folder, the address, the token or the state file is unusable.
    """
    folder = options.folder.expanduser().resolve()
    if not folder.is_dir():
        raise Failure(f"{options.folder} is not a folder.")
    url, token = normalise_url(options.url), read_token(token_file)
    try:
        with (
            _stop_signals(),
            SyncState(state_path(url, folder)) as state,
            closing(Uploader(url, token)) as uploader,
        ):
            run = FolderSync(folder, state, uploader, verbose=options.verbose)
            if options.once:
                return 0 if run.run_once() else 1
            run.run_forever()
    except StopRequested:
        print_line("Stopped.")
        return 0
    except TokenRefused as refusal:
        sys.stderr.write(f"{str(refusal) or 'The server refuses the token.'}\n")
        return REFUSED_EXIT_CODE


def read_token(token_file: Path | None) -> str:
    """Return the personal access token from a file, or else from the environment.

    Raises:
        Failure: If there is none, or others can read the file.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if token_file is not None:
        try:
            mode = token_file.stat().st_mode
            token = token_file.read_bytes()[:MAX_TOKEN_BYTES].decode("ascii", "replace").strip()
        except OSError as error:
            raise Failure(f"The token file {token_file} cannot be read.") from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Failure(f"Others can read the token file: run chmod 600 {token_file}.")
    if not token:
        raise Failure(f"Give a token with --token-file, or in {TOKEN_VARIABLE}.")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Failure("This is not a personal access token: it has other characters.")
    return token


@contextmanager
def _stop_signals() -> Iterator[None]:
    """Raise `StopRequested` at SIGTERM and SIGINT, wherever the run is; a repeated one is ignored.

    An upload that is interrupted was not recorded, so the next run repeats it.
    """
    numbers = (signal.SIGTERM, signal.SIGINT)

    def stop(*_: object) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise StopRequested

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
