"""Hear a file that is not kept, in a short-lived process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Final

import numpy as np
import numpy.typing as npt
import structlog
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

import sp404_app
from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.errors import BadAudio, Unavailable
from sp404_app.settings import MB, settings

MOST_BYTES: Final = 20 * MB
SECONDS = 20.0
MEGABYTES = 1024  # of address space; ten seconds of sound take 200
GRACE: Final = 2.0  # seconds in which the process is to have ended by itself
COMMAND = (sys.executable, "-m", "sp404_app.audio.sandbox")
ROOT = Path(sp404_app.__file__).resolve().parents[1]
# What the process may know: the last one lets our supervisor find it after a crash.
KNOWN: Final = ("PATH", "LANG", "PYTHONPATH", "SP404_SUPERVISED")
ALONE: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
STOPPED: Final = "We could not make sense of this file: it stopped our ears, or took too long."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Heard:
    """What a comparison needs to know of a sound: seconds, BPM; None where there is none.

    `likeness` is float32 (64,), see `audio/similarity/embedding.py`; only vectors of one
    `engine_version` compare. Silence has a vector too, which means nothing.
    """

    engine_version: str
    likeness: npt.NDArray[np.float32]
    duration: float
    silent: bool
    kind: str
    bpm: float | None
    key: str | None
    camelot: str | None


def most_bytes() -> int:
    """Return the size of the largest file that is heard."""
    return min(MOST_BYTES, settings().max_upload_bytes)


def hear(file: IO[bytes]) -> Heard:
    """Hear an open file, which needs a descriptor but no name; nothing of it is kept.

    Raises:
        BadAudio: If it is no sound, or stops or outlasts the process that hears it.
        Unavailable: If no process can be started now.
    """
    with tempfile.TemporaryFile() as said:
        code = _run(file, said)
        said.seek(0)
        if code != 0:
            log.warning("a file stopped its ears", code=code)
            raise BadAudio(STOPPED)
        return _read(said.read())


def _run(file: IO[bytes], said: IO[bytes]) -> int:
    """Run the process to its end, which it is given if it does not come by itself.

    What a decoder complains about quotes the file, so it goes nowhere.
    """
    command = [*COMMAND, str(SECONDS), str(MEGABYTES)]
    environment = {name: os.environ[name] for name in KNOWN if name in os.environ} | ALONE
    try:
        descriptor = file.fileno()  # small uploads are in memory until they are asked for this
        file.flush()
        return subprocess.run(  # noqa: S603 - our own words
            command,
            stdin=descriptor,
            stdout=said,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=ROOT,
            timeout=SECONDS + GRACE,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise BadAudio(STOPPED) from error
    except OSError as error:
        log.exception("no process to hear with")
        raise Unavailable("We cannot listen just now. Please try again soon.") from error


# Each part of a vector has unit length.
Share = Annotated[FiniteFloat, Field(ge=-2, le=2)]


class _Answer(BaseModel):
    """What the process may say: what is wrong with the file, or `Heard`."""

    model_config = ConfigDict(strict=True)

    engine_version: str
    likeness: list[Share] = Field(min_length=DIMENSIONS, max_length=DIMENSIONS)
    duration: FiniteFloat
    silent: bool
    kind: str
    bpm: FiniteFloat | None
    key: str | None
    camelot: str | None


def _read(said: bytes) -> Heard:
    """Read what the process said; a file may have made it say anything.

    Raises:
        BadAudio: If it says what is wrong with the file, or makes no sense.
    """
    try:
        answer = json.loads(said)
        if isinstance(answer, dict) and answer.get("error"):
            raise BadAudio(str(answer["error"])[:400])
        found = _Answer.model_validate(answer)
    except ValueError as error:  # pydantic's, too
        raise BadAudio(STOPPED) from error
    return Heard(
        engine_version=found.engine_version,
        likeness=np.asarray(found.likeness, np.float32),
        duration=found.duration,
        silent=found.silent,
        kind=found.kind,
        bpm=found.bpm,
        key=found.key,
        camelot=found.camelot,
    )
