"""ZIP archives: listing, unpacking, rejected members, and limits against ZIP bombs."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sp404_app.errors import AppError, BadAudio, TooLarge
from sp404_app.services.library import archives
from sp404_app.settings import MB, settings
from tests.services.zips import by_hand, link, zipped
from tests.sounds import wav


def list_paths(content: bytes, name: str = "Kit.zip") -> list[str]:
    with archives.open_archive(io.BytesIO(content), name) as archive:
        return [member.path for member in archive.members]


def unpack_all(content: bytes) -> None:
    with archives.open_archive(io.BytesIO(content), "a.zip") as archive:
        for member in archive.members:
            with archive.unpacked(member):
                pass


def unpack_error(content: bytes) -> AppError:
    with pytest.raises(AppError) as refusal:
        unpack_all(content)
    return refusal.value


def test_members_unpack_to_temporary_files_that_are_removed() -> None:
    sounds = {"Kit/Drums/kick.wav": wav(), "snare.WAV": wav(300), "plain": wav(500)}
    with archives.open_archive(io.BytesIO(zipped(*sounds.items())), "Kit.zip") as archive:
        assert [member.path for member in archive.members] == [
            "Kit/Drums/kick.wav",
            "Kit/snare.WAV",
            "Kit/plain",
        ]
        for member, content in zip(archive.members, sounds.values(), strict=True):
            with archive.unpacked(member) as path:
                assert path.read_bytes() == content
            assert not path.exists()


def test_hidden_files_links_and_other_formats_are_ignored() -> None:
    packed = zipped(
        ("Drums/", b""),
        ("__MACOSX/Drums/._kick.wav", b"x"),
        ("Drums/._kick.wav", b"x"),
        ("Drums/.hidden/kick.wav", b"x"),
        ("Drums/kick.wav", wav()),
        ("Drums/read me.txt", b"x"),
        ("Drums/cover.jpg", b"x"),
        (link("Drums/passwords.wav"), b"/etc/passwd"),
    )
    assert list_paths(packed) == ["Kit/Drums/kick.wav"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/kick.wav", "Kit/etc/kick.wav"),
        ("/etc/kick.wav", "Kit/etc/kick.wav"),
        ("..\\..\\Windows\\kick.wav", "Kit/Windows/kick.wav"),
        ("C:\\Samples\\kick.wav", "Kit/Samples/kick.wav"),
        ("a/./b//kick.wav", "Kit/a/b/kick.wav"),
        ("KIT/kick.wav", "KIT/kick.wav"),
        ("...", None),
    ],
)
def test_path_traversal_in_member_names_is_removed(name: str, path: str | None) -> None:
    packed = by_hand([name.encode(), b"x.wav"], wav())
    assert list_paths(packed) == [*([path] if path else []), "Kit/x.wav"]


def test_member_names_are_decoded_from_utf8_cp437_and_extra_fields() -> None:
    path = "Übung/Тест.wav"
    raw = b"Uebung/Test.wav"
    unicode = b"\1" + struct.pack("<I", zlib.crc32(raw)) + path.encode()
    extra = struct.pack("<HH", 0x7075, len(unicode)) + unicode
    assert list_paths(by_hand([raw], wav(), extra=extra)) == [f"Kit/{path}"]
    assert list_paths(by_hand([path.encode()], wav())) == [f"Kit/{path}"]  # macOS sets no flag
    assert list_paths(by_hand([path.encode()], wav(), flags=0x800)) == [f"Kit/{path}"]
    assert list_paths(by_hand(["Übung.wav".encode("cp437")], wav())) == ["Kit/Übung.wav"]
    assert len(list_paths(by_hand([b"\xff\xfe\x82.wav"], wav()))) == 1
    assert "damaged" in str(unpack_error(by_hand([b"\xff\xfe.wav"], wav(), flags=0x800)))


def test_duplicate_member_names_are_separate_members() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        packed = zipped(("a.wav", wav(300)), ("a.wav", wav(400)))
    with archives.open_archive(io.BytesIO(packed), "Kit.zip") as archive:
        found = []
        for member in archive.members:
            with archive.unpacked(member) as path:
                found.append(path.read_bytes())
    assert found == [wav(300), wav(400)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\3\4", "damaged"),
        (b"PK\3\4" + bytes(100), "damaged"),
        (zipped(("a.wav", wav()))[:-30], "damaged"),
        (zipped(), "no sounds"),
        (zipped(("a.txt", b"x")), "no sounds"),
        (by_hand([b"a.wav"], wav(), flags=1), "password"),
        (by_hand([b"a.wav"], wav(), method=14), "unsupported compression"),
        (by_hand([b"a.wav"], wav(), method=99), "unsupported compression"),
        (zipped(("a.wav", wav()), method=zipfile.ZIP_LZMA), "unsupported compression"),
        (zipped(("a.wav", wav()), method=zipfile.ZIP_BZIP2), "unsupported compression"),
        (by_hand([b"a.wav"], wav(), size=10), "damaged"),
        (zipped(("in/b.zip", zipped(("a.wav", wav())))), "inside another"),
    ],
)
def test_a_rejected_archive_or_member_has_a_specific_message(content: bytes, sentence: str) -> None:
    assert sentence in str(unpack_error(content))


def test_a_wrong_checksum_rejects_the_member() -> None:
    packed = bytearray(zipped(("a.wav", wav()), method=zipfile.ZIP_STORED))
    packed[200] ^= 255
    assert isinstance(unpack_error(bytes(packed)), BadAudio)


@pytest.fixture
def upload_limit_8_mb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the upload limit to 8 MB."""
    limits = settings().model_copy(update={"max_upload_mb": 8})
    monkeypatch.setattr(archives, "settings", lambda: limits)


@pytest.mark.usefixtures("upload_limit_8_mb")
@pytest.mark.parametrize("make", [
    lambda: zipped(("a.wav", bytes(9 * MB))),  # over the upload limit
    lambda: by_hand([b"a.wav"], bytes(9 * MB), size=100),  # with a wrong size in its header
    lambda: zipped(*((f"{n}.wav", bytes(7 * MB)) for n in range(6))),  # too large together
    lambda: by_hand([f"{n}.wav".encode() for n in range(30)], bytes(7 * MB), overlap=True),
])  # fmt: skip
def test_a_zip_bomb_is_rejected_within_the_memory_limit(make: Callable[[], bytes]) -> None:
    content = make()
    tracemalloc.start()
    try:
        assert isinstance(unpack_error(content), TooLarge | BadAudio)
        assert tracemalloc.get_traced_memory()[1] < 12 * MB
    finally:
        tracemalloc.stop()


def test_the_compression_ratio_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "RATIO_ALLOWANCE_BYTES", MB)
    content = zipped(*((f"{n}.wav", bytes(3 * MB)) for n in range(3)))
    assert len(content) * archives.MAX_COMPRESSION_RATIO < 2 * MB
    assert "too large when unpacked" in str(unpack_error(content))


def test_too_many_members_are_rejected_before_unpacking() -> None:
    many = [f"{n}.wav".encode() for n in range(archives.MAX_ARCHIVE_SOUNDS + 1)]
    assert "2,001 sounds. The limit is 2,000" in str(unpack_error(by_hand(many, b"x")))
    names = [f"{n}.txt".encode() for n in range(archives.MAX_ENTRIES + 1)]
    assert "more than 20,000 files" in str(unpack_error(by_hand(names, b"x", overlap=True)))


def test_an_oversized_central_directory_is_not_read_into_memory(tmp_path: Path) -> None:
    names = [b"%06d" % n + b"x" * 60_000 for n in range(200)]
    path = tmp_path / "a.zip"
    path.write_bytes(by_hand(names, b"x", overlap=True))
    tracemalloc.start()
    try:
        with path.open("rb") as file, pytest.raises(BadAudio), archives.open_archive(file, "a.zip"):
            pass
        assert tracemalloc.get_traced_memory()[1] < 10 * MB
    finally:
        tracemalloc.stop()
