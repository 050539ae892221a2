"""Tempo, volume and protection of a SP-404MKII project and its banks, in PADCONF.BIN.

Offsets count from the settings words at 0x10. Of the 28 words, those below are proven by files that
differ in one setting; the others (1 to 11 and 22) are unknown and kept.
"""

from dataclasses import asdict, replace
from typing import Any

from sp404_app.devices.capabilities import BANKS
from sp404_app.devices.device_pad import DeviceBank, DeviceProject
from sp404_app.devices.mk2.padconf import PROJECT_NAME_BYTES, Padconf, upgrade
from sp404_app.devices.names import decode_name, encode_name
from sp404_app.devices.words import (
    PROVEN,
    Codec,
    Word,
    choice,
    decimal,
    read_words,
    switch,
    write_words,
)

TEMPO = decimal(40, 200, 100)
TEMPO_SOURCES = {0: "bank", 1: "project"}
# Stored is what is missing to the full volume.
VOLUME = Codec(lambda raw: 127 - min(127, raw), lambda volume: 127 - volume)
PROJECT_WORDS = (
    Word(0, "tempo", TEMPO, PROVEN, mask=0xFFFF),
    Word(0, "tempo_source", choice(TEMPO_SOURCES, "bank"), PROVEN, mask=0x1_0000),
)


def _bank_words(bank: int) -> tuple[Word, ...]:
    """Return the words of a bank; two banks share a word for their volumes."""
    at = 4 * (12 + bank)
    half = 0xFFFF_0000 if bank % 2 else 0xFFFF
    return (
        Word(at, "protect", switch(), PROVEN, mask=0x1),
        Word(at, "tempo", TEMPO, PROVEN, mask=0x1_FFFE),
        Word(4 * (23 + bank // 2), "volume", VOLUME, PROVEN, mask=half),
    )


BANK_WORDS = tuple(_bank_words(bank) for bank in range(len(BANKS)))


def read_project(padconf: Padconf) -> DeviceProject:
    """Return name, tempos, volumes and protection; wild values are clamped.

    The name is at most 32 characters, and "" in version 2, which stores none.
    """
    banks = tuple(DeviceBank(**read_words(padconf.settings, words)) for words in BANK_WORDS)
    values = read_words(padconf.settings, PROJECT_WORDS)
    return DeviceProject(decode_name(padconf.name), **values, banks=banks)


def write_project(project: DeviceProject, padconf: Padconf) -> Padconf:
    """Return a project of version 3 with other settings; what does not differ keeps its bytes.

    A new name is cut to 31 characters.
    """
    padconf = upgrade(padconf, project.name)
    before = read_project(padconf)
    settings = bytearray(padconf.settings)
    write_words(settings, PROJECT_WORDS, _changes(asdict(before), asdict(project)))
    for words, old, new in zip(BANK_WORDS, before.banks, project.banks, strict=True):
        write_words(settings, words, _changes(asdict(old), asdict(new)))
    name = padconf.name
    if project.name != before.name:
        name = encode_name(project.name, PROJECT_NAME_BYTES)
    return replace(padconf, settings=bytes(settings), name=name)


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in after.items() if value != before[name]}
