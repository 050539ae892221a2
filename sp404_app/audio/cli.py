"""`python -m sp404_app analyse FILE… [--json]`: analyse files without a server."""

import json
from pathlib import Path
from typing import Any

from sp404_app.audio.features.analysis import FileAnalysis, analyse_file
from sp404_app.errors import BadAudio


def main(paths: list[Path], as_json: bool) -> int:
    """Analyse files, print one line for each, and return the exit code."""
    failures = 0
    for path in paths:
        record = analysis_record(path)
        failures += not record["ok"]
        print(json.dumps(record) if as_json else format_line(record), flush=True)
    return 1 if failures else 0


def analysis_record(path: Path) -> dict[str, Any]:
    """Analyse one file and return a record; errors go into `error`."""
    try:
        return {"file": str(path), "ok": True, "error": None} | flatten_analysis(analyse_file(path))
    except BadAudio as error:
        return {"file": str(path), "ok": False, "error": str(error)}
    except OSError as error:
        return {"file": str(path), "ok": False, "error": f"Can't read the file: {error.strerror}."}


def flatten_analysis(result: FileAnalysis) -> dict[str, Any]:
    """Convert an analysis to the documented fields."""
    survey, analysis = result.survey, result.analysis
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
        "loudness_lufs": round_level(survey.loudness_lufs),
        "peak_dbfs": round_level(survey.peak_dbfs),
        "onsets": analysis.onsets,
        "class": analysis.sound_class,
        "root_note": analysis.root_note,
        "tuning_cents": analysis.tuning_cents,
        "bpm_source": analysis.bpm_source,
        "bpm_conflict": analysis.bpm_conflict,
        "key_source": analysis.key_source,
        "key_conflict": analysis.key_conflict,
    }


def round_level(value: float | None) -> float | None:
    """Round a level in dB to two digits."""
    return None if value is None else round(value, 2)


def format_line(record: dict[str, Any]) -> str:
    """Format one record as a line of text."""
    name = Path(record["file"]).name
    if not record["ok"]:
        return f"{name:<40} {record['error']}"
    tempo = f"{record['bpm']:7.2f} BPM" if record["bpm"] else "          -"
    key = record["key"] or "-"
    return f"{name:<40} {record['duration']:8.2f} s  {record['kind']:<8} {tempo}  {key}"
