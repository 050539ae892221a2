"""`python -m sp404_app analyse FILE… [--json]`: the engine without a server."""

import json
from pathlib import Path
from typing import Any

from sp404_app.audio.features.analysis import FileAnalysis, analyse_file
from sp404_app.errors import BadAudio


def main(paths: list[Path], as_json: bool) -> int:
    """Analyse files one by one, print a line for each, and return the exit code."""
    failures = 0
    for path in paths:
        record = analysed(path)
        failures += not record["ok"]
        print(json.dumps(record) if as_json else readable(record), flush=True)
    return 1 if failures else 0


def analysed(path: Path) -> dict[str, Any]:
    """Analyse one file into a record; what is wrong with it goes into `error`."""
    try:
        return {"file": str(path), "ok": True, "error": None} | record(analyse_file(path))
    except BadAudio as error:
        return {"file": str(path), "ok": False, "error": str(error)}
    except OSError as error:
        return {"file": str(path), "ok": False, "error": f"Cannot read it: {error.strerror}."}


def record(found: FileAnalysis) -> dict[str, Any]:
    """Flatten an analysis to the documented fields."""
    survey, analysis = found.survey, found.analysis
    return {
        "duration": round(survey.duration, 6),
        "sample_rate": survey.header.sample_rate,
        "channels": survey.header.channels,
        "format": survey.header.format,
        "kind": analysis.kind.value,
        "kind_confidence": analysis.kind_confidence,
        "bpm": analysis.bpm,
        "bpm_confidence": analysis.bpm_confidence,
        "bpm_candidates": analysis.bpm_candidates,
        "beats": analysis.beats,
        "key": analysis.key,
        "key_confidence": analysis.key_confidence,
        "key_candidates": analysis.key_candidates,
        "camelot": analysis.camelot,
        "loudness_lufs": rounded(survey.loudness_lufs),
        "peak_dbfs": rounded(survey.peak_dbfs),
        "onsets": analysis.onsets,
        "class": analysis.sound_class,
        "root_note": analysis.root_note,
        "tuning_cents": analysis.tuning_cents,
        "bpm_source": analysis.bpm_source,
        "bpm_conflict": analysis.bpm_conflict,
        "key_source": analysis.key_source,
        "key_conflict": analysis.key_conflict,
    }


def rounded(value: float | None) -> float | None:
    """Round a level for people."""
    return None if value is None else round(value, 2)


def readable(record: dict[str, Any]) -> str:
    """Write one line for people."""
    name = Path(record["file"]).name
    if not record["ok"]:
        return f"{name:<40} {record['error']}"
    tempo = f"{record['bpm']:7.2f} BPM" if record["bpm"] else "          -"
    key = record["key"] or "-"
    return f"{name:<40} {record['duration']:8.2f} s  {record['kind']:<8} {tempo}  {key}"
