"""Paths on the card of a SP-404SX."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.sx import paths
from sp404_app.devices.sx.paths import CardFile, FileKind, parse_path


def test_paths_are_those_of_the_device() -> None:
    assert paths.sample_path(0) == "SMPL/A0000001.WAV"
    assert paths.sample_path(119) == "SMPL/J0000012.WAV"
    assert paths.sample_path(12, "aiff") == "SMPL/B0000001.AIF"
    assert paths.pattern_path(12) == "PTN/PTN00013.BIN"  # B1: decimal, not hexadecimal
    assert paths.pattern_path(119) == "PTN/PTN00120.BIN"


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("ROLAND/SP-404SX/SMPL/PAD_INFO.BIN", CardFile("ROLAND/SP-404SX", FileKind.PAD_INFO)),
        ("SMPL/pad_info.bin", CardFile("", FileKind.PAD_INFO)),
        ("x/SMPL/STPINFO.BIN", CardFile("x", FileKind.STATE)),
        ("x/SMPL/J0000012.WAV", CardFile("x", FileKind.SAMPLE, 119)),
        ("x/SMPL/b0000001.aif", CardFile("x", FileKind.SAMPLE, 12)),
        ("x/SMPL/B0000001.AIFF", CardFile("x", FileKind.SAMPLE, 12)),
        ("x/PTN/PTN00120.BIN", CardFile("x", FileKind.PATTERN, 119)),
    ],
)
def test_a_path_names_its_file(path: str, file: CardFile) -> None:
    assert parse_path(path) == file


@pytest.mark.parametrize(
    "path",
    [
        "",
        "SMPL/K0000001.WAV",
        "SMPL/A0000000.WAV",
        "SMPL/A0000013.WAV",
        "SMPL/A0000112.WAV",
        "SMPL/A0000001.MP3",
        "SMPL/._A0000001.WAV",
        "PTN/PTN00000.BIN",
        "PTN/PTN00121.BIN",
        "PTN/PTN0012.BIN",
    ],
)
def test_other_paths_are_none(path: str) -> None:
    assert parse_path(path) is None


@given(st.integers(0, 119), st.sampled_from(["wav", "aiff"]))
def test_every_index_comes_back(index: int, container: str) -> None:
    sample = paths.sample_path(index, container)
    assert parse_path(f"a/{sample}") == CardFile("a", FileKind.SAMPLE, index)
    assert parse_path(paths.pattern_path(index)) == CardFile("", FileKind.PATTERN, index)


@given(st.text())
def test_any_text_is_a_path_or_none(text: str) -> None:
    parse_path(text)
