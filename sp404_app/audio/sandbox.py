"""Analyse one untrusted file in a limited process: `python -m sp404_app.audio.sandbox SECONDS MB`.

The file is read from standard input. A decoder exploit stays inside this process, which has
limited time, memory and output, and holds no secrets.
"""

import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any, Final

from sp404_app.audio.features.analysis import ENGINE_VERSION, FileAnalysis, analyse_file
from sp404_app.errors import BadAudio

MAX_OUTPUT_BYTES: Final = 64 * 1024  # an answer has 2 kB
# Linux reopens the file behind this path, so decoders can seek in it and open it twice.
INPUT_PATH: Final = Path("/dev/stdin")


def main(seconds: float, megabytes: int) -> None:
    """Analyse the file on standard input and print one JSON object."""
    limit_resources(seconds, megabytes)
    sys.stdout.write(json.dumps(analyse_input(INPUT_PATH)))


def limit_resources(seconds: float, megabytes: int) -> None:
    """Set limits with which the operating system ends this process."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    for limit, value in (
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_FSIZE, MAX_OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def analyse_input(path: Path) -> dict[str, Any]:
    """Analyse a file; decoding errors go into `error`."""
    try:
        return {"error": None} | comparison_record(analyse_file(path, name_hint=""))
    except BadAudio as error:
        return {"error": str(error)}


def comparison_record(result: FileAnalysis) -> dict[str, Any]:
    """Return the fields that a similarity search needs."""
    survey, analysis = result.survey, result.analysis
    return {
        "engine_version": ENGINE_VERSION,
        "likeness": analysis.likeness.tolist(),
        "duration": round(survey.duration, 3),
        "silent": survey.silent,
        "kind": analysis.kind.value,
        "bpm": analysis.bpm,
        "key": analysis.key,
        "camelot": analysis.camelot,
    }


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
