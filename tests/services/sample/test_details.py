"""The sample page's details, its beat grid, and resets to the analysis."""

import datetime as dt
import uuid
from collections.abc import Callable

import numpy as np
import pytest

from sp404_app.db import transaction
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Analysis, Sample, SampleStatus, Source, User
from sp404_app.models.columns import now
from sp404_app.services.library import samples, search
from sp404_app.services.library.samples import Change
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.sample import details
from sp404_app.services.sample.details import BeatGrid, SampleDetails
from tests.sounds import Keep


def analysed(owner: User, sample_id: uuid.UUID, version: str = "1", **values: object) -> None:
    """Store an analysis."""
    found: dict[str, object] = {"kind": "loop", "bpm": 90.0, "key": "A minor"} | values
    with transaction() as session:
        session.add(
            Analysis(
                user_id=owner.id,
                sample_id=sample_id,
                engine_version=version,
                **{"status": SampleStatus.READY, "bpm_confidence": 0.8, "key_confidence": 0.6}
                | found,  # type: ignore[arg-type]
            )
        )


def test_the_newest_finished_analysis_comes_with_the_sample(user: User, keep: Keep) -> None:
    sample_id = keep("Loop.wav")
    with transaction() as session:
        assert details.find_sample_details(session, user.id, sample_id).analysis is None
    earlier = now() - dt.timedelta(days=1)
    analysed(user, sample_id, "2", bpm=120.0)
    analysed(user, sample_id, "1", bpm=60.0, created_at=earlier)
    analysed(user, sample_id, "3", bpm=None, status="failed", created_at=now())
    with transaction() as session:
        found = details.find_sample_details(session, user.id, sample_id)
    assert found.analysis
    assert (found.sample.name, found.analysis.bpm) == ("Loop", 120.0)


def test_another_users_sample_is_not_found(
    user: User, person: Callable[..., User], keep: Keep
) -> None:
    theirs = keep("Theirs.wav", owner=person().id)
    for sample_id in (theirs, uuid.uuid4()):
        with transaction() as session:
            for act in (
                lambda s=session, i=sample_id: details.find_sample_details(s, user.id, i),
                lambda s=session, i=sample_id: details.reset_to_analysis(s, user.id, i, "bpm"),
            ):
                with pytest.raises(NotFound, match="There is no such sample"):
                    act()


@pytest.mark.parametrize(
    ("field", "mine", "heard"),
    [("bpm", 123.0, 90.0), ("key", "C major", "A minor"), ("kind", "one_shot", "loop")],
)
def test_resetting_a_field_restores_the_value_from_the_analysis(
    user: User, keep: Keep, field: str, mine: object, heard: object
) -> None:
    sample_id = keep("Loop.wav")
    analysed(user, sample_id)
    with transaction() as session:
        sample = samples.change_sample(session, user.id, sample_id, Change(**{field: mine}))  # type: ignore[arg-type]
        assert (getattr(sample, field), getattr(sample, f"{field}_source")) == (mine, Source.USER)
    with transaction() as session:
        details.reset_to_analysis(session, user.id, sample_id, field)
    with transaction() as session:
        sample = samples.get_sample(session, user.id, sample_id)
        assert getattr(sample, field) == heard
        assert getattr(sample, f"{field}_source") == Source.ANALYSIS
        others = {"bpm", "key", "kind"} - {field}
        assert all(getattr(sample, f"{other}_source") == Source.ANALYSIS for other in others)


def test_search_uses_the_current_key(user: User, keep: Keep) -> None:
    sample_id = keep("Loop.wav")
    analysed(user, sample_id)

    def found_by(q: str) -> bool:
        with transaction() as session:
            return search.search_window(session, user.id, SampleQuery(q=q), 0, 1).total == 1

    with transaction() as session:
        samples.change_sample(session, user.id, sample_id, Change(key="C# major"))
    assert (found_by("Db"), found_by("A minor")) == (True, False)
    with transaction() as session:
        details.reset_to_analysis(session, user.id, sample_id, "key")
    assert (found_by("Db"), found_by("A minor")) == (False, True)


def test_resetting_without_an_analysis_clears_the_field(user: User, keep: Keep) -> None:
    sample_id = keep("Loop.wav")
    with transaction() as session:
        samples.change_sample(session, user.id, sample_id, Change(bpm=123.0))
        sample = details.reset_to_analysis(session, user.id, sample_id, "bpm")
        assert (sample.bpm, sample.bpm_source) == (None, Source.ANALYSIS)


@pytest.mark.parametrize("field", ["user_id", "deleted_at", "", "name"])
def test_only_analysed_fields_can_be_reset(user: User, keep: Keep, field: str) -> None:
    sample_id = keep("Loop.wav")
    with transaction() as session, pytest.raises(ValidationFailed):
        details.reset_to_analysis(session, user.id, sample_id, field)


def grid_of(bpm: float | None, *, duration: float = 4.0) -> BeatGrid:
    """Return the grid of a sample with analysed beats at 120 BPM from 0.25 s on."""
    beats = np.arange(0.25, 4.0, 0.5).tolist()
    heard = Analysis(
        user_id=uuid.uuid4(),
        sample_id=uuid.uuid4(),
        engine_version="1",
        status="ready",
        bpm=120.0,
        beats=beats,
        onsets=[0.25, 1.0],
        content={"downbeat": 2},
    )
    sample = Sample(
        user_id=heard.user_id, name="a", filename="a", storage_key="a", size=1, digest="a",
        format="WAV", bpm=bpm, duration=duration,
    )  # fmt: skip
    return details.beat_grid(SampleDetails(sample, heard))


def test_the_analysed_tempo_keeps_the_analysed_beats() -> None:
    grid = grid_of(120.01)
    assert grid.beats == np.arange(0.25, 4.0, 0.5).tolist()
    assert (grid.downbeat, grid.onsets) == (2, [0.25, 1.0])


@pytest.mark.parametrize("bpm", [60.0, 240.0, 100.0, 93.5])
def test_a_user_tempo_keeps_the_analysed_downbeat(bpm: float) -> None:
    grid = grid_of(bpm)
    bar = grid.beats[grid.downbeat :: 4]
    assert min(abs(at - 1.25) for at in bar) < 1e-3
    np.testing.assert_allclose(np.diff(grid.beats), 60 / bpm, atol=2e-4)
    assert grid.beats[0] < 60 / bpm
    assert 4.0 - 60 / bpm - 0.02 <= grid.beats[-1] < 4.0


def test_no_beat_lies_at_the_end_of_the_sample() -> None:
    assert grid_of(240.0, duration=3.2504).beats[-1] == pytest.approx(3.0)
    assert grid_of(120.0, duration=3.7504).beats[-1] == pytest.approx(3.25)


def test_without_a_tempo_there_are_onsets_but_no_beats() -> None:
    assert grid_of(None) == BeatGrid([], 0, [0.25, 1.0])


def test_the_number_of_beats_is_limited() -> None:
    assert len(grid_of(999.0, duration=3 * 3600.0).beats) == details.MAX_BEATS
