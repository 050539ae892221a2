"""The card doctor: what is wrong with a project and its files on the card. Pure functions.

Every problem says what it is and, where a click can mend it, what the click does. Originals are
never changed.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from sp404_app.devices.capabilities import BANKS, DeviceKind
from sp404_app.models import PadSource, Sample
from sp404_app.services.cards import device_audio
from sp404_app.services.cards.card_comparison import position_of
from sp404_app.services.cards.card_paths import is_left_over
from sp404_app.services.cards.export_plan import stored_name
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.projects.kit import Kit, PadContent, PadPosition
from sp404_app.services.projects.pad_edits import edit_of

ProblemKind = Literal[
    "missing_sound", "trashed_sound", "refused_file", "too_long", "name",
    "repeated_sound", "unused_sound", "leftover",
]  # fmt: skip
BYTES_PER_FRAME: Final = {1: 2, 2: 4}
MAX_PROBLEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class CheckedProject:
    """What the doctor looks at. `card` are the files on the card when they were last seen.

    `found_again` are samples of the library with the sound that a pad has lost, by the pad.
    """

    kit: Kit
    samples: Mapping[uuid.UUID | None, Sample]
    sources: Mapping[uuid.UUID | None, PadSource] = field(default_factory=dict)
    card: Sequence[ListedFile] = ()
    found_again: Mapping[PadPosition, uuid.UUID] = field(default_factory=dict)

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
    problems += _repeated_sounds(project.kit)
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


def _repeated_sounds(kit: Kit) -> Iterator[Problem]:
    places: dict[uuid.UUID, list[PadPosition]] = {}
    for at in sorted(kit.pads):
        if sample_id := kit.pads[at].sample_id:
            places.setdefault(sample_id, []).append(at)
    for sample_id, found in places.items():
        if len(found) > 1:
            pads = tuple(map(str, found))
            what = f"The same sound is on {', '.join(pads[:-1])} and {pads[-1]}."
            id_ = f"repeated_sound:{sample_id}"
            first = found[0]
            yield Problem(
                id_, "repeated_sound", what, False, bank=first.bank_letter, pad=first.pad, pads=pads
            )


def _card_problems(project: CheckedProject) -> Iterator[Problem]:
    """Yield sounds that no pad uses, empty files, and what other programs left on the card."""
    used = {(at.bank_letter, at.pad) for at in project.kit.pads}
    for file in project.card:
        place = position_of(file.path)
        if is_left_over(file.path):
            yield _of_file("leftover", file, "A computer left this file behind.")
        elif not file.bytes:
            yield _of_file("leftover", file, "This file is empty.")
        elif place and place not in used:
            yield _of_file("unused_sound", file, "No pad uses this sound.")


def _of_file(kind: ProblemKind, file: ListedFile, what: str) -> Problem:
    bank, pad = position_of(file.path) or (None, None)
    return Problem(
        f"{kind}:{file.path}", kind, what, can_fix=False, bank=bank, pad=pad, path=file.path
    )


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
