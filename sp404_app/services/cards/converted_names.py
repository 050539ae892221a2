"""Names of converted files: by a template, acceptable for the device or for every computer."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sp404_app.devices.capabilities import BANKS, MK2
from sp404_app.services.cards.download_formats import FORMATS, DownloadFormat
from sp404_app.services.cards.name_template import Template, fill_template
from sp404_app.services.infra import zip_names
from sp404_app.services.projects.device_names import device_name, transliterate

MIN_NAME_LENGTH: Final = 4  # of the sound's name, if a device name is too long
FLATS: Final = {"C#": "Db", "D#": "Eb", "F#": "Gb", "G#": "Ab", "A#": "Bb"}


@dataclass(frozen=True, slots=True)
class NamedSound:
    """What a name is made of; `bpm`, `key` ("F# minor") and `sound_class` may be unknown."""

    name: str
    folder: str = ""
    bpm: float | None = None
    key: str | None = None
    sound_class: str | None = None


def name_files(
    sounds: Iterable[NamedSound],
    template: Template,
    wanted: DownloadFormat,
    *,
    folders: bool = False,
) -> Iterator[str]:
    """Yield a path for each sound, all different; repeated names are numbered from 2 on.

    `{n}` counts from 1. `{bank}` and `{pad}` are the pad that the sound gets if the sounds are put
    on pads in this order; sounds beyond the last pad have none. With `folders`, files are in the
    folders of the library. A name depends on the sounds before it only.
    """
    names = UniqueNames(wanted)
    for index, sound in enumerate(sounds):
        values = template_values(sound, index, wanted)
        folder = _safe_folder(sound.folder, wanted) if folders else ""
        yield names.add(folder, _stem(template, values, wanted))


class UniqueNames:
    """The names that are taken in each folder. Case does not make names different."""

    def __init__(self, wanted: DownloadFormat) -> None:
        self.wanted = wanted
        self.taken: set[str] = set()
        self.numbers: dict[str, int] = {}  # the last number that was added to a name

    def add(self, folder: str, stem: str) -> str:
        """Return a free path for a name."""
        plain = path = folder + _file_name(stem, "", self.wanted)
        number = self.numbers.get(_collision_key(plain), 1)
        while _collision_key(path) in self.taken:
            number += 1
            path = folder + _file_name(stem, f" {number}", self.wanted)
        self.numbers[_collision_key(plain)] = number
        self.taken.add(_collision_key(path))
        return path


def template_values(sound: NamedSound, index: int, wanted: DownloadFormat) -> dict[str, str]:
    """Return the values of a template's fields for the sound at an index of a list."""
    device = FORMATS[wanted].device
    bank, pad = divmod(index, (device or MK2).pads_per_bank)
    has_pad = bank < len(BANKS)
    return {
        "bank": BANKS[bank] if has_pad else "",
        "pad": f"{pad + 1:02}" if has_pad else "",
        "name": transliterate(sound.name) if device else sound.name,
        "bpm": f"{sound.bpm:.2f}".rstrip("0").rstrip(".") if sound.bpm else "",
        "key": _short_key(sound.key, is_flat=device is not None) if sound.key else "",
        "class": sound.sound_class or "",
        "n": str(index + 1),
    }


def _short_key(key: str, *, is_flat: bool) -> str:
    """Return "F# minor" as "F#m", or as "Gbm" because no device loads names with "#"."""
    pitch, _, mode = key.partition(" ")
    return (FLATS.get(pitch, pitch) if is_flat else pitch) + "m" * (mode == "minor")


def _stem(template: Template, values: dict[str, str], wanted: DownloadFormat) -> str:
    """Return a name without its extension; on a device, the sound's name is shortened first."""
    filled = fill_template(template, values)
    excess = len(transliterate(filled)) - MK2.max_pad_name
    if FORMATS[wanted].device is None or excess <= 0:
        return filled
    kept = max(MIN_NAME_LENGTH, len(values["name"]) - excess)
    return fill_template(template, values | {"name": values["name"][:kept].rstrip()})


def _file_name(stem: str, number: str, wanted: DownloadFormat) -> str:
    """Return the name of a file, with a number before its extension."""
    extension = FORMATS[wanted].extension
    if FORMATS[wanted].device is None:
        return zip_names.with_extension(stem, extension, number)
    short = device_name(stem)[: MK2.max_pad_name - len(number)].rstrip(" .")
    if zip_names.DEVICES.fullmatch(short.partition(".")[0]):
        short = f"_{short}"[: MK2.max_pad_name - len(number)]
    return f"{short}{number}{extension}"


def _safe_folder(folder: str, wanted: DownloadFormat) -> str:
    """Return a folder of the library as the beginning of a path."""
    parts = [part for part in folder.split("/") if part.strip(" .")]
    name = zip_names.safe_name if FORMATS[wanted].device is None else device_name
    return "".join(f"{name(part)}/" for part in parts)


def _collision_key(path: str) -> str:
    return unicodedata.normalize("NFKC", path.casefold())
