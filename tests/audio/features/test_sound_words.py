"""Words of sound: relative to the class, none for silence, decided by the limits alone."""

from dataclasses import replace

import pytest

from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.audio.features.sound_words import (
    BREAKS,
    BY_CLASS,
    OTHER_HITS,
    OTHER_LOOPS,
    Sounding,
    describe_sound,
    limits_of,
)

KICK = Sounding("kick", is_loop=False, duration=0.5, brightness=700, noisiness=0.06, attack=0.01,
                decay=0.17, loudness_lufs=-18)  # fmt: skip


def test_a_usual_sound_has_no_words() -> None:
    assert describe_sound(KICK) == ()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"brightness": 300}, "dark"),
        ({"brightness": 2000}, "bright"),
        ({"noisiness": 0.3}, "noisy"),
        ({"decay": 0.05}, "short"),
        ({"decay": 0.6}, "long"),
        ({"attack": 0.001}, "punchy"),
        ({"attack": 0.05}, "soft"),
        ({"loudness_lufs": -8}, "loud"),
        ({"loudness_lufs": -40}, "quiet"),
    ],
)
def test_each_measurement_gives_its_word(change: dict[str, float], word: str) -> None:
    assert describe_sound(replace(KICK, **change)) == (word,)


def test_a_tonal_sound_is_clean_and_warm_unless_it_is_bright() -> None:
    assert describe_sound(replace(KICK, noisiness=0.01)) == ("clean", "warm")
    assert "warm" not in describe_sound(replace(KICK, noisiness=0.01, brightness=3000))


def test_a_dark_hat_is_brighter_than_a_bright_kick() -> None:
    hat = replace(KICK, sound_class="closed hat", brightness=6000, noisiness=0.75, decay=0.08)
    assert describe_sound(hat) == ("dark",)
    assert "bright" in describe_sound(replace(KICK, brightness=2000))


def test_a_sound_that_never_fades_is_as_long_as_its_file() -> None:
    assert "long" in describe_sound(replace(KICK, decay=None, duration=3))


def test_the_length_of_a_loop_counts_and_its_attack_does_not() -> None:
    loop = replace(KICK, sound_class="break", is_loop=True, duration=2, brightness=4000,
                   noisiness=0.5, attack=0.001, decay=0.01)  # fmt: skip
    assert describe_sound(loop) == ("short",)
    assert describe_sound(replace(loop, duration=12)) == ("long",)


def test_silence_and_unknown_loudness_have_no_words() -> None:
    assert describe_sound(replace(KICK, brightness=0, noisiness=0)) == ()
    assert describe_sound(replace(KICK, loudness_lufs=None)) == ()


def test_limits_are_those_of_known_classes_and_in_order() -> None:
    assert set(BY_CLASS) <= {each.value for each in SoundClass}
    assert limits_of(replace(KICK, sound_class="of an older engine")) == OTHER_HITS
    for limits in (*BY_CLASS.values(), BREAKS, OTHER_LOOPS, OTHER_HITS):
        for low, high in (limits.brightness, limits.noisiness, limits.decay):
            assert 0 < low < high
