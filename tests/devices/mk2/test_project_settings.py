"""Tempos, volumes and protection in PADCONF.BIN."""

from dataclasses import replace
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.device_pad import DeviceBank, DeviceProject
from sp404_app.devices.mk2.padconf import Padconf, create_padconf
from sp404_app.devices.mk2.project_settings import read_project, write_project

WORDS = (9000, 0, 0, 64, 64, 64, 0, 32, 32, 32, 32, 32, *[18_000] * 10, *[0] * 6)
BANK = DeviceBank(90.0, 127, protect=False)
PROJECT = DeviceProject("Dust", 90.0, "bank", (BANK,) * 10)
tempos = st.integers(4000, 20_000).map(lambda hundredths: hundredths / 100)
projects = st.builds(
    DeviceProject,
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=31),
    tempos,
    st.sampled_from(["bank", "project"]),
    st.tuples(*[st.builds(DeviceBank, tempos, st.integers(0, 127), st.booleans())] * 10),
)


def padconf(changes: dict[int, int], name: bytes = b"Dust") -> Padconf:
    words = [changes.get(at, word) for at, word in enumerate(WORDS)]
    settings = pack(">28I", *words)
    return replace(create_padconf(), settings=settings, name=name.ljust(32, b"\0"))


def with_bank(bank: int, **changes: object) -> DeviceProject:
    banks = list(PROJECT.banks)
    banks[bank] = replace(BANK, **changes)  # type: ignore[arg-type]
    return replace(PROJECT, banks=tuple(banks))


@pytest.mark.parametrize(
    ("project", "words"),
    [
        (PROJECT, {}),
        (replace(PROJECT, tempo=89.0, tempo_source="project"), {0: 0x000122C4}),
        (replace(PROJECT, tempo=200.0), {0: 20_000}),
        (with_bank(0, tempo=92.5), {12: 18_500}),
        (with_bank(9, tempo=40.0, protect=True), {21: 8001}),
        (with_bank(0, volume=0), {23: 127}),
        (with_bank(1, volume=126), {23: 0x10000}),
        (with_bank(8, volume=27), {27: 100}),
        (with_bank(9, volume=0), {27: 0x7F0000}),
    ],
)
def test_a_setting_has_its_word(project: DeviceProject, words: dict[int, int]) -> None:
    assert read_project(padconf(words)) == project
    written = write_project(project, padconf({}))
    assert written == padconf(words)


def test_the_name_is_cut_to_31_characters_and_ends_with_nul() -> None:
    named = replace(PROJECT, name="a name that is longer than thirty-one")
    assert write_project(named, padconf({})).name == b"a name that is longer than thir\0"


@pytest.mark.parametrize("name", [b"Dust".ljust(32), b"Dust\0 of somebody else", b"x" * 32])
def test_an_unchanged_name_keeps_its_bytes(name: bytes) -> None:
    raw = padconf({}, name)
    read = read_project(raw)
    assert write_project(replace(read, tempo=100.0), raw).name == raw.name


def test_unknown_words_and_bits_are_kept() -> None:
    odd = {0: 0xFFFE_2328, 1: 5, 7: 9, 12: 0x8000_4650, 22: 1, 23: 0xFF00_0000}
    raw = padconf(odd)
    assert write_project(read_project(raw), raw) == raw
    after = write_project(replace(read_project(raw), tempo=100.0, tempo_source="project"), raw)
    assert unpack(">28I", after.settings)[:2] == (0xFFFF_2710, 5)


def test_wild_values_are_clamped() -> None:
    read = read_project(padconf({0: 0xFFFF, 12: 0, 23: 0xFFFF}))
    assert (read.tempo, read.banks[0].tempo, read.banks[0].volume) == (200.0, 40.0, 0)


@given(projects)
def test_every_project_comes_back(project: DeviceProject) -> None:
    assert read_project(write_project(project, create_padconf("other"))) == project


@given(st.binary(min_size=112, max_size=112), st.binary(min_size=32, max_size=32), projects)
def test_any_bytes_are_read_and_given_back(
    settings: bytes, name: bytes, other: DeviceProject
) -> None:
    raw = replace(create_padconf(), settings=settings, name=name)
    assert write_project(read_project(raw), raw) == raw
    assert read_project(write_project(other, raw)) == other
