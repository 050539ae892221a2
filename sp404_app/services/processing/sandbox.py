"""Analyse a file for query by sound, in a short-lived process with few rights and little memory.

The file is not stored. The process is `sp404_app.audio.sandbox`.
"""

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
from sp404_app.errors import BadAudio, TooLarge, Unavailable
from sp404_app.services.infra.byte_size import format_size
from sp404_app.settings import MB, settings

MAX_FILE_BYTES: Final = 20 * MB
TIMEOUT_S = 20.0
MEMORY_LIMIT_MB = 1024  # address space; ten seconds of audio need 200 MB
KILL_GRACE_S: Final = 2.0  # after TIMEOUT_S, when the process should have ended itself
COMMAND = (sys.executable, "-m", "sp404_app.audio.sandbox")
PROJECT_ROOT = Path(sp404_app.__file__).resolve().parents[1]
# Environment variables that the process inherits. The supervisor finds orphans by the last one.
PASSED_ENVIRONMENT: Final = ("PATH", "LANG", "PYTHONPATH", "SP404_SUPERVISED")
FIXED_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
ANALYSIS_FAILED: Final = "This file could not be analysed: the decoder crashed or timed out."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class QuerySound:
    """Analysis of a query file: duration in seconds, tempo in BPM; None where not found.

    `likeness` is the embedding, float32 (64,), see `audio/similarity/embedding.py`. Only embeddings
    of the same `engine_version` can be compared. The embedding of silence has no meaning.
    """

    engine_version: str
    likeness: npt.NDArray[np.float32]
    duration: float
    silent: bool
    kind: str
    bpm: float | None
    key: str | None
    camelot: str | None


def max_query_bytes() -> int:
    """Return the size limit of a query file, in bytes."""
    return min(MAX_FILE_BYTES, settings().max_upload_bytes)


def ensure_query_size(size: int) -> None:
    """Check the size of a query file.

    Raises:
        TooLarge: If it is above the limit.
    """
    if size > max_query_bytes():
        raise TooLarge(f"This file is larger than {format_size(max_query_bytes())}.")


def analyse_in_sandbox(file: IO[bytes]) -> QuerySound:
    """Analyse an open file, which may be unnamed. Nothing of it is stored.

    Raises:
        BadAudio: If it is not audio, or if the decoder crashes or times out.
        Unavailable: If no process can be started.
    """
    with tempfile.TemporaryFile() as output:
        exit_code = _run_sandbox(file, output)
        output.seek(0)
        if exit_code != 0:
            log.warning("audio sandbox crashed", code=exit_code)
            raise BadAudio(ANALYSIS_FAILED)
        return _parse_answer(output.read())


def _run_sandbox(file: IO[bytes], output: IO[bytes]) -> int:
    """Run the process, kill it after the timeout, and return its exit code.

    Its stderr is discarded, as decoder messages quote the file.
    """
    command = [*COMMAND, str(TIMEOUT_S), str(MEMORY_LIMIT_MB)]
    environment = {
        name: os.environ[name] for name in PASSED_ENVIRONMENT if name in os.environ
    } | FIXED_ENVIRONMENT
    try:
        descriptor = file.fileno()  # a small upload is in memory; this moves it to disk
        file.flush()
        return subprocess.run(  # noqa: S603 - a constant command
            command,
            stdin=descriptor,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=PROJECT_ROOT,
            timeout=TIMEOUT_S + KILL_GRACE_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise BadAudio(ANALYSIS_FAILED) from error
    except OSError as error:
        log.exception("cannot start the audio sandbox")
        raise Unavailable("Files can’t be analysed right now. Try again in a minute.") from error


# Each part of an embedding has unit length.
EmbeddingValue = Annotated[FiniteFloat, Field(ge=-2, le=2)]


class _SandboxAnswer(BaseModel):
    """The output of the process, validated: a malicious file may make it print anything."""

    model_config = ConfigDict(strict=True)

    engine_version: str
    likeness: list[EmbeddingValue] = Field(min_length=DIMENSIONS, max_length=DIMENSIONS)
    duration: FiniteFloat
    silent: bool
    kind: str
    bpm: FiniteFloat | None
    key: str | None
    camelot: str | None


def _parse_answer(output: bytes) -> QuerySound:
    """Parse the output of the process.

    Raises:
        BadAudio: If it reports an error of the file, or is invalid.
    """
    try:
        answer = json.loads(output)
        if isinstance(answer, dict) and answer.get("error"):
            raise BadAudio(str(answer["error"])[:400])
        found = _SandboxAnswer.model_validate(answer)
    except ValueError as error:  # also pydantic.ValidationError
        raise BadAudio(ANALYSIS_FAILED) from error
    values = found.model_dump(exclude={"likeness"})
    return QuerySound(likeness=np.asarray(found.likeness, np.float32), **values)
