"""The class of a one-shot as its file name or folder states it: "Kick 01", "Hats/Open/7.wav"."""

import re
from typing import Final

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.audio.features.filename_key import strip_accents
from sp404_app.audio.features.filename_tokens import word_set
from sp404_app.audio.features.sound_class import SoundClass

KICK, SNARE, CLAP, TOM = SoundClass.KICK, SoundClass.SNARE, SoundClass.CLAP, SoundClass.TOM
CLOSED, OPEN, CYMBAL = SoundClass.CLOSED_HAT, SoundClass.OPEN_HAT, SoundClass.CYMBAL
PERCUSSION = SoundClass.PERCUSSION

# Phrases in lower case, of single words without the plural's "s". Each states one of the classes,
# the most usual first; a phrase that was read counts for no shorter one.
PHRASES: Final[dict[str, tuple[SoundClass, ...]]] = {
    **dict.fromkeys(("open hat", "hat open", "open hh", "hh open", "ohh"), (OPEN,)),
    **dict.fromkeys(("half open hat", "hohh"), (OPEN,)),
    **dict.fromkeys(("closed hat", "hat closed", "closed hh", "hh closed", "chh"), (CLOSED,)),
    **dict.fromkeys(("pedal hat", "hat pedal", "hat foot", "foot hat"), (CLOSED,)),
    **dict.fromkeys(("hat", "hh"), (CLOSED, OPEN)),
    "cymbal open": (OPEN, CYMBAL),
    "cymbal closed": (CLOSED, CYMBAL),
    **dict.fromkeys(("bass drum", "drum bass", "kick drum", "kick", "kik", "bd"), (KICK,)),
    **dict.fromkeys(("snare drum", "snare", "snr", "sd"), (SNARE,)),
    **dict.fromkeys(("hand clap", "clap"), (CLAP,)),
    "snap": (PERCUSSION, CLAP),
    **dict.fromkeys(("floor tom", "tom"), (TOM,)),
    **dict.fromkeys(("crash", "ride", "splash", "china", "cymbal"), (CYMBAL,)),
    **dict.fromkeys(
        ("percussion", "perc", "rim", "rim shot", "stick", "side stick", "bongo", "conga",
         "cowbell", "clave", "shaker", "tambourine", "tamb", "maraca", "cabasa", "woodblock",
         "guiro", "agogo", "timbale", "darbuka", "djembe", "cajon", "tabla", "castanet",
         "triangle"), (PERCUSSION,),
    ),
    "break": (SoundClass.BREAK,),
    **dict.fromkeys(("bass", "sub bass"), (SoundClass.BASS,)),
    **dict.fromkeys(("chord", "stab"), (SoundClass.CHORD,)),
    "lead": (SoundClass.LEAD,),
    **dict.fromkeys(("vocal", "vox"), (SoundClass.VOCAL,)),
    "fx": (SoundClass.FX,),
}  # fmt: skip
# Codes of drum machines, which are also words and initials: only in capitals.
CODES: Final = {"OH": (OPEN,), "CH": (CLOSED,), "CP": (CLAP,), "RS": (PERCUSSION,),
                "CY": (CYMBAL,)}  # fmt: skip
ONE_WORD: Final = {
    "hihat": "hat", "openhat": "open hat", "closedhat": "closed hat", "bassdrum": "bass drum",
    "kickdrum": "kick", "snaredrum": "snare", "handclap": "clap", "rimshot": "rim",
    "sidestick": "stick", "hitom": "tom", "midtom": "tom", "lowtom": "tom", "lotom": "tom",
}  # fmt: skip
# Beside them a folder still states the class of all its files: "02 Kick Drums".
NEUTRAL_WORDS: Final = word_set(
    "and drum hit one shot oneshot sample sound single wav the of acoustic electronic hard soft"
)
LONGEST_PHRASE: Final = 3  # words


def stated_classes(path: str) -> tuple[SoundClass, ...]:
    """Return the classes that a path allows, the most usual first; empty if it states none.

    The name of the file goes before its folders, a nearer folder before others. A folder counts
    if it states nothing else: "Bass Music Vol. 2" is no folder of basses.
    """
    file, *folders = path.split("/")[::-1]
    found, _ = _read(split_extension(file)[0])
    for folder in folders:
        if found:
            break
        stated, others = _read(folder)
        if not others:
            found = stated
    return found


def _read(text: str) -> tuple[tuple[SoundClass, ...], bool]:
    """Return the classes that a text states, and whether it has other words, too."""
    classes: dict[SoundClass, None] = {}
    words, others, at = _words(text), False, 0
    while at < len(words):
        for size in range(LONGEST_PHRASE, 0, -1):
            phrase = " ".join(words[at : at + size])
            if stated := PHRASES.get(phrase) or CODES.get(phrase):
                classes |= dict.fromkeys(stated)
                at += size
                break
        else:
            others = others or words[at] not in NEUTRAL_WORDS
            at += 1
    return tuple(classes), others


def _words(text: str) -> list[str]:
    """Return the words of a text in singular; "HihatClosed01" has two. Codes keep their case."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", strip_accents(text))
    singular = [part if part in CODES else _singular(part.lower()) for part in parts]
    whole = " ".join(ONE_WORD.get(part, part) for part in singular)
    return re.sub(r"\bhi hat\b", "hat", whole).split()


def _singular(word: str) -> str:
    if word.endswith("shes"):  # crashes
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
