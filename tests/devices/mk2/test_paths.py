"""Paths of a SP-404MKII project."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.mk2 import paths
from sp404_app.devices.mk2.paths import FileKind, ProjectFile, parse_path


def test_paths_are_those_of_the_device() -> None:
    assert paths.sample_path(0) == "SMPL/BANK1-01.SMP"
    assert paths.sample_path(159) == "SMPL/BANK10-16.SMP"
    assert paths.pattern_path(0) == "PTN/PTN00001.BIN"
    assert paths.pattern_path(159) == "PTN/PTN00160.BIN"
    assert paths.chain_path(1) == "PTN/PATTERNCHAIN_01.CHN"
    assert paths.start_image_path(2) == "PICTURE/startup_2.bmp"
    assert paths.screen_saver_path(4) == "PICTURE/screen_saver_4.bmp"
    assert paths.project_folder("import", 3) == "IMPORT/PROJECT_03"
    assert paths.project_folder("export", 16) == "EXPORT/PROJECT/PROJECT_16"


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("PADCONF.BIN", ProjectFile("", FileKind.PADCONF)),
        ("EXPORT/PROJECT/P16_X/padconf.bin", ProjectFile("EXPORT/PROJECT/P16_X", FileKind.PADCONF)),
        ("a/SMPL/BANK2-16.SMP", ProjectFile("a", FileKind.SAMPLE, 31)),
        ("a/smpl/bank10-01.smp", ProjectFile("a", FileKind.SAMPLE, 144)),
        ("a/PTN/PTN00160.BIN", ProjectFile("a", FileKind.PATTERN, 159)),
        ("PTN/PATTERNCHAIN_00.CHN", ProjectFile("", FileKind.CHAIN, 0)),
        ("PTN/PATTERNCHAIN_99.CHN", ProjectFile("", FileKind.CHAIN, 99)),
        ("PICTURE/startup_1.bmp", ProjectFile("", FileKind.START_IMAGE, 1)),
        ("PICTURE/SCREEN_SAVER_16.BMP", ProjectFile("", FileKind.SCREEN_SAVER, 16)),
    ],
)
def test_a_path_names_its_file(path: str, file: ProjectFile) -> None:
    assert parse_path(path) == file


@pytest.mark.parametrize(
    "path",
    [
        "",
        "XPADCONF.BIN",
        "SMPL/BANK0-01.SMP",
        "SMPL/BANK11-01.SMP",
        "SMPL/BANK1-17.SMP",
        "SMPL/BANK1-00.SMP",
        "SMPL/BANK1-1.SMP",
        "SMPL/BANK1-01.SMP.bak",
        "SMPL/._BANK1-01.SMP",
        "PTN/PTN00000.BIN",
        "PTN/PTN00161.BIN",
        "PTN/PATTERNCHAIN_100.CHN",
        "PICTURE/startup_0.bmp",
        "PICTURE/screen_saver_0.bmp",
        "PICTURE/startup_3.bmp",
        "PICTURE/screen_saver_17.bmp",
        "SMPL/BANK1-01.SMP\n",
        "SMPL/BANK1-٠١.SMP",
    ],
)
def test_other_paths_are_none(path: str) -> None:
    assert parse_path(path) is None


@given(st.integers(0, 159))
def test_every_index_comes_back(index: int) -> None:
    for kind, path in (
        (FileKind.SAMPLE, paths.sample_path(index)),
        (FileKind.PATTERN, paths.pattern_path(index)),
    ):
        assert parse_path(f"some/where/{path}") == ProjectFile("some/where", kind, index)


@given(st.text())
def test_any_text_is_a_path_or_none(text: str) -> None:
    parse_path(text)
