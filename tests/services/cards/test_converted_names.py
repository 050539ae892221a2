"""Names of converted files: what a device loads, what computers accept, and no name twice."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.services.cards.converted_names import NamedSound, name_files
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.name_template import parse_template
from sp404_app.services.cards.playlists import Playlist

MK2, SX, WAV, FLAC = DownloadFormat
SAFE = re.compile(r"[a-zA-Z0-9_!&()+\-,.=@\[\]{} ]{1,23}\.(wav|WAV)")


def names(
    *sounds: NamedSound | str,
    template: str = "{name}",
    wanted: DownloadFormat = MK2,
    folders: bool = False,
) -> list[str]:
    given = [NamedSound(each) if isinstance(each, str) else each for each in sounds]
    return list(name_files(given, parse_template(template), wanted, folders=folders))


LOOP = NamedSound("Dusty break", "Drums/Breaks", 92.5, "F# minor", "break")


@pytest.mark.parametrize(
    ("sound", "template", "wanted", "named"),
    [
        (LOOP, "{name} {bpm} {key}", MK2, "Dusty break 92.5 Gbm.wav"),
        (LOOP, "{name} {bpm} {key}", SX, "Dusty break 92.5 Gbm.WAV"),
        (LOOP, "{name} {bpm} {key} {class}", WAV, "Dusty break 92.5 F#m break.wav"),
        (LOOP, "{bank}{pad} {name}", FLAC, "A01 Dusty break.flac"),
        (LOOP, "{n:03} {name}", MK2, "001 Dusty break.wav"),
        (NamedSound("x", bpm=90.0, key="C major"), "{bpm} {key}", MK2, "90 C.wav"),
        (NamedSound("x", bpm=120.125), "{bpm}", MK2, "120.12.wav"),
        (NamedSound("Kick"), "{bpm} {key}", MK2, "Untitled.wav"),
        (NamedSound("Kick"), "{bpm} {key}", WAV, "Untitled.wav"),
        (NamedSound("Große Trommel"), "{name}", MK2, "Grosse Trommel.wav"),
        (NamedSound("Große Trommel"), "{name}", FLAC, "Große Trommel.flac"),
        (NamedSound("日本"), "{name}", MK2, "__.wav"),
        (NamedSound("a/b\\c:d"), "{name}", WAV, "a_b_c_d.wav"),
        (NamedSound("../../etc/passwd"), "{name}", WAV, "_.._etc_passwd.wav"),
        (NamedSound("CON"), "{name}", MK2, "_CON.wav"),
        (NamedSound("aux"), "{name}", WAV, "aux_.wav"),
        # The sound's name is shortened before the rest.
        (NamedSound("A very long name of a break", bpm=92.0, key="A minor"),
         "{name} {bpm} {key}", MK2, "A very long name 92 Am.wav"),
        (NamedSound("Abcdefgh"), "{name} and a text that is too long", MK2,
         "Abcd and a text that is.wav"),
    ],
)  # fmt: skip
def test_a_file_is_named_by_the_template(
    sound: NamedSound, template: str, wanted: DownloadFormat, named: str
) -> None:
    assert names(sound, template=template, wanted=wanted) == [named]


def test_repeated_names_are_numbered_whatever_their_case() -> None:
    assert names("Kick", "kick", "KICK", "Snare", "Kick 2") == [
        "Kick.wav", "kick 2.wav", "KICK 3.wav", "Snare.wav", "Kick 2 2.wav",
    ]  # fmt: skip
    assert names("É", "e\u0301", wanted=WAV) == ["É.wav", "é 2.wav"]


def test_a_numbered_name_stays_short_enough() -> None:
    long = "x" * 40
    assert names(long, long) == ["x" * 23 + ".wav", "x" * 21 + " 2.wav"]


def test_pads_follow_the_order_until_the_device_has_no_more() -> None:
    sounds = ["Kick"] * 162
    mk2 = names(*sounds, template="{bank}{pad}")
    assert (mk2[0], mk2[15], mk2[16], mk2[159]) == ("A01.wav", "A16.wav", "B01.wav", "J16.wav")
    assert mk2[160:] == ["Untitled.wav", "Untitled 2.wav"]
    sx = names(*sounds, template="{bank}{pad}", wanted=SX)
    assert (sx[11], sx[12], sx[119]) == ("A12.WAV", "B01.WAV", "J12.WAV")


def test_folders_are_kept_on_request_and_made_safe() -> None:
    found = names(LOOP, LOOP, template="{name}", folders=True)
    assert found == ["Drums/Breaks/Dusty break.wav", "Drums/Breaks/Dusty break 2.wav"]
    odd = NamedSound("Kick", "../ö: x//./a")
    assert names(odd, folders=True) == ["o_ x/a/Kick.wav"]
    assert names(odd, folders=True, wanted=WAV) == ["ö_ x/a/Kick.wav"]
    assert names(NamedSound("Kick", "One"), NamedSound("Kick", "Two"), folders=True) == [
        "One/Kick.wav", "Two/Kick.wav",
    ]  # fmt: skip


def test_ten_thousand_equal_names_are_numbered_at_once() -> None:
    started = time.process_time()
    found = names(*["Kick"] * 10_000)
    assert found[-1] == "Kick 10000.wav"
    assert len(set(found)) == 10_000
    assert time.process_time() - started < 20  # about 0.3 s; quadratic, it would be minutes


@given(
    st.lists(st.text(max_size=40), min_size=1, max_size=8),
    st.lists(st.sampled_from(["{name}", "{bpm}", "{n:03}", " ", ".", "..", "/", "ß", "x"])),
)
def test_every_device_name_is_short_safe_and_unique(sounds: list[str], parts: list[str]) -> None:
    found = names(*sounds, template="".join(parts))
    assert all(SAFE.fullmatch(name) for name in found)
    assert not any(name.startswith((" ", ".")) or name[-5] in " ." for name in found)
    assert len({name.lower() for name in found}) == len(found)


@pytest.mark.parametrize("name", [".", "...", " . ", ""])
def test_a_name_of_dots_keeps_its_extension(name: str) -> None:
    assert names(name, wanted=FLAC) == ["Untitled.flac"]
    assert Playlist(name, ()).filename == "Untitled.m3u8"


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_every_plain_name_is_one_path_element_and_unique(sounds: list[str]) -> None:
    found = names(*sounds, wanted=FLAC)
    assert all(not set(name) & set('/\\:*?"<>|\0') and name.endswith(".flac") for name in found)
    assert len({name.casefold() for name in found}) == len(found)


def test_the_first_names_do_not_depend_on_later_sounds() -> None:
    sounds = ["Kick", "Kick", "Snare", "kick", "Kick"]
    assert names(*sounds)[:3] == names(*sounds[:3])
