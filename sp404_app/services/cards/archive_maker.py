"""Make the archive of an export: renders in two threads, written in order, then read again.

Nothing here uses the database. Renders that the store has are read from there; the others are made
in the folder of the export and deleted when they are in the archive, so that a few exist at a time.
"""

import hashlib
import threading
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sp404_app.audio.render.edit import parse_edit
from sp404_app.audio.render.render import render
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.second_reader import ReadFile, compare_archive
from sp404_app.errors import AppError, BadAudio, NotFound
from sp404_app.models import PadSource
from sp404_app.services.cards import device_config, pad_files
from sp404_app.services.cards.device_config import MadeAudio
from sp404_app.services.cards.export_plan import ExportPlan, PlannedPad
from sp404_app.services.cards.pad_files import PadAudioFile
from sp404_app.services.cards.zip_writer import ZipWriter
from sp404_app.services.infra import render_files, storage

THREADS: Final = 2  # soundfile, soxr and numpy let go of the interpreter; more do not help
RENDERS_AHEAD: Final = 4  # that wait to be written; they bound disk and memory
WRITTEN_SHARE: Final = 0.9  # of the progress; the rest is reading again
REPORT_INTERVAL_S: Final = 0.5
GONE = "its sample was deleted."
CHANGED = "its sample has another sound by now."

Report = Callable[[float], None]


class ExportCancelled(Exception):
    """The export was cancelled or given to another worker."""


@dataclass(frozen=True, slots=True)
class SourceSound:
    """A sample in the store, and the hash of its decoded audio."""

    storage_key: str
    digest: str


@dataclass(frozen=True, slots=True)
class ExportTask:
    """What an export is made of, as it was loaded from the database.

    `sounds` are samples by id, `renders` the hashes of renders in the store by key, `sources` what
    pads were read from by id, `config` the settings that the project was read from, `copies` the
    content of other files by path.
    """

    user_id: uuid.UUID
    export_id: uuid.UUID
    plan: ExportPlan
    sounds: Mapping[str, SourceSound]
    renders: Mapping[str, str]
    sources: Mapping[str, PadSource] = field(default_factory=dict)
    config: bytes | None = None
    copies: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeArchive:
    """An archive that was written, read again and compared."""

    files: list[ReadFile]
    bytes: int
    sha256: str


def make_archive(task: ExportTask, archive: Path, report: Report) -> MadeArchive:
    """Write the archive and read it again.

    `report` is called with 0..1 at least every half second while pads are made, and stops the work
    by raising.

    Raises:
        AppError: With the name of the pad that cannot be made.
        ArchiveMismatch: If the archive is not what was wanted.
    """
    maker = PadMaker(task, archive.parent, report)
    with ThreadPoolExecutor(THREADS, "export") as pool, closing(maker.start(pool)) as audio:
        made = _write_archive(task, archive, audio, maker)
        sha256 = pool.submit(hash_file, archive)
        wanted = device_config.wanted_archive(task.plan, made, task.sources)
        files = compare_archive(archive, wanted, pool, maker.report_reading)
        return MadeArchive(files, archive.stat().st_size, sha256.result())


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_archive(
    task: ExportTask, archive: Path, audio: Iterator[PadAudioFile], maker: "PadMaker"
) -> dict[int, MadeAudio]:
    """Write all files in the order of their names; return what was made for each pad."""
    plan, made = task.plan, dict[int, MadeAudio]()
    pads = {pad.path: pad for pad in plan.pads}
    paths = sorted({*pads, *plan.project.copies, *filter(None, [plan.project.config])})
    with archive.open("w+b") as file:
        writer = ZipWriter(file)
        for path in paths:
            if path == plan.project.config:  # it describes audio that is not made yet
                writer.reserve(path, device_config.config_size(plan, task.config))
            elif path in plan.project.copies:
                writer.add(path, [task.copies[path]])
            else:
                pad, sound = pads[path], next(audio)
                _add_pad(task, writer, pad, sound)
                made[pad.index] = sound.made
                maker.report_written(len(made) / len(pads))
        if plan.project.config:
            config = device_config.build_config(plan, made, task.sources, task.config)
            writer.fill(plan.project.config, config)
        writer.finish()
    return made


def _add_pad(task: ExportTask, writer: ZipWriter, pad: PlannedPad, sound: PadAudioFile) -> None:
    source = task.sources.get(pad.source_id) if pad.source_id else None
    with _naming(pad):
        writer.add(pad.path, pad_files.file_blocks(sound, pad, source))


class PadMaker:
    """Makes the audio of pads in threads, a few ahead of the one that is taken."""

    def __init__(self, task: ExportTask, folder: Path, report: Report) -> None:
        self.task, self.folder, self.report = task, folder, report
        self.stopped = threading.Event()
        self.share = 0.0

    def report_written(self, fraction: float) -> None:
        """Report how much of the archive is written."""
        self.share = WRITTEN_SHARE * fraction
        self.report(self.share)

    def report_reading(self, fraction: float) -> None:
        """Report how much of the archive was read again."""
        self.report(WRITTEN_SHARE + (1 - WRITTEN_SHARE) * fraction)

    def wait_for(self, future: Future[PadAudioFile]) -> PadAudioFile:
        """Return the audio of a pad; report while it is not there."""
        while not wait([future], REPORT_INTERVAL_S).done:
            self.report(self.share)
        return future.result()

    def start(self, pool: ThreadPoolExecutor) -> Generator[PadAudioFile]:
        """Yield the audio of each pad in the order of the plan; it is deleted after its turn."""
        waiting: deque[tuple[Future[PadAudioFile], ExitStack]] = deque()
        pads = iter(self.task.plan.pads)
        try:
            while True:
                for pad in pads:
                    stack = ExitStack()
                    waiting.append((pool.submit(self.make, pad, stack), stack))
                    if len(waiting) > RENDERS_AHEAD:
                        break
                if not waiting:
                    return
                future, stack = waiting.popleft()
                with stack:
                    yield self.wait_for(future)
        finally:
            self.stopped.set()
            for future, stack in waiting:
                if not future.cancel():
                    future.exception()
                stack.close()

    def make(self, pad: PlannedPad, stack: ExitStack) -> PadAudioFile:
        """Return the audio of a pad; `stack` deletes it.

        Raises:
            AppError: With the name of the pad, if it cannot be rendered.
        """
        with _naming(pad):
            sound = self.stored(pad, stack) or self.rendered(pad, stack)
            if pad.read_frames is not None and pad.read_frames < sound.made.frames:
                return pad_files.cut_silence(sound, pad, self.new_file(pad, "part", stack))
            if self.task.plan.project.device != "import" or _is_whole(pad, sound.made):
                return sound
            return pad_files.bake_region(sound, pad, self.new_file(pad, "part", stack))

    def stored(self, pad: PlannedPad, stack: ExitStack) -> PadAudioFile | None:
        """Return the render that the store has, or None."""
        sha256 = self.task.renders.get(pad.key)
        if sha256 is None:
            return None
        key = render_files.render_file_key(self.task.user_id, pad.key)
        try:
            return pad_files.read_render(stack.enter_context(storage.local_copy(key)), sha256)
        except NotFound:  # somebody emptied the cache
            return None

    def rendered(self, pad: PlannedPad, stack: ExitStack) -> PadAudioFile:
        """Render the audio of a pad."""
        sound = self.task.sounds.get(pad.sample_id)
        if sound is None:
            raise NotFound(GONE)
        if sound.digest != pad.digest:
            raise NotFound(CHANGED)
        target = self.new_file(pad, "wav", stack)
        with storage.local_copy(sound.storage_key) as source:
            done = render(
                source,
                parse_edit(pad.edit),
                rate=pad.rate,
                loop=pad.loop,
                seed=bytes.fromhex(pad.key),
                target=target,
                progress=self.check_stopped,
            )
        return PadAudioFile(target, MadeAudio(done.frames, done.channels, done.sha256))

    def new_file(self, pad: PlannedPad, suffix: str, stack: ExitStack) -> Path:
        """Return the path of a file for a pad, which `stack` deletes."""
        path = self.folder / f"{pad.index}.{suffix}"
        stack.callback(path.unlink, missing_ok=True)
        return path

    def check_stopped(self, _: float) -> None:
        """Stop a render that nobody waits for any more.

        Raises:
            ExportCancelled: If the export has ended.
        """
        if self.stopped.is_set():
            raise ExportCancelled


def _is_whole(pad: PlannedPad, made: MadeAudio) -> bool:
    return pad.start == 0 and (pad.end is None or pad.end >= made.frames) and not pad.backwards


@contextmanager
def _naming(pad: PlannedPad) -> Iterator[None]:
    """Add the name of the pad to the sentence of an error."""
    try:
        yield
    except (AppError, InvalidDeviceFile) as error:
        raise BadAudio(f"Pad {pad.label}: {error}") from error
