"""Where samples are used: the pads of projects, and how they are named."""

import uuid
from collections.abc import Callable

import pytest

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.models import User
from sp404_app.services.infra.colours import BANK_COLOURS
from sp404_app.services.projects import projects
from sp404_app.services.sample import pad_usage
from sp404_app.services.sample.pad_usage import PadUse, describe_pads
from tests.sounds import Keep

NIGHT, DAY = uuid.uuid4(), uuid.uuid4()


def use(project: uuid.UUID, pad: int, *, is_trashed: bool = False) -> PadUse:
    name = "Night set" if project == NIGHT else "Day set"
    return PadUse(uuid.uuid4(), project, name, "A", pad, "Kick", "#ff6b3d", is_trashed)


@pytest.mark.parametrize(
    ("uses", "words"),
    [
        ([use(NIGHT, 1)], "pad A1 of Night set"),
        ([use(NIGHT, 1), use(NIGHT, 2)], "pads A1 and A2 of Night set"),
        ([use(NIGHT, n) for n in (1, 2, 3)], "pads A1, A2 and A3 of Night set"),
        ([use(NIGHT, 1), use(DAY, 4)], "pad A1 of Night set and pad A4 of Day set"),
        ([use(NIGHT, 1, is_trashed=True)], "pad A1 of Night set (in the trash)"),
        ([use(NIGHT, n) for n in range(1, 5)], "4 pads of Night set"),
        ([*(use(NIGHT, n) for n in range(1, 5)), use(DAY, 1)], "5 pads of 2 projects"),
    ],
)
def test_pads_are_named_by_project(uses: list[PadUse], words: str) -> None:
    assert describe_pads(uses) == words


def test_the_pads_of_samples_have_the_colours_of_their_banks(keep: Keep, user: User) -> None:
    kick, snare, other = keep("Kick.wav"), keep("Snare.wav"), keep("Other.wav")
    with transaction() as session:
        many = [kick] * 16 + [snare]
        projects.create_project(session, user.id, "Night set", MK2, many)
        (found,) = pad_usage.pads_of_samples(session, user.id, [snare, other])
        assert (found.bank, found.pad, found.colour) == ("B", 1, BANK_COLOURS[1])
        assert (found.project, found.name, found.is_trashed) == ("Night set", "Snare", False)
        assert len(pad_usage.pads_of_samples(session, user.id, [kick, snare])) == 17


def test_pads_of_other_users_are_not_listed(
    keep: Keep, user: User, person: Callable[..., User]
) -> None:
    kick = keep("Kick.wav")
    with transaction() as session:
        projects.create_project(session, user.id, "Night set", MK2, [kick])
        assert pad_usage.pads_of_samples(session, person().id, [kick]) == []
