"""`python -m sp404_app.audio.sandbox SECONDS MEGABYTES < FILE`: hear one file and end.

What a stranger's file does to a decoder, it does to this process: it has little time, little
memory, may write next to nothing, and knows no secret.
"""

import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any, Final

from sp404_app.audio.features.analysis import ENGINE_VERSION, FileAnalysis, analyse_file
from sp404_app.errors import BadAudio

MAX_OUTPUT_BYTES: Final = 64 * 1024  # bytes: an answer has 2 kB
# Linux opens it anew, so that decoders can seek and open it twice; the file has no other name.
INPUT_PATH: Final = Path("/dev/stdin")


def main(seconds: float, megabytes: int) -> None:
    """Print what is heard in the file on standard input, as one JSON object."""
    limit_resources(seconds, megabytes)
    sys.stdout.write(json.dumps(analyse_input(INPUT_PATH)))


def limit_resources(seconds: float, megabytes: int) -> None:
    """Let the system end this process, whoever started it, when it takes too much."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    for limit, most in (
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_FSIZE, MAX_OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def analyse_input(path: Path) -> dict[str, Any]:
    """Hear a file; what is wrong with it goes into `error`."""
    try:
        return {"error": None} | comparison_record(analyse_file(path, name_hint=""))
    except BadAudio as error:
        return {"error": str(error)}


def comparison_record(found: FileAnalysis) -> dict[str, Any]:
    """Keep what a comparison needs."""
    survey, analysis = found.survey, found.analysis
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
