"""Find the projects in a list of paths, and say what the list is: a card, or why it is none.

The names of a card are compared without case. A project is a folder with a PADCONF.BIN
(SP-404MKII, at any depth: IMPORT, EXPORT, BKUP), or one with SMPL/PAD_INFO.BIN (SP-404SX).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sp404_app.devices.capabilities import DeviceKind
from sp404_app.devices.mk2 import paths as mk2_paths
from sp404_app.devices.sx import paths as sx_paths
from sp404_app.services.cards.card_paths import fold_path, is_left_over

MAX_PATHS: Final = 60_000
Role = Literal["config", "sample", "copy"]
Key = tuple[DeviceKind, str, bool]
MK2_ROLES: Final[dict[mk2_paths.FileKind, Role]] = {
    mk2_paths.FileKind.PADCONF: "config",
    mk2_paths.FileKind.SAMPLE: "sample",
}
SX_ROLES: Final[dict[sx_paths.FileKind, Role]] = {
    sx_paths.FileKind.PAD_INFO: "config",
    sx_paths.FileKind.SAMPLE: "sample",
    sx_paths.FileKind.PATTERN: "copy",
}
PAD_INFO_NAME: Final = "pad_info.bin"
SOUNDS: Final = (".wav", ".aif", ".aiff", ".mp3", ".flac", ".m4a", ".ogg")
ENDINGS: Final = (".bin", ".smp", ".chn", ".bmp", ".wav", ".aif", ".aiff")
SX_FOLDER: Final = re.compile(r"(?:^|/)sp-404sx(?:/|$)")
MK2_PLACES: Final = {"import": "MKII IMPORT", "export": "MKII EXPORT", "bkup": "MKII backup"}


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a project: what it is for, the index of its pad, and its path in the project."""

    path: str
    role: Role
    index: int
    inner_path: str


@dataclass(frozen=True, slots=True)
class FoundProject:
    """A project in a tree: its folder as it is spelled there, and its files.

    `is_bare`: the tree begins inside SMPL, so that the paths lack it.
    """

    device: DeviceKind
    folder: str
    config: str
    is_bare: bool = False
    files: tuple[FoundFile, ...] = ()

    def samples(self) -> dict[int, list[str]]:
        """Return the paths of sample files by the index of their pad, in the order of the tree."""
        found: dict[int, list[str]] = {}
        for file in self.files:
            if file.role == "sample":
                found.setdefault(file.index, []).append(file.path)
        return found

    def copies(self) -> list[FoundFile]:
        """Return patterns, chains and pictures, which are kept as they come."""
        return [file for file in self.files if file.role == "copy"]

    def needed_paths(self, used: Iterable[int] | None) -> list[str]:
        """Return the paths to read; `used` are the pads that hold a sample, None if not known."""
        if used is None:
            return [self.config]
        samples = self.samples()
        audio = [path for index in sorted(used) for path in samples.get(index, [])]
        return [self.config, *audio, *(file.path for file in self.copies())]


@dataclass(frozen=True, slots=True)
class CardTree:
    """What a list of paths is. `why` says why it is no card; `title` names it in a few words."""

    kind: Literal["mk2", "sx", ""]
    title: str
    is_card: bool
    why: str
    projects: tuple[FoundProject, ...] = field(default=())


def read_tree(paths: Sequence[str]) -> CardTree:
    """Return what a list of paths is, with the projects in it, in the order of their folders."""
    visible = [path for path in paths if not is_left_over(path)]
    projects = find_projects(visible)
    if projects:
        kind = "mk2" if any(each.device is DeviceKind.MK2 for each in projects) else "sx"
        return CardTree(kind, _title(projects), True, "", tuple(projects))
    return _tree_without_projects([fold_path(path) for path in visible])


def find_projects(paths: Iterable[str]) -> list[FoundProject]:
    """Return every project in a list of paths, each with its files."""
    wanted = [path for path in paths if path.casefold().endswith(ENDINGS)]
    configs = {_key(each): each for path in wanted if (each := _parse_config(path))}
    files: dict[Key, list[FoundFile]] = {key: [] for key in configs}
    for path in wanted:
        for key, file in _placements(path):
            if key in files:
                files[key].append(file)
    ordered = sorted(configs.items(), key=lambda each: _natural(each[1].folder))
    return [replace(project, files=tuple(files[key])) for key, project in ordered]


def _key(project: FoundProject) -> Key:
    return project.device, fold_path(project.folder), project.is_bare


def _natural(folder: str) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", fold_path(folder))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _parse_config(path: str) -> FoundProject | None:
    """Return the project whose file of settings this is, without its files."""
    folder, _, name = path.rpartition("/")
    if fold_path(name) == fold_path(mk2_paths.PADCONF):
        return FoundProject(DeviceKind.MK2, folder, path)
    if fold_path(name) != PAD_INFO_NAME:
        return None
    above, _, last = folder.rpartition("/")
    is_bare = fold_path(last) != "smpl"
    return FoundProject(DeviceKind.SX, folder if is_bare else above, path, is_bare)


def _placements(path: str) -> Iterable[tuple[Key, FoundFile]]:
    """Yield the folders of projects that a file may belong to, with what it is there."""
    mk2 = mk2_paths.parse_path(path)
    if mk2:
        inner = path[len(mk2.folder) :].lstrip("/")
        key = (DeviceKind.MK2, fold_path(mk2.folder), False)
        yield key, FoundFile(path, MK2_ROLES.get(mk2.kind, "copy"), mk2.index, inner)
    sx = sx_paths.parse_path(path)
    if sx and sx.kind in SX_ROLES:  # the device's own state is left alone
        inner = path[len(sx.folder) :].lstrip("/")
        key = (DeviceKind.SX, fold_path(sx.folder), False)
        yield key, FoundFile(path, SX_ROLES[sx.kind], sx.index, inner)
    folder, _, name = path.rpartition("/")
    bare = sx_paths.parse_path(f"SMPL/{name}")
    if bare and bare.kind in SX_ROLES:
        key = (DeviceKind.SX, fold_path(folder), True)
        yield key, FoundFile(path, SX_ROLES[bare.kind], bare.index, f"SMPL/{name}")


def _title(projects: Sequence[FoundProject]) -> str:
    mk2 = [each for each in projects if each.device is DeviceKind.MK2]
    if not mk2:
        return "SP-404SX card"
    parts = {fold_path(part) for each in mk2 for part in each.folder.split("/")}
    places = [title for place, title in MK2_PLACES.items() if place in parts]
    return places[0] if places else "MKII project"


def _tree_without_projects(folded: list[str]) -> CardTree:
    """Return what a tree without projects is; the paths are folded."""
    if any(SX_FOLDER.search(path) for path in folded):
        why = "PAD_INFO.BIN is missing in the folder ROLAND/SP-404SX/SMPL."
        return CardTree("sx", "SP-404SX card", False, why)
    first = {path.partition("/")[0] for path in folded if "/" in path}
    if first & set(MK2_PLACES):
        why = "There is no project on this card."
        if first == {"import"}:
            why = "There is no project, only sounds to import. Add them to your library."
        return CardTree("mk2", "SP-404MKII card", True, why)
    return CardTree("", "Not a card", False, _why_not(folded))


def _why_not(folded: list[str]) -> str:
    if not folded:
        return "This folder is empty."
    if any(path.endswith(".smp") for path in folded):
        return "There are samples of a SP-404MKII here, but PADCONF.BIN is missing."
    if any(re.search(r"(?:^|/)[a-j]0{5}\d\d\.(?:wav|aiff?)$", path) for path in folded):
        return "There are samples of a SP-404SX here, but PAD_INFO.BIN is missing."
    if any(path.endswith(SOUNDS) for path in folded):
        return "There are sounds here, but no project. Add them to your library instead."
    return "There is neither PADCONF.BIN nor PAD_INFO.BIN in this folder."
