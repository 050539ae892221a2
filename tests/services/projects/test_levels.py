"""Level a bank to one peak or loudness."""

from typing import Any

import pytest
from sqlmodel import Session

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.levels import common_loudness, level_bank
from tests.services.projects.conftest import AddSample, MakeProject


def edits(session: Session, target: Target) -> dict[int, dict[str, Any] | None]:
    rows = history.load_pads(session, target.project_id)
    return {at.pad: row.edit for at, row in rows.items()}


def test_every_pad_of_the_bank_gets_the_level_in_one_step(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    target = make_project({1: add_sample("Kick"), 2: add_sample("Snare")})
    other = pads.PadChange(sample_id=add_sample("Elsewhere").id)
    pads.set_pad(session, target, PadPosition(1, 1), other)
    changed = pads.PadChange(edit={"reverse": True, "gain_db": 6})
    pads.set_pad(session, target, PadPosition(0, 2), changed)
    done = level_bank(session, target, 0, "peak", -3)
    assert done.value == -3
    rows = history.load_pads(session, target.project_id)
    normalise = {"normalise": {"to": "peak", "value": -3.0}}
    assert [row.edit for row in rows.values()] == [normalise, {"reverse": True} | normalise, None]
    assert history.undo_step(session, target) == "Level bank A"
    assert edits(session, target)[2] == {"reverse": True, "gain_db": 6.0}


def test_levelling_keeps_length_and_positions(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    target = make_project({1: add_sample("Kick")})
    at = PadPosition(0, 1)
    change = pads.PadChange(settings={"start": 2_000, "end": 30_000}, chops=[0, 9_000])
    pads.set_pad(session, target, at, change)
    before = history.load_pads(session, target.project_id)[at].model_dump()
    level_bank(session, target, 0, "lufs")
    after = history.load_pads(session, target.project_id)[at].model_dump()
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"edit", "revision", "updated_at"}


def test_without_a_value_the_quietest_sample_decides_the_loudness(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    loud = add_sample("Loop", loudness_lufs=-10.0, peak_dbfs=-0.5)
    sharp = add_sample("Kick", loudness_lufs=-20.0, peak_dbfs=-3.0)
    target = make_project({1: loud, 2: sharp})
    assert level_bank(session, target, 0, "lufs").value == -18
    assert level_bank(session, target, 0, "peak").value == -1
    assert common_loudness([loud]) == -14
    click = add_sample("Click", loudness_lufs=-45.0, peak_dbfs=-3.0)
    assert common_loudness([loud, click]) == -24
    assert common_loudness([add_sample("Not measured")]) == -14


def test_a_pad_whose_sample_is_gone_stays_as_it_is(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    gone = add_sample("Gone")
    target = make_project({1: gone, 2: add_sample("Here")})
    session.delete(gone)
    session.flush()
    session.expire_all()
    level_bank(session, target, 0, "peak")
    found = edits(session, target)
    assert (found[1], found[2] is None) == (None, False)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.1, -61, "loud", True])
def test_a_level_out_of_range_names_its_field(
    session: Session, make_project: MakeProject, value: Any
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        level_bank(session, make_project({}), 0, "lufs", value)
    assert list(refused.value.details) == ["value"]


def test_a_foreign_project_is_unknown(
    session: Session, make_project: MakeProject, person: Any
) -> None:
    target = make_project({})
    with pytest.raises(NotFound):
        level_bank(session, Target(person().id, target.project_id), 0, "peak")
