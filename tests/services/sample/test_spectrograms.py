"""Pictures of a stretch: whose, which part, and drawn once."""

import uuid
from collections.abc import Callable

import pytest

from sp404_app.audio.dsp.spectrogram import View
from sp404_app.db import transaction
from sp404_app.errors import NotFound
from sp404_app.models import User
from sp404_app.services.sample import spectrograms
from tests.sounds import Keep


@pytest.mark.parametrize(
    ("duration", "asked", "given"),
    [
        (10.0, (0.0, 10.0), (0.0, 10.0)),
        (10.0, (2.0, 3.0), (2.0, 3.0)),
        (600.0, (100.0, 600.0), (100.0, 160.0)),
        (10.0, (-5.0, 99.0), (0.0, 10.0)),
        (10.0, (9.99, 10.0), (9.95, 10.0)),
        (10.0, (50.0, 60.0), (9.95, 10.0)),
        (0.01, (0.0, 0.01), (0.0, 0.01)),
    ],
)
def test_a_picture_shows_at_most_a_minute_and_never_nothing(
    duration: float, asked: tuple[float, float], given: tuple[float, float]
) -> None:
    assert spectrograms.stretch(duration, *asked) == pytest.approx(given)


def test_a_picture_is_drawn_from_the_stored_sound_and_only_once(user: User, keep: Keep) -> None:
    sample_id = keep("Tone.wav")
    with transaction() as session:
        key, duration = spectrograms.key_of(session, user.id, sample_id)
    drawn = spectrograms.draw_spectrogram(key, View.SPECTRUM, 0.0, duration)
    assert drawn.end == pytest.approx(duration)
    assert drawn.rows[drawn.pixels.max(axis=1).argmax()] == pytest.approx(200, abs=120)
    assert spectrograms.draw_spectrogram(key, View.SPECTRUM, 0.0, duration) is drawn


def test_nobody_is_told_where_somebody_elses_sound_lies(
    user: User, person: Callable[..., User], keep: Keep
) -> None:
    theirs = keep("Theirs.wav", owner=person().id)
    for sample_id in (theirs, uuid.uuid4()):
        with transaction() as session, pytest.raises(NotFound):
            spectrograms.key_of(session, user.id, sample_id)


def test_a_stretch_beyond_the_sound_is_refused_in_words(user: User, keep: Keep) -> None:
    sample_id = keep("Tone.wav")
    with transaction() as session:
        key, duration = spectrograms.key_of(session, user.id, sample_id)
    with pytest.raises(NotFound, match="no sound here"):
        spectrograms.draw_spectrogram(key, View.NOTES, duration + 5, duration + 6)
