"""Pattern chains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2.pattern_chain import PatternChain, decode_chain

CHAIN = b"""<ROLAND_SP404MKII_PATTERN_CHAIN>
  <REPEAT VALUE="All"/>
  <CURRENT VALUE="0"/>
  <PTN NUMBER="1"/>
  <PTN  NUMBER="160"/>
  <PTN NUMBER="1"/>
</ROLAND_SP404MKII_PATTERN_CHAIN>"""


def test_the_patterns_of_a_chain_are_read_in_their_order() -> None:
    assert decode_chain(CHAIN) == PatternChain((0, 159, 0), "All")


def test_an_empty_chain_is_read() -> None:
    data = b"<ROLAND_SP404MKII_PATTERN_CHAIN></ROLAND_SP404MKII_PATTERN_CHAIN>"
    assert decode_chain(data) == PatternChain((), "")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a pattern chain"),
        (b"<html>", "not a pattern chain"),
        (CHAIN + bytes(65_536), "not a pattern chain"),
        (CHAIN.replace(b"160", b"161"), "cannot have"),
        (CHAIN.replace(b"160", b"0"), "cannot have"),
    ],
)
def test_other_files_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(InvalidDeviceFile, match=words):
        decode_chain(data)


@given(st.binary(max_size=40), st.integers(0, len(CHAIN)))
def test_any_change_is_read_or_refused(patch: bytes, at: int) -> None:
    try:
        chain = decode_chain(CHAIN[:at] + patch + CHAIN[at + len(patch) :])
    except InvalidDeviceFile:
        return
    assert all(0 <= pattern < 160 for pattern in chain.patterns)
