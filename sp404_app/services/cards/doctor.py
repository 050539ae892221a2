"""The card doctor: what is wrong with a project and its files on the card. Pure functions.

Every problem says what it is and, where a click can mend it, what the click does. Originals are
never changed. A file on the card is only marked: the next write shows it, and deletes it.
"""

import uuid
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sp404_app.devices.capabilities import BANKS, DeviceKind
from sp404_app.devices.sx.pads import zero_tempos
from sp404_app.devices.sx.tempo import derive_tempo
from sp404_app.models import PadSource, Sample
from sp404_app.services.cards import device_audio
from sp404_app.services.cards.card_comparison import RecordedFile, position_of
from sp404_app.services.cards.card_paths import is_left_over
from sp404_app.services.cards.export_plan import stored_name
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition
from sp404_app.services.projects.pad_edits import edit_of

ProblemKind = Literal[
    "missing_sound", "trashed_sound", "refused_file", "too_long", "name", "tempo",
    "repeated_sound", "unused_sound", "leftover", "marked_file",
]  # fmt: skip
OUTSIDE_HISTORY: Final = frozenset({"trashed_sound", "unused_sound", "leftover", "marked_file"})
MARK: Final = "Delete it with the next write"
UNMARK: Final = "Keep it on the card"
BYTES_PER_FRAME: Final = {1: 2, 2: 4}
MAX_PROBLEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class CheckedProject:
    """What the doctor looks at. `card` are the files on the card when they were last seen.

    `found_again` are samples of the library with the sound that a pad has lost, by the pad.
    `played` are the pads that patterns use; None if a pattern cannot be read. `kept` are the pads
    whose files on the card a write leaves there, because the project has no sound for them.
    """

    kit: Kit
    samples: Mapping[uuid.UUID | None, Sample]
    sources: Mapping[uuid.UUID | None, PadSource] = field(default_factory=dict)
    card: Sequence[RecordedFile] = ()
    found_again: Mapping[PadPosition, uuid.UUID] = field(default_factory=dict)
    played: Container[PadPosition] | None = frozenset()
    kept: Container[tuple[str, int] | None] = frozenset()

    def sample_of(self, at: PadPosition) -> Sample | None:
        """Return the sample of a pad, None if it is gone."""
        return self.samples.get(self.kit.pads[at].sample_id)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong. `fix` says what one click does, or is "" if none can mend it."""

    id: str
    kind: ProblemKind
    what: str
    can_fix: bool
    fix: str = ""
    bank: str | None = None
    pad: int | None = None
    path: str | None = None
    pads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BankSize:
    """The bytes of 16-bit audio on the pads of a bank."""

    bank: str
    bytes: int
    pads: int


def find_problems(project: CheckedProject) -> list[Problem]:
    """Return what is wrong, pads first, in their order."""
    problems = [
        problem for at in sorted(project.kit.pads) for problem in _pad_problems(project, at)
    ]
    problems += _repeated_sounds(project)
    problems += _card_problems(project)
    return problems[:MAX_PROBLEMS]


def _pad_problems(project: CheckedProject, at: PadPosition) -> Iterator[Problem]:
    sample = project.sample_of(at)
    if sample is None:
        fix = "Put the sound back" if at in project.found_again else ""
        yield _of_pad("missing_sound", at, f"The sound of {_label(project, at)} is missing.", fix)
    elif sample.deleted_at is not None:
        what = f"The sound of {_label(project, at)} is in the trash."
        yield _of_pad("trashed_sound", at, what, "Restore the sound")
    if reason := _refusal(project, at):
        what = f"The file of {_label(project, at)}: {reason}"
        yield _of_pad("refused_file", at, what, "Write it anew in the next export")
    if _is_too_long(project, at):
        device = project.kit.device
        minutes = device.max_frames // device.rate // 60
        what = f"{_label(project, at)} is longer than {minutes} minutes."
        fix = f"Cut it to {minutes} minutes" if trimmed_span(project, at) else ""
        yield _of_pad("too_long", at, what, fix)
    name = device_spelling(project, at)
    if name is not None:
        what = f"The device cannot show the name of {_label(project, at)}."
        yield _of_pad("name", at, what, f"Rename it to “{name}”")
    if has_no_tempo(project, at):
        what = f"The tempo of {_label(project, at)} is stored as 0."
        tempo = derive_tempo(project.kit.pads[at].frames or 0)
        yield _of_pad("tempo", at, what, f"Set it to {tempo:g} BPM")


def _of_pad(kind: ProblemKind, at: PadPosition, what: str, fix: str) -> Problem:
    return Problem(f"{kind}:{at}", kind, what, bool(fix), fix, at.bank_letter, at.pad)


def _label(project: CheckedProject, at: PadPosition) -> str:
    name = project.kit.pads[at].name
    return f"{at} “{name}”" if name else str(at)


def _refusal(project: CheckedProject, at: PadPosition) -> str:
    """Return why the device refuses the file that a pad was read from, or ""."""
    source = project.sources.get(project.kit.pads[at].source_id)
    if source is None or not source.audio_header:
        return ""
    sizes = {each.sha256: each.bytes for each in project.card}
    size = sizes.get(source.audio_sha256)
    if size is None:
        return ""
    return device_audio.why_refused(source.audio_header, size, DeviceKind(source.device))


def _is_too_long(project: CheckedProject, at: PadPosition) -> bool:
    frames = project.kit.pads[at].frames
    return frames is not None and frames > project.kit.device.max_frames


def trimmed_span(project: CheckedProject, at: PadPosition) -> tuple[int, int] | None:
    """Return the frames of the sample that fit on the device; None if an edit changes the speed."""
    edit, sample = edit_of(project.kit.pads[at]), project.sample_of(at)
    is_stretched = edit.stretch or edit.stretch_to_bpm or edit.resample_trick
    if is_stretched or sample is None or not sample.sample_rate:
        return None
    device = project.kit.device
    first = edit.trim[0] if edit.trim else 0
    return first, first + device.max_frames * sample.sample_rate // device.rate


def device_spelling(project: CheckedProject, at: PadPosition) -> str | None:
    """Return a pad's name as the device would show it, if that is another one."""
    if project.kit.device.kind is DeviceKind.SX:
        return None  # it stores no names
    pad: PadContent = project.kit.pads[at]
    if not pad.name:
        return None
    name = stored_name(pad, project.sources.get(pad.source_id))
    return name if name != pad.name else None


def has_no_tempo(project: CheckedProject, at: PadPosition) -> bool:
    """Return whether a pad still has the tempo of 0 that its record on a SP-404SX card has."""
    pad = project.kit.pads[at]
    source = project.sources.get(pad.source_id)
    is_sx = project.kit.device.kind is DeviceKind.SX
    if not is_sx or source is None or source.device != DeviceKind.SX:
        return False
    names = [name for name in ("bpm", "user_bpm") if pad.settings[name] is None]
    return bool(set(names) & zero_tempos(source.record))


def _repeated_sounds(project: CheckedProject) -> Iterator[Problem]:
    places: dict[uuid.UUID, list[PadPosition]] = {}
    for at in sorted(project.kit.pads):
        if sample_id := project.kit.pads[at].sample_id:
            places.setdefault(sample_id, []).append(at)
    for sample_id, found in places.items():
        if len(found) > 1:
            pads, first = tuple(map(str, found)), found[0]
            copies = copied_pads(project, found)
            yield Problem(
                f"repeated_sound:{sample_id}",
                "repeated_sound",
                f"The same sound is on {_enumerate(pads)}.",
                can_fix=bool(copies),
                fix=f"Empty {_enumerate(tuple(map(str, copies)))}" if copies else "",
                bank=first.bank_letter,
                pad=first.pad,
                pads=pads,
            )


def copied_pads(project: CheckedProject, places: Sequence[PadPosition]) -> list[PadPosition]:
    """Return those of the pads with one sound that repeat an earlier one and that no pattern plays.

    Pads that play another part of the sound, or play it otherwise, are no copies.
    """
    if project.played is None:
        return []
    copies: list[PadPosition] = []
    seen: list[PadContent] = []
    for at in places:
        pad = replace(project.kit.pads[at], name="", source_id=None)
        if pad in seen and at not in project.played:
            copies.append(at)
        seen.append(pad)
    return copies


def _enumerate(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _card_problems(project: CheckedProject) -> Iterator[Problem]:
    """Yield sounds that no pad uses, empty ones, and what other programs left on the card."""
    used = {(at.bank_letter, at.pad) for at in project.kit.pads}
    for file in project.card:
        place = position_of(file.path)
        if place in project.kept and not file.unused:
            continue
        if file.remove:
            name = file.path.rpartition("/")[2]
            what = f"The next write deletes {name}, and shows it before."
            yield _of_file("marked_file", file, what, UNMARK)
        elif is_left_over(file.path):
            yield _of_file("leftover", file, "A computer left this file behind.")
        elif place and not file.bytes:
            yield _of_file("leftover", file, "This file is empty.")
        elif place and place not in used:
            yield _of_file("unused_sound", file, "No pad uses this sound.")


def _of_file(kind: ProblemKind, file: RecordedFile, what: str, fix: str = MARK) -> Problem:
    bank, pad = position_of(file.path) or (None, None)
    return Problem(f"{kind}:{file.path}", kind, what, True, fix, bank, pad, path=file.path)


def bank_sizes(project: CheckedProject) -> list[BankSize]:
    """Return the size of each bank on the device."""
    sizes: list[BankSize] = []
    for index, letter in enumerate(BANKS):
        pads = [at for at in project.kit.pads if at.bank == index]
        total = sum(_pad_size(project, at) for at in pads)
        sizes.append(BankSize(letter, total, len(pads)))
    return sizes


def _pad_size(project: CheckedProject, at: PadPosition) -> int:
    sample, pad = project.sample_of(at), project.kit.pads[at]
    if sample is None:
        return 0
    is_mono = sample.channels == 1 or edit_of(pad).channels != "keep"
    return (pad.frames or 0) * BYTES_PER_FRAME[1 if is_mono else 2]


def fixable(problems: Iterable[Problem], ids: Iterable[str]) -> list[Problem]:
    """Return the problems with these ids that a click can mend."""
    wanted = set(ids)
    return [each for each in problems if each.can_fix and each.id in wanted]
