"""Export of a full MKII project, against FFmpeg over the same files: `python bench/export.py`.

160 pads of 10 s, stereo, 24 bit at 44.1 kHz, synthesised. Ours is the export job's own function
with a real database and store in a new process: it renders every pad (no render exists), writes the
archive, reads it again, compares and stores it. Theirs is a shell loop of FFmpeg, one process a
file, and the same with `xargs -P2`; it only converts. They take turns, and medians are compared.
Processor times are printed, too: on a machine that does other work, they say more. Then the
unchanged project is exported again. Returns 1 if a target is missed.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from batches import temporary_home
from instance import create_user
from peaks import peak_resident_mb
from sqlmodel import update

from sp404_app import db
from sp404_app.devices.capabilities import MK2
from sp404_app.jobs import runner
from sp404_app.models import JobStatus, ProcessingJob, Sample
from sp404_app.services.cards import exports
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.library import samples
from sp404_app.services.projects import projects

PADS, SECONDS, RATE, ROUNDS, REPEATS = 160, 10, 44_100, 3, 20
MIN_RATIO_LOOP, MIN_RATIO_PARALLEL, MIN_RATIO_UNCHANGED, MAX_MEMORY_MB = 3.0, 2.0, 20.0, 300.0
FFMPEG = (
    "ffmpeg -nostdin -v error -y -i {source} -af aresample=48000:resampler=soxr:precision=28:"
    "osf=s16:dither_method=triangular -c:a pcm_s16le {target}"
)


def main() -> int:
    """Measure, print, and say whether the targets are reached."""
    if sys.argv[1:2] == ["--job"]:
        return run_job(sys.argv[2])
    with temporary_home() as home, tempfile.TemporaryDirectory(prefix="sp404b-") as folder:
        sounds = Path(folder) / "sounds"
        sounds.mkdir()
        user_id, project_id = make_project(home, sounds)
        return measure(user_id, project_id, sounds, Path(folder) / "converted")


def make_project(home: Path, folder: Path) -> tuple[uuid.UUID, uuid.UUID]:
    """Write the sounds, add them to a library, and put each on a pad."""
    rng = np.random.default_rng(3)
    with db.transaction() as session:
        user_id = create_user(session, "export@example.org", "x").id
    ids: list[uuid.UUID] = []
    t = np.arange(SECONDS * RATE) / RATE
    for number in range(PADS):
        chord = sum(np.sin(2 * np.pi * (80 + 3 * number) * n * t) / n for n in range(1, 4))
        noise = rng.normal(0, 0.1, (len(t), 2)) * np.exp(-(t % 0.5) / 0.05)[:, None]
        path = folder / f"{number:03}.wav"
        soundfile.write(path, np.clip(0.25 * chord[:, None] + noise, -1, 1), RATE, "PCM_24")
        with db.transaction() as session:
            incoming = samples.inspect_file(path, path.name)
            ids.append(samples.add_sample(session, user_id, incoming))
    with db.transaction() as session:
        session.exec(update(Sample).values(duration=float(SECONDS), sample_rate=RATE, channels=2))
        made = projects.create_project(session, user_id, "Full", MK2, ids)
    print(f"{PADS} pads of {SECONDS} s in {home}, load {os.getloadavg()[0]:.1f}", flush=True)
    return user_id, made.project.id


def measure(user_id: uuid.UUID, project_id: uuid.UUID, sounds: Path, converted: Path) -> int:
    """Run all three in turns; return 1 if a target is missed."""
    times: dict[str, list[float]] = {"ours": [], "loop": [], "xargs -P2": []}
    memory: list[float] = []
    for slot in range(1, ROUNDS + 1):  # another slot is another archive
        seconds, peak, processor = export_once(user_id, project_id, slot)
        memory.append(peak)
        times["ours"].append(seconds)
        line = [f"ours {seconds:.2f} s ({processor:.2f} s of processor)"]
        for name, convert in (("loop", convert_in_loop), ("xargs -P2", convert_in_parallel)):
            before = children_seconds()
            times[name].append(timed(lambda convert=convert: convert(sounds, converted)))
            used = children_seconds() - before
            line.append(f"{name} {times[name][-1]:.2f} s ({used:.2f})")
        print("  ".join(line), flush=True)
    unchanged = [timed(lambda: request(user_id, project_id, ROUNDS)) for _ in range(REPEATS)]
    medians = {name: statistics.median(found) for name, found in times.items()}
    ratios = {
        "than the loop": (medians["loop"] / medians["ours"], MIN_RATIO_LOOP),
        "than xargs -P2": (medians["xargs -P2"] / medians["ours"], MIN_RATIO_PARALLEL),
        "unchanged": (medians["ours"] / statistics.median(unchanged), MIN_RATIO_UNCHANGED),
    }
    for name, (ratio, least) in ratios.items():
        print(f"{ratio:6.1f} × faster {name} (target {least:.0f})")
    print(f"{max(memory):6.0f} MB at most (target below {MAX_MEMORY_MB:.0f})")
    reached = all(ratio >= least for ratio, least in ratios.values())
    return 0 if reached and max(memory) < MAX_MEMORY_MB else 1


def export_once(user_id: uuid.UUID, project_id: uuid.UUID, slot: int) -> tuple[float, ...]:
    """Export into a slot in a new process; return seconds, peak memory in MB, processor seconds."""
    job = request(user_id, project_id, slot)
    command = [sys.executable, __file__, "--job", str(job.id)]
    place = Path(__file__).resolve().parents[1]
    environment = os.environ | {"PYTHONPATH": str(place)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return tuple(map(float, done.stdout.split()))


def children_seconds() -> float:
    """Return the processor seconds of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_job(job_id: str) -> int:
    """Run a job as a worker does; print seconds, peak memory and processor seconds."""
    before = os.times()
    seconds = timed(lambda: runner.run(job_id))
    with db.transaction() as session:
        job = session.get_one(ProcessingJob, uuid.UUID(job_id))
    used = os.times()
    processor = used.user + used.system - before.user - before.system
    print(seconds, peak_resident_mb(), processor)
    return 0 if job.status == JobStatus.DONE else 1


def request(user_id: uuid.UUID, project_id: uuid.UUID, slot: int) -> ProcessingJob:
    """Request an export, as a route does."""
    with db.transaction() as session:
        target = parse_target("mk2", "import", slot)
        return exports.request_export(session, user_id, project_id, target)


def convert_in_loop(sounds: Path, converted: Path) -> None:
    """Convert with one process of FFmpeg after the other."""
    command = FFMPEG.format(source='"$f"', target=f'"{converted}/${{f##*/}}"')
    run_shell(f'for f in "{sounds}"/*.wav; do {command}; done', converted)


def convert_in_parallel(sounds: Path, converted: Path) -> None:
    """Convert with two processes of FFmpeg at a time."""
    command = FFMPEG.format(source=f'"{sounds}/{{}}"', target=f'"{converted}/{{}}"')
    run_shell(f'ls "{sounds}" | xargs -P2 -I{{}} {command}', converted)


def run_shell(command: str, converted: Path) -> None:
    """Run a shell command that writes one file for each pad."""
    shutil.rmtree(converted, ignore_errors=True)
    converted.mkdir()
    subprocess.run(["sh", "-c", command], check=True)
    assert len(list(converted.iterdir())) == PADS


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
