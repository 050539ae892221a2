"""Classes that the names of files and folders state."""

import pytest

from sp404_app.audio.features.filename_class import stated_classes
from sp404_app.audio.features.sound_class import SoundClass


@pytest.mark.parametrize(
    ("path", "classes"),
    [
        ("Kick 01.wav", ["kick"]),
        ("DustyKick01.wav", ["kick"]),
        ("KICK_HARD.WAV", ["kick"]),
        ("TR808 BD 0510.wav", ["kick"]),
        ("Bass Drum.wav", ["kick"]),
        ("bassdrum2.wav", ["kick"]),
        ("Snare Drum 3.aif", ["snare"]),
        ("MB_SD03.wav", ["snare"]),
        ("Claps/9.wav", ["clap"]),
        ("HihatClosed/16-HihatClosed.flac", ["closed hat"]),
        ("Hi-Hat Open 2.wav", ["open hat"]),
        ("open hats.wav", ["open hat"]),
        ("OHH_4.wav", ["open hat"]),
        ("909 OH 1.wav", ["open hat"]),
        ("Hat 7.wav", ["closed hat", "open hat"]),
        ("hh01.wav", ["closed hat", "open hat"]),
        ("Rimshot.wav", ["percussion"]),
        ("Side Stick 1.wav", ["percussion"]),
        ("Floor Tom.wav", ["tom"]),
        ("lowtom.wav", ["tom"]),
        ("Crashes/CRA01.wav", ["cymbal"]),
        ("Kick Snare.wav", ["kick", "snare"]),
        ("Drums/02 Kick Drums/dusty.wav", ["kick"]),
        ("Snares/Kick-like.wav", ["kick"]),
        ("Kicks/Snares/dusty.wav", ["snare"]),
        ("Vocals/oh yeah.wav", ["vocal"]),
        # Words that only look like classes.
        ("oh yeah.wav", []),
        ("Tomorrow.wav", []),
        ("Bassment Tapes.wav", []),
        ("Bass Music Vol 2/dusty.wav", []),
        ("Chatter.wav", []),
        ("stickers.wav", []),
        ("glass.wav", []),
        ("", []),
        ("/", []),
        ("...", []),
        ("Ünïcode ♯.wav", []),
    ],
)
def test_the_classes(path: str, classes: list[str]) -> None:
    assert list(stated_classes(path)) == [SoundClass(each) for each in classes]


def test_a_long_name_is_read_at_once() -> None:
    assert stated_classes("aA" * 50_000 + " kick") == (SoundClass.KICK,)
