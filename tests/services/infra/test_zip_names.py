"""File names in a ZIP are valid and unique on all systems."""

import unicodedata
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sp404_app.services.infra.zip_names import NamedFile, safe_name, unique_paths

DEVICES = [
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "COM0",
    "COM1",
    "COM9",
    "LPT1",
    "LPT9",
    "COM¹",
    "LPT³",
    "CONIN$",
    "CONOUT$",
]


def paths(*names: str) -> list[str]:
    """Name files given as "folder/name"."""
    split = [name.rpartition("/") for name in names]
    return unique_paths([NamedFile(folder, name, uuid.uuid4()) for folder, _, name in split])


@pytest.mark.parametrize("ending", [".wav", ".aiff", ".tar.gz", ".WAV"])
def test_a_long_name_keeps_its_extension(ending: str) -> None:
    name = safe_name("Dusty Rhodes " * 40 + ending)
    assert name.endswith(ending[-3:])
    assert len(name) <= 120
    wide = safe_name("鼓" * 300 + ending)
    assert wide.endswith(ending[-3:])
    assert len(wide.encode()) <= 200


def test_a_dot_within_a_long_name_is_not_an_extension() -> None:
    assert safe_name("No. 5 of the drums that I recorded in the cellar") == (
        "No. 5 of the drums that I recorded in the cellar"
    )
    assert len(safe_name("x." + "y" * 300)) == 120


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("ending", ["", ".wav", ".tar.gz", " .wav", "..wav"])
def test_windows_device_names_are_changed(device: str, ending: str) -> None:
    for written in (device, device.lower(), device.title()):
        name = safe_name(written + ending)
        assert name.partition(".")[0].rstrip().upper() not in DEVICES, name
        assert name.lower().endswith(ending.strip(" .").lower()[-4:])
    assert safe_name("Conga.wav") == "Conga.wav"
    assert safe_name("my CON.wav") == "my CON.wav"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("Kick...", "Kick"),
        ("Kick. . .", "Kick"),
        ("Kick.wav.", "Kick.wav"),
        ("Kick ", "Kick"),
        ("..", "untitled"),
        ("", "untitled"),
        ("...wav", "wav"),
        ('12" break?.wav', "12_ break_.wav"),
        ("a\x00\x9fb.wav", "a__b.wav"),
        ("kick\u202evaw.exe", "kick_vaw.exe"),
    ],
)
def test_characters_that_some_system_rejects_are_replaced(given: str, written: str) -> None:
    assert safe_name(given) == written


def test_names_that_some_system_treats_as_equal_become_different() -> None:
    decomposed = unicodedata.normalize("NFD", "Ä.wav")
    found = paths("a/Ä.wav", "A/ä.WAV", f"a/{decomposed}", "a/Straße.wav", "a/STRASSE.wav")
    assert len({unicodedata.normalize("NFC", path).casefold() for path in found}) == 5
    assert all(path.lower().endswith(".wav") for path in found)


def test_a_file_and_a_folder_get_different_names() -> None:
    found = paths(
        "sounds/Kicks", "sounds/kicks/a.wav", "sounds/KICKS/Loop/b.wav", "sounds/kicks/loop"
    )
    assert found[0].startswith("sounds/Kicks ")
    assert found[1:3] == ["sounds/kicks/a.wav", "sounds/KICKS/Loop/b.wav"]
    assert found[3].startswith("sounds/kicks/loop ")


def test_long_names_with_a_common_prefix_stay_different() -> None:
    found = paths(*("a/" + "x" * 300 + f"{number}.wav" for number in range(5)))
    assert len(set(found)) == 5
    assert all(path.endswith(".wav") and len(path) <= 122 for path in found)


def test_deep_folders_stay_short_enough_to_unpack() -> None:
    (found,) = paths("/".join(["a long folder's name"] * 48) + "/" + "x" * 300 + ".wav")
    assert len(found) < 500
    (usual,) = paths("Drums/Breaks/1972/Kick.wav")
    assert usual == "Drums/Breaks/1972/Kick.wav"


@given(st.lists(st.text(max_size=200), max_size=12))
@example(["con.wav", "CON.WAV", "con_.wav", "Con_ .wav"])
def test_any_list_of_names_gives_unique_paths(names: list[str]) -> None:
    found = unique_paths([NamedFile("sounds", name, uuid.uuid4()) for name in names])
    assert len({unicodedata.normalize("NFC", path).casefold() for path in found}) == len(names)
    for path in found:
        folder, _, name = path.partition("/")
        assert (folder, "/" in name) == ("sounds", False)
        assert 0 < len(name.encode()) <= 255
        assert name == name.strip(" .")
        assert name.partition(".")[0].rstrip().upper() not in DEVICES
