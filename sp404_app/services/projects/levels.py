"""Level the pads of a bank: normalise all to one peak or one loudness."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlmodel import Session

from sp404_app.audio.render.edit import (
    LUFS,
    PEAK_DBFS,
    InvalidEdit,
    Normalise,
    NormaliseTo,
    edit_to_json,
    parse_number,
)
from sp404_app.devices.capabilities import BANKS
from sp404_app.errors import ValidationFailed
from sp404_app.models import Project, Sample
from sp404_app.services.projects import history
from sp404_app.services.projects.kit import Kit, PadContent, pads_of_bank, put_pads
from sp404_app.services.projects.pad_edits import edit_of
from sp404_app.services.projects.pad_sounds import samples_by_id

LIMITS: Final[Mapping[NormaliseTo, tuple[float, float]]] = {"peak": PEAK_DBFS, "lufs": LUFS}
DEFAULT_PEAK_DBFS: Final = -1.0
DEFAULT_LUFS: Final = -14.0
MIN_DEFAULT_LUFS: Final = -24.0  # one very short hit must not make all pads quieter than this


@dataclass(frozen=True, slots=True)
class Levelled:
    """The changed project, and the level in dBFS or LUFS that its pads now have."""

    project: Project
    value: float


def level_bank(
    session: Session,
    target: history.Target,
    bank: int,
    to: NormaliseTo,
    value: float | None = None,
) -> Levelled:
    """Normalise each pad of a bank to the same peak in dBFS or loudness in LUFS, in one step.

    A pad's own gain is set to 0, because it would make the levels different again. Pads whose
    sample is missing stay as they are. Without a `value` it is −1 dBFS, or the loudness of
    `common_loudness`.

    Raises:
        ValidationFailed: If the value is out of range.
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    if to not in LIMITS:
        raise ValidationFailed("Choose peak or lufs.", {"to": ["Choose peak or lufs."]})
    level = None if value is None else _parse_level(to, value)
    reached: list[float] = []

    def mutate(kit: Kit) -> Kit:
        inside = pads_of_bank(kit, bank)
        found = samples_by_id(session, target.user_id, [pad.sample_id for pad in inside.values()])
        wanted = default_level(to, found.values()) if level is None else level
        reached.append(wanted)
        changed = {
            at: normalise_pad(pad, Normalise(to, wanted))
            for at, pad in inside.items()
            if pad.sample_id in found
        }
        return put_pads(kit, changed)

    label = f"Level bank {BANKS[bank]}"
    project = history.change_project(session, target, label, mutate)
    return Levelled(project, reached[0])


def _parse_level(to: NormaliseTo, value: object) -> float:
    try:
        return parse_number("value", value, LIMITS[to])
    except InvalidEdit as error:
        raise ValidationFailed(str(error), {"value": [str(error)]}) from None


def normalise_pad(content: PadContent, normalise: Normalise) -> PadContent:
    """Return a pad that is rendered at a level. Its length and positions stay."""
    edit: Mapping[str, Any] = edit_to_json(
        replace(edit_of(content), normalise=normalise, gain_db=0.0)
    )
    return replace(content, edit=edit)


def default_level(to: NormaliseTo, samples: Iterable[Sample]) -> float:
    """Return the level that pads get if none is chosen."""
    return DEFAULT_PEAK_DBFS if to == "peak" else common_loudness(samples)


def common_loudness(samples: Iterable[Sample]) -> float:
    """Return the highest loudness in LUFS that all samples reach with peaks at −1 dBFS.

    It is at most −14 LUFS and at least −24 LUFS. The peaks are those of the samples without edits.
    """
    reachable = [
        sample.loudness_lufs - sample.peak_dbfs + DEFAULT_PEAK_DBFS
        for sample in samples
        if sample.loudness_lufs is not None and sample.peak_dbfs is not None
    ]
    lowest = min(reachable, default=DEFAULT_LUFS)
    return round(max(MIN_DEFAULT_LUFS, min(DEFAULT_LUFS, lowest)), 1)
