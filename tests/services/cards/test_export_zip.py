"""The ZIP writer: the same bytes for the same files, read by Python's own reader."""

import io
import zipfile
from pathlib import Path

import pytest

from sp404_app.services.cards.zip_writer import ZipWriter

GIB = 1 << 30


def build(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name, content in files.items():
        writer.add(name, [content[:3], memoryview(content)[3:]])
    assert writer.finish() == len(out.getvalue())
    return out.getvalue()


def test_an_archive_is_read_by_other_programs_and_always_the_same() -> None:
    files = {"A/one.wav": b"first file", "A/two.wav": b"", "B.BIN": bytes(70_000)}
    whole = build(files)
    assert whole == build(files)
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == files
        for info in opened.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert (info.compress_type, info.external_attr >> 16) == (0, 0o100644)


def test_a_file_can_be_written_after_those_that_follow_it() -> None:
    out = io.BytesIO()
    writer = ZipWriter(out)
    writer.reserve("A.BIN", 5)
    writer.add("B.BIN", [b"second"])
    writer.fill("A.BIN", b"first")
    writer.finish()
    assert out.getvalue() == build({"A.BIN": b"first", "B.BIN": b"second"})


def test_a_file_of_another_size_than_its_room_is_refused() -> None:
    writer = ZipWriter(io.BytesIO())
    writer.reserve("A.BIN", 5)
    with pytest.raises(ValueError, match="4 bytes, not 5"):
        writer.fill("A.BIN", b"four")


def test_two_files_of_one_name_are_refused() -> None:
    writer = ZipWriter(io.BytesIO())
    writer.add("A.BIN", [b""])
    with pytest.raises(ValueError, match="two files"):
        writer.reserve("A.BIN", 1)


def test_an_archive_above_4_gib_has_zip64_fields(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("w+b") as file:
        writer = ZipWriter(file)
        writer.add("A.BIN", [b"before"])
        writer._begin("B.BIN")
        writer.entries["B.BIN"].size = 3 * GIB  # a hole in the file: no disk is written
        writer.end += 3 * GIB
        file.seek(writer.end)
        writer._write_checks(writer.entries["B.BIN"])
        writer._begin("C.BIN")
        writer.entries["C.BIN"].size = 3 * GIB
        writer.end += 3 * GIB
        writer._write_checks(writer.entries["C.BIN"])
        writer.add("D.BIN", [b"after"])
        size = writer.finish()
    assert path.stat().st_size == size > 6 * GIB
    with zipfile.ZipFile(path) as opened:
        assert opened.namelist() == ["A.BIN", "B.BIN", "C.BIN", "D.BIN"]
        assert (opened.read("A.BIN"), opened.read("D.BIN")) == (b"before", b"after")
        assert opened.getinfo("D.BIN").header_offset > 6 * GIB
        assert opened.getinfo("B.BIN").file_size == 3 * GIB


def test_a_file_of_4_gib_is_refused() -> None:
    writer = ZipWriter(io.BytesIO())
    writer._begin("A.BIN")
    writer.entries["A.BIN"].size = 4 * GIB
    with pytest.raises(ValueError, match="not below 4 GiB"):
        writer._write_checks(writer.entries["A.BIN"])
