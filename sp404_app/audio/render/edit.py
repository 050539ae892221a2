"""The edit of a pad: instructions that a render applies; the original is never altered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, cast

from sp404_app.audio.io.header import MAX_SAMPLE_RATE_HZ, MAX_SECONDS
from sp404_app.errors import ValidationFailed

Channels = Literal["keep", "left", "right", "mono"]
NormaliseTo = Literal["peak", "lufs"]

CHANNELS: Final = ("keep", "left", "right", "mono")
MAX_TRIM_FRAMES: Final = MAX_SECONDS * MAX_SAMPLE_RATE_HZ  # no accepted file is longer
SILENCE_DBFS: Final = (-96.0, -6.0)
SEMITONES: Final = (-24.0, 24.0)
STRETCH: Final = (0.25, 4.0)  # output length / input length
BPM: Final = (20.0, 400.0)
PEAK_DBFS: Final = (-60.0, 0.0)
LUFS: Final = (-60.0, 0.0)
GAIN_DB: Final = (-60.0, 24.0)
FADE_S: Final = (0.0, 60.0)


class InvalidEdit(ValidationFailed):
    """A value of an edit is invalid; `field` names it ("" for the edit as a whole)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, {f"edit.{field}" if field else "edit": [message]})
        self.field = field


@dataclass(frozen=True, slots=True)
class TempoStretch:
    """A stretch from one tempo in BPM to another."""

    from_bpm: float
    to_bpm: float

    @property
    def ratio(self) -> float:
        """Output length divided by input length."""
        return self.from_bpm / self.to_bpm


@dataclass(frozen=True, slots=True)
class Normalise:
    """The level to reach: the highest sample in dBFS, or the integrated loudness in LUFS."""

    to: NormaliseTo
    value: float


@dataclass(frozen=True, slots=True)
class Edit:
    """What a render changes; the defaults change nothing.

    `trim` is the first frame and the frame after the last, of the original. `trim_silence` is the
    level in dBFS at or below which leading and trailing frames are removed. `pitch` and
    `resample_trick` are in semitones; the latter also changes the length, as a faster tape does.
    `stretch` is output length / input length, `gain_db` is in dB, the fades are in seconds of the
    result.
    """

    channels: Channels = "keep"
    trim: tuple[int, int] | None = None
    trim_silence: float | None = None
    reverse: bool = False
    pitch: float = 0.0
    stretch: float | None = None
    stretch_to_bpm: TempoStretch | None = None
    resample_trick: float | None = None
    normalise: Normalise | None = None
    gain_db: float = 0.0
    fade_in: float = 0.0
    fade_out: float = 0.0


NO_EDIT: Final = Edit()


def parse_edit(value: object) -> Edit:
    """Return the edit that a JSON value describes; None describes `NO_EDIT`.

    Raises:
        InvalidEdit: If a field is unknown, of the wrong type, or out of range.
    """
    if value is None:
        return NO_EDIT
    if not isinstance(value, Mapping):
        raise InvalidEdit("", "An edit must be an object.")
    for name in value:
        if name not in PARSERS:
            raise InvalidEdit("", f"An edit has no field {str(name)[:40]!r}.")
    items = cast("Mapping[str, object]", value).items()
    edit = Edit(**{name: PARSERS[name](name, item) for name, item in items})
    if edit.stretch is not None and edit.stretch_to_bpm is not None:
        raise InvalidEdit("stretch_to_bpm", "Choose either stretch or stretch_to_bpm.")
    return edit


def edit_to_json(edit: Edit) -> dict[str, Any]:
    """Return the fields that differ from `NO_EDIT`, in the order of the class, as JSON values."""
    changed = {
        field.name: getattr(edit, field.name)
        for field in fields(Edit)
        if getattr(edit, field.name) != field.default
    }
    return {name: value_to_json(value) for name, value in changed.items()}


def value_to_json(value: object) -> object:
    """Return a field's value as JSON."""
    match value:
        case TempoStretch(from_bpm, to_bpm):
            return {"from": from_bpm, "to": to_bpm}
        case Normalise(to, level):
            return {"to": to, "value": level}
        case tuple():
            return list(value)
        case _:
            return value


def parse_channels(field: str, value: object) -> Channels:
    """Return the choice of channels."""
    if not isinstance(value, str) or value not in CHANNELS:
        raise InvalidEdit(field, f"{field} must be one of {', '.join(CHANNELS)}.")
    return cast("Channels", value)


def parse_trim(field: str, value: object) -> tuple[int, int] | None:
    """Return the first frame and the frame after the last."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(is_integer, value)):
        raise InvalidEdit(field, f"{field} must be two whole frame numbers.")
    first, last = value
    if not 0 <= first < last <= MAX_TRIM_FRAMES:
        raise InvalidEdit(field, f"{field} must be in the sound, and its end after its start.")
    return first, last


def is_integer(value: object) -> bool:
    """Return whether a value is an integer; `True` is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def parse_boolean(field: str, value: object) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise InvalidEdit(field, f"{field} must be true or false.")
    return value


def parse_number(field: str, value: object, limits: tuple[float, float]) -> float:
    """Return a number within the limits."""
    low, high = limits
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return float(value) + 0.0  # -0.0 becomes 0.0
    raise InvalidEdit(field, f"{field} must be a number from {low:g} to {high:g}.")


def parse_tempo_stretch(field: str, value: object) -> TempoStretch | None:
    """Return both tempos; their ratio must be within `STRETCH`."""
    if value is None:
        return None
    parts = parse_object(field, value, ("from", "to"))
    change = TempoStretch(*(parse_number(field, parts[name], BPM) for name in ("from", "to")))
    parse_number(field, change.ratio, STRETCH)
    return change


def parse_normalise(field: str, value: object) -> Normalise | None:
    """Return the kind of level and its value."""
    if value is None:
        return None
    parts = parse_object(field, value, ("to", "value"))
    if parts["to"] == "peak":
        return Normalise("peak", parse_number(field, parts["value"], PEAK_DBFS))
    if parts["to"] == "lufs":
        return Normalise("lufs", parse_number(field, parts["value"], LUFS))
    raise InvalidEdit(field, f"{field} must be to peak or lufs.")


def parse_object(field: str, value: object, names: tuple[str, ...]) -> Mapping[str, object]:
    """Return a JSON object that has exactly these names."""
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise InvalidEdit(field, f"{field} must be an object with {' and '.join(names)}.")
    return value


def number_within(limits: tuple[float, float]) -> Callable[[str, object], float]:
    """Return a parser of numbers within the limits."""
    return lambda field, value: parse_number(field, value, limits)


def optional_number_within(limits: tuple[float, float]) -> Callable[[str, object], float | None]:
    """Return a parser of numbers within the limits, or None."""
    return lambda field, value: None if value is None else parse_number(field, value, limits)


PARSERS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "channels": parse_channels,
    "trim": parse_trim,
    "trim_silence": optional_number_within(SILENCE_DBFS),
    "reverse": parse_boolean,
    "pitch": number_within(SEMITONES),
    "stretch": optional_number_within(STRETCH),
    "stretch_to_bpm": parse_tempo_stretch,
    "resample_trick": optional_number_within(SEMITONES),
    "normalise": parse_normalise,
    "gain_db": number_within(GAIN_DB),
    "fade_in": number_within(FADE_S),
    "fade_out": number_within(FADE_S),
}
