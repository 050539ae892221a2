"""Word lists that decide what a number or a letter in a file name means."""

from typing import Final


def word_set(text: str) -> frozenset[str]:
    """Return the set of words of a text."""
    return frozenset(text.split())


# A letter after one of these is a version or part.
VERSION_WORDS: Final = word_set(
    "alt bank beat boy break class disc disk drum drums fill group groove kit layer loop "
    "mix mode n no note option part pattern plan pt r reel riff section sec set side song "
    "take tape team track type v var variant variation ver vers verse version vitamin vol "
    "volume fassung seite spur teil face partie piste prise lato parte traccia"
)
# Drums have no key: a letter in such a name is a version.
DRUM_WORDS: Final = word_set(
    "909 bd beat bongo break breakbeat chh clap clave conga cowbell crash cymbal drum "
    "drums fill groove hat hats hh hihat kick kicks kit ohh perc percussion ride rim "
    "rimshot sd shaker snare snares snr splash tom toms top"
)
# Words that occur beside a chord.
MUSIC_WORDS: Final = word_set(
    "arp arpeggio bass bassline bell bells brass chord chords drone fifth fifths flute "
    "guit guitar horn key keys lead line loop lp mel melody octave octaves organ pad piano "
    "pluck progression reese rhodes riff sample scale seventh sax saxophone seq sequence "
    "stab string strings sub synth third thirds triad vocal vox"
)
INTERVAL_WORDS: Final = word_set(
    "fifth fifths octave octaves seventh third thirds triad chord chords"
)
# "Am" beside one of these is the verb.
AM_VERB_WORDS: Final = word_set(
    "i who what where here how not so as why when this that then if than there now"
)
# Names with one of these may contain a tempo.
LOOP_WORDS: Final = word_set(
    "arp beat beats bass break breaks breakbeat chord chords drone drum drums groove loop "
    "loops lp melody pad riff shaker top topper toploop"
)
# Numbers in names with one of these are take numbers.
ONE_SHOT_WORDS: Final = word_set(
    "bd bongo chh ch clap clave conga cowbell crash cy cym cymbal cymbals hat hats hh "
    "hihat hit kick kicks oh ohh oneshot openhat ride rim rimshot sd shot snap snare "
    "snaredrum snares snr splash stick tom toms"
)
# A number after one of these is a counter.
COUNTER_WORDS: Final = word_set(
    "disc file fx hit layer midi no note num number nr part patch pos preset program pt rr "
    "sample samples shot song sound sounds take track tk v vel velocity ver version vl vol "
    "volume"
)
# A number after one of these is a model: "Juno 106".
MACHINE_WORDS: Final = word_set(
    "alesis casio cr cz ddd dr dx er hr jd jp juno jv jx korg kr leslie linn mc mks mpc ms "
    "poly prophet rd rhodes rx rz sh sk sp sr sy tb tr tx volca wurli wurlitzer yamaha"
)
# A number before one of these is a size or a count.
UNIT_WORDS: Final = word_set(
    "b bar bars beat beats bit bits cent cents cm db hz in inch k kbps khz m mm ms ppq s "
    "sec secs semi semitones st th"
)
