"""Chop the sound of a pad: to markers on the pad, or to pads of their own.

Positions are found in the original: hits in its decoded samples (at most two minutes from the start
of the region), beats in its analysis. Decoding runs in the caller's thread, not on the event loop,
before the project is locked.
"""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

from sqlmodel import Session

from sp404_app.audio.features import chops
from sp404_app.audio.features.chops import MAX_CHOPS
from sp404_app.audio.io import decode
from sp404_app.audio.render.edit import GAIN_DB, NO_EDIT, Edit, edit_to_json, is_integer
from sp404_app.audio.render.length import map_frame, original_position, trim_span
from sp404_app.devices.capabilities import Device
from sp404_app.devices.pad_settings import DEFAULTS, default_loop_top
from sp404_app.errors import ChangedMeanwhile, Conflict, Unavailable, ValidationFailed
from sp404_app.models import Project, Sample
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
from sp404_app.services.projects import history
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition, fill_pads, put_pads
from sp404_app.services.projects.pad_edits import edit_of, frames_of, source_frames
from sp404_app.services.projects.pads import clean_chops
from sp404_app.services.projects.projects import device_of
from sp404_app.services.sample import details

ChopBy = Literal["transients", "equal", "grid"]
ChopTo = Literal["markers", "pads"]

METHODS: Final = ("transients", "equal", "grid")
RESULTS: Final = ("markers", "pads")
MIN_PARTS: Final = 2
DEFAULT_EQUAL_PARTS: Final = MAX_CHOPS
MAX_DECODED_S: Final = decode.MAX_SEGMENT_S
CROSSING_REACH_S: Final = 0.005
SHORTEST_BEAT_SHARE: Final = 0.25  # of a beat, that the last part of a grid has at least
NAME_LENGTH: Final = 20  # leaves room for a number among the 23 characters of a pad name
MAX_DECODERS: Final = 2  # of each web process; two minutes of stereo take 70 MB
DECODER_WAIT_S: Final = 5.0

decoders = threading.BoundedSemaphore(MAX_DECODERS)


@dataclass(frozen=True, slots=True)
class Method:
    """How to chop. `parts` is 2 to 16; `sensitivity` is 0 (strong hits) to 1 (all).

    `parts` is how many equal parts, at most how many hits, or at most how many divisions of the
    beat grid: half beats if twice as many fit, every second beat if the beats are too many.
    """

    by: ChopBy
    parts: int | None = None
    sensitivity: float = 0.5

    def __post_init__(self) -> None:
        """Check the values, which may come from anywhere.

        Raises:
            ValidationFailed: If one is invalid; details name the field.
        """
        message, field = "", ""
        if self.by not in METHODS:
            message, field = "Choose transients, equal or grid.", "by"
        elif self.parts is not None and not (
            is_integer(self.parts) and MIN_PARTS <= self.parts <= MAX_CHOPS
        ):
            message, field = f"Choose from {MIN_PARTS} to {MAX_CHOPS} parts.", "parts"
        elif not isinstance(self.sensitivity, int | float) or not 0 <= self.sensitivity <= 1:
            message, field = "Choose a sensitivity from 0 to 1.", "sensitivity"
        if message:
            raise ValidationFailed(message, {field: [message]})


@dataclass(frozen=True, slots=True)
class Chopped:
    """The changed project, the pads that were filled, and how many chops found no free pad."""

    project: Project
    filled: list[PadPosition]
    not_placed: int


@dataclass(frozen=True, slots=True)
class PadSource:
    """A pad with its sample: `first` and `last` are frames of the original that the pad plays."""

    content: PadContent
    sample: Sample
    device: Device
    rate: int  # of the original, Hz
    frames: int  # of the original
    first: int
    last: int


def chop(
    session: Session, target: history.Target, at: PadPosition, method: Method, to: ChopTo
) -> Chopped:
    """Chop the region that a pad plays, in one step of undo history.

    "markers" sets the pad's chops, of which the first is 0; `revision` is that of the pad. "pads"
    puts each part on a free pad after it, with the same sample and a trim; `revision` is that of
    the project.

    Raises:
        ValidationFailed: If a value is invalid, the pad is empty, or the sound has no tempo for a
            grid.
        Conflict: If the sample is not decoded yet, or the pad trims silence.
        BadAudio: If the file cannot be decoded.
        Unavailable: If too many sounds are being chopped.
        NotFound, ChangedMeanwhile: As `history.change_project`.
    """
    if to not in RESULTS:
        raise ValidationFailed("Choose markers or pads.", {"to": ["Choose markers or pads."]})
    source = _load_source(session, target.user_id, target.project_id, at)
    found = find_chops(session, target.user_id, source, method)
    parts: list[PadContent] = []
    filled: list[PadPosition] = []

    def mutate(kit: Kit) -> Kit:
        if kit.pads.get(at) != source.content:
            raise ChangedMeanwhile(f"Pad {at} was changed in the meantime. Load it again.")
        if to == "markers":
            return put_pads(kit, {at: with_markers(source, found)})
        parts.extend(part_contents(source, found))
        kit, positions = fill_pads(kit, at, parts)
        filled.extend(positions)
        return kit

    pad = at if to == "markers" else None
    project = history.change_project(session, target, f"Chop {at} to {to}", mutate, pad)
    return Chopped(project, filled, len(parts) - len(filled))


def _load_source(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, at: PadPosition
) -> PadSource:
    project = history.get_project(session, user_id, project_id)
    content = history.load_kit(session, project).pads.get(at)
    if content is None or content.sample_id is None:
        raise ValidationFailed(f"Pad {at} has no sound.", {"pad": [f"Pad {at} has no sound."]})
    sample = samples.get_sample(session, user_id, content.sample_id)
    frames = source_frames(sample)
    if not frames or not sample.sample_rate:
        raise Conflict("This sound is not decoded yet. Try again in a moment.")
    if edit_of(content).trim_silence is not None:
        raise Conflict("This pad trims silence. Remove that from its edit to chop it.")
    device = device_of(project)
    first, last = played_region(content, frames, sample.sample_rate, device.rate)
    return PadSource(content, sample, device, sample.sample_rate, frames, first, last)


def played_region(content: PadContent, frames: int, rate: int, device_rate: int) -> tuple[int, int]:
    """Return the frames of the original that a pad plays from its start to its end."""
    edit, settings = edit_of(content), content.settings
    span = trim_span(edit, frames)
    if not settings["start"] and settings["end"] is None:
        return span
    ends = [
        round(original_position(position, edit, frames, rate, device_rate))
        for position in (settings["start"], settings["end"])
        if position is not None
    ]
    if len(ends) == 1:
        ends.append(span[0] if edit.reverse else span[1])
    return min(ends), max(ends)


def find_chops(
    session: Session, user_id: uuid.UUID, source: PadSource, method: Method
) -> list[int]:
    """Return where parts begin, in frames of the original; the first is the region's start.

    Raises:
        ValidationFailed: If the grid of a sound without tempo is wanted.
        BadAudio, Unavailable: As `chop`.
    """
    if method.by == "transients":
        return _find_hits(source, method)
    length = source.last - source.first
    if method.by == "equal":
        found = chops.chop_equally(length, method.parts or DEFAULT_EQUAL_PARTS)
    else:
        start_s = source.first / source.rate
        beats = [beat - start_s for beat in beats_of(session, user_id, source.sample)]
        wanted = method.parts or MAX_CHOPS
        grid = divide_beats(beats, length / source.rate, method.parts)
        found = chops.chop_by_grid(grid, length, source.rate)
        while len(found) > wanted:
            found = found[::2]
    return _snap_to_crossings(source, [source.first + frame for frame in found])


def _find_hits(source: PadSource, method: Method) -> list[int]:
    last = min(source.last, source.first + round(MAX_DECODED_S * source.rate))
    with _decoder_slot(), storage.local_copy(source.sample.storage_key) as path:
        signal, rate = decode.decode_segment(
            path, (source.first + 0.5) / source.rate, last / source.rate
        )
        found = chops.chop_by_transients(
            signal, rate, float(method.sensitivity), method.parts or MAX_CHOPS
        )
    return [source.first + frame for frame in found]


def _snap_to_crossings(source: PadSource, found: Sequence[int]) -> list[int]:
    """Move each position to a zero crossing near it, except the region's start."""
    reach = round(CROSSING_REACH_S * source.rate)
    snapped = {source.first}
    with _decoder_slot(), storage.local_copy(source.sample.storage_key) as path:
        for frame in found[1:]:
            begin = max(0, frame - reach - 1)
            near, _ = decode.decode_segment(
                path, (begin + 0.5) / source.rate, (frame + reach + 1) / source.rate
            )
            snapped.add(begin + chops.nearest_zero_crossing(near, frame - begin, reach))
    return sorted(frame for frame in snapped if source.first <= frame < source.last)


@contextmanager
def _decoder_slot() -> Iterator[None]:
    """Wait until fewer than `MAX_DECODERS` sounds of this process are being decoded.

    Raises:
        Unavailable: If that takes longer than `DECODER_WAIT_S`.
    """
    if not decoders.acquire(timeout=DECODER_WAIT_S):
        raise Unavailable("Too many sounds are being chopped. Try again in a few seconds.")
    try:
        yield
    finally:
        decoders.release()


def beats_of(session: Session, user_id: uuid.UUID, sample: Sample) -> list[float]:
    """Return the beats of a whole sample in seconds; the analysis has those of 30 s.

    The beat at the end, where a loop begins again, is none of its beats.

    Raises:
        ValidationFailed: If the sample has no tempo.
    """
    if not sample.bpm or not sample.duration:
        message = "This sound has no tempo. Set its tempo, or chop it at its hits."
        raise ValidationFailed(message, {"by": [message]})
    known = details.beat_grid(details.find_sample_details(session, user_id, sample.id)).beats
    beat_s = 60 / sample.bpm
    first = known[-1] + beat_s if known else 0.0
    last = sample.duration - SHORTEST_BEAT_SHARE * beat_s
    return [beat for beat in known + chops.beat_times(sample.bpm, last, first) if beat < last]


def divide_beats(beats: Sequence[float], seconds: float, parts: int | None) -> list[float]:
    """Return the beats inside a sound, halved as often as not more than `parts` parts result."""
    inside: list[float] = [beat for beat in beats if 0 <= beat < seconds]
    while parts and len(inside) > 1 and 2 * len(inside) <= parts:
        last: float = inside[-1] + (inside[-1] - inside[-2]) / 2
        halves = [(one + other) / 2 for one, other in pairwise(inside)]
        between: list[float] = [*inside, *halves, last]
        inside = [beat for beat in sorted(between) if beat < seconds]
    return inside


def with_markers(source: PadSource, found: Sequence[int]) -> PadContent:
    """Return the pad with chop markers where these frames of the original are in its audio."""
    edit, rate = edit_of(source.content), source.device.rate
    positions = {0}
    for frame in found:
        plain = round(frame * rate / source.rate)  # in the audio without an edit
        positions.add(map_frame(plain, NO_EDIT, edit, source.frames, source.rate, rate))
    markers = clean_chops(sorted(positions)[:MAX_CHOPS], source.content.frames)
    return replace(source.content, chops=markers)


def part_contents(source: PadSource, found: Sequence[int]) -> list[PadContent]:
    """Return one pad for each part, in the order in which they are heard."""
    edit = fixed_gain(edit_of(source.content), source.sample)
    spans = list(pairwise([*found, source.last]))
    if edit.reverse:
        spans.reverse()
    return [
        _part_content(source, replace(edit, trim=span), number)
        for number, span in enumerate(spans, 1)
    ]


def _part_content(source: PadSource, edit: Edit, number: int) -> PadContent:
    kept = dict(source.content.settings) | {
        name: DEFAULTS[name] for name in ("start", "end", "loop", "pad_link")
    }
    frames = frames_of(source.sample, edit, source.device)
    kept["loop_top"] = default_loop_top(kept, frames)
    name = f"{source.content.name[:NAME_LENGTH].rstrip()} {number}"
    return PadContent(source.content.sample_id, name, kept, edit_to_json(edit), frames=frames)


def fixed_gain(edit: Edit, sample: Sample) -> Edit:
    """Return an edit for parts of a sound: without fades, and with a gain instead of normalising.

    Normalising each part would make all parts equally loud.
    """
    edit = replace(edit, fade_in=0.0, fade_out=0.0)
    if edit.normalise is None:
        return edit
    level = sample.peak_dbfs if edit.normalise.to == "peak" else sample.loudness_lufs
    gain = edit.gain_db + (edit.normalise.value - level if level is not None else 0.0)
    low, high = GAIN_DB
    return replace(edit, normalise=None, gain_db=round(min(max(gain, low), high), 2))
