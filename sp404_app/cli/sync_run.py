"""The loop of `sync`: read the folder, upload complete files, wait, and say what happened."""

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from sp404_app.cli.sync_folder import (
    Versions,
    find_complete,
    hash_content,
    is_version,
    open_version,
    scan_folder,
)
from sp404_app.cli.sync_state import FileVersion, SyncState
from sp404_app.cli.sync_upload import (
    NoConnection,
    Rejected,
    ServerFault,
    Uploaded,
    Uploader,
    Wait,
)
from sp404_app.services.infra.text import one_line

SCAN_INTERVAL_S: Final = 3.0
SCAN_LOAD: Final = 20  # the pause is at least so many times as long as the reading took
FIRST_RETRY_S: Final = 2.0
MAX_RETRY_S: Final = 300.0
QUOTA_PAUSE_S: Final = 600.0
SKIPPED_PAUSE_S: Final = 600.0
FILE_RETRIES: Final = 2  # of a file that the server fails to take; then the others have their turn
MAX_DOUBLINGS: Final = 16  # of the first pause; more would not fit a float after some days
ONCE_RETRIES: Final = 5
ONCE_IDLE_SCANS: Final = 20  # `run_once` waits for a file that grows for so many readings

Files = list[tuple[Path, FileVersion]]


@dataclass(slots=True)
class FolderSync:
    """One run: the last reading of the folder, and what was said already."""

    folder: Path
    state: SyncState
    uploader: Uploader
    verbose: bool = False
    seen: Versions = field(default_factory=dict)
    handled: Versions = field(default_factory=dict)
    skipped: Versions = field(default_factory=dict)  # named once, and tried again later
    tried_again_at: dict[Path, float] = field(default_factory=dict)  # on the monotonic clock
    failures: int = 0  # of the connection, in a row
    notice: str = ""  # what keeps files from being uploaded; it is said once
    is_over_quota: bool = False

    def run_forever(self) -> NoReturn:
        """Upload what is new until a signal ends the process."""
        while True:
            complete, _, interval = self.read_folder()
            time.sleep(self.upload_files(complete) or interval)

    def run_once(self) -> bool:
        """Upload what is new, then return whether every file was handled."""
        idle = 0
        while True:
            complete, is_growing, interval = self.read_folder()
            pause = self.upload_files(complete)
            if not complete and not is_growing:
                return not self.skipped
            idle = 0 if complete else idle + 1
            gives_up = self.failures >= ONCE_RETRIES or idle >= ONCE_IDLE_SCANS
            if self.is_over_quota or gives_up:
                return False
            time.sleep(pause or interval)

    def read_folder(self) -> tuple[Files, bool, float]:
        """Return the complete new files, whether there are others, and the pause to the next."""
        started = time.monotonic()
        try:
            now = scan_folder(self.folder)
        except OSError:
            self.say_once(f"{self.folder} can't be read. Waiting.")
            return [], True, SCAN_INTERVAL_S
        new = {path: version for path, version in now.items() if not self.is_known(path, version)}
        complete = list(find_complete(self.seen, new))
        self.seen = new
        interval = max(SCAN_INTERVAL_S, SCAN_LOAD * (time.monotonic() - started))
        return complete, len(complete) < len(new), interval

    def is_known(self, path: Path, version: FileVersion) -> bool:
        """Return whether a version of a file needs nothing more, at least for now."""
        if self.handled.get(path) == version:
            return True
        if self.skipped.get(path) == version and time.monotonic() < self.tried_again_at[path]:
            return True
        if not self.state.is_handled(path, version):
            return False
        self.handled[path] = version
        return True

    def upload_files(self, files: Iterable[tuple[Path, FileVersion]]) -> float:
        """Upload files until one has to wait; return for how many seconds, 0 if none has."""
        for path, version in files:
            try:
                result = self.upload_file(path, version)
            except NoConnection as error:
                self.failures += 1
                if isinstance(error, ServerFault) and self.failures > FILE_RETRIES:
                    self.failures = 0
                    self.skip_file(path, version, f"not uploaded  {path}: {error}")
                    continue
                self.say_once(f"{self.uploader.client.base_url} does not answer. Trying again.")
                return min(FIRST_RETRY_S * 2 ** min(self.failures, MAX_DOUBLINGS), MAX_RETRY_S)
            if isinstance(result, Wait):
                return self.wait_for_limit(result)
            if result:
                self.say_recovered()
                self.say_result(path, result)
        return 0.0

    def upload_file(self, path: Path, version: FileVersion) -> Uploaded | Rejected | Wait | None:
        """Upload a file and remember it; return None if it changed, or cannot be read.

        Raises:
            NoConnection: If the server does not answer.
            TokenRefused: If the server refuses the token.
        """
        try:
            file = open_version(self.folder / path, version)
            result = self.send_file(path, version, file) if file else None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.skip_file(path, version, f"unreadable  {path}: {reason}")
            return None
        self.skipped.pop(path, None)
        return result

    def skip_file(self, path: Path, version: FileVersion, problem: str) -> None:
        """Leave out a file for some time; print why, once for each version."""
        if self.skipped.get(path) != version:
            print_line(problem)
        self.skipped[path] = version
        self.tried_again_at[path] = time.monotonic() + SKIPPED_PAUSE_S

    def send_file(
        self, path: Path, version: FileVersion, file: BinaryIO
    ) -> Uploaded | Rejected | Wait | None:
        """Upload an open file, close it, and remember it; return None if it changed.

        Raises:
            OSError: If it cannot be read.
        """
        with file:
            sha256 = hash_content(file)
            known = self.state.find_sample(sha256)
            try:
                result = (
                    Uploaded(known, is_new=False) if known else self.uploader.upload(path, file)
                )
            except NoConnection:
                if not is_version(file, version):
                    return None  # it grew while it was sent
                raise
            if isinstance(result, Wait) or not is_version(file, version):
                return result if isinstance(result, Wait) else None
        sample_id = result.sample_id if isinstance(result, Uploaded) else ""
        reason = result.reason if isinstance(result, Rejected) else ""
        self.state.record_file(path, version, sha256, sample_id=sample_id, reason=reason)
        return result

    def wait_for_limit(self, limit: Wait) -> float:
        """Return how long to wait; say so once if a quota is used up."""
        self.failures = 0
        if not limit.reason:
            return limit.seconds
        self.is_over_quota = True
        self.say_once(f"Nothing more can be added now: {limit.reason}")
        return max(limit.seconds, QUOTA_PAUSE_S)

    def say_once(self, notice: str) -> None:
        """Print what keeps files from being uploaded, unless it was the last thing said."""
        if self.notice != notice:
            self.notice = notice
            print_line(notice)

    def say_recovered(self) -> None:
        """Print that uploads go on, if something had kept them."""
        if self.notice:
            print_line("Uploads go on.")
        self.notice, self.failures, self.is_over_quota = "", 0, False

    def say_result(self, path: Path, result: Uploaded | Rejected) -> None:
        """Print one line for a file; a file that is in the library already only if `verbose`."""
        if isinstance(result, Rejected):
            print_line(f"rejected  {path}: {result.reason}")
        elif result.is_new:
            print_line(f"added  {path}")
        elif self.verbose:
            print_line(f"already there  {path}")


def print_line(text: str) -> None:
    """Print one line at once; names cannot add lines or control the terminal."""
    plain = one_line(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(plain.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()
