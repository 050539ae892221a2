"""What a search that finds nothing would find with one limit less, or two."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session

from sp404_app.models import User
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.library.relaxation import MAX_LIMITS, Offer, find_offers
from tests.accounts import sign_up_user
from tests.services.library.test_search import add

__all__ = ["add"]
Add = Callable[..., uuid.UUID]


@pytest.fixture
def shelf(add: Add) -> None:
    """Insert two kicks and a snare."""
    add("Dusty Kick", tags=["kit:808"], kind="one_shot", sound_class="kick")
    add("Dusty Kick Two", kind="one_shot", sound_class="kick")
    add("Velvet Snare", kind="one_shot", sound_class="snare")


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "offers"),
    [
        (SampleQuery(q="dusty velvet"), [("dusty", 1), ("velvet", 2)]),
        (SampleQuery(q="dusty snare"), [("dusty", 1), ("snare", 2)]),
        (SampleQuery(q='"dusty" snare'), [("snare", 2)]),
        (SampleQuery(q="velvet", tags=("kit:808",)), [("velvet", 1), ("kit:808", 1)]),
        (SampleQuery(q="dusty", kind="loop"), [("Loops", 2)]),
        (SampleQuery(q="dusty velvet loop"), [("dusty+loop", 1), ("velvet+loop", 2)]),
        (SampleQuery(q="velvet loop", kind="loop"), [("loop+Loops", 1)]),
        (SampleQuery(q='"dusty" loop velvet'), [("velvet+loop", 2)]),
        (SampleQuery(q="red dusty green loop 808"), [("red+green+loop", 1)]),
        (SampleQuery(q="red green loop 808", kind="loop"), [("red+green+loop+Loops", 1)]),
        (SampleQuery(q="velvet red green blue one two"), [("red+green+blue+one+two", 1)]),
        (SampleQuery(q="nothing"), []),
        (SampleQuery(q="nothing such"), []),
        (SampleQuery(q=" ".join(f"w{number}" for number in range(MAX_LIMITS + 1))), []),
        (SampleQuery(collection=uuid.uuid4(), q="dusty velvet"), []),
    ],
)
def test_limits_are_offered_with_what_is_found_without_them(
    session: Session, user: User, query: SampleQuery, offers: list[tuple[str, int]]
) -> None:
    found = find_offers(session, user.id, query)
    assert [("+".join(offer.texts), offer.sounds) for offer in found] == offers


@pytest.mark.parametrize(
    ("q", "offer"),
    [
        ("88 bpm dusty", Offer([], ["88 BPM"], 2, "around 88 dusty")),
        ("dusty 92bpm", Offer([], ["92 BPM"], 1, "dusty around 92")),
        ("70 bpm", None),
        ("around 88", None),
    ],
)
def test_tempos_near_the_one_searched_are_offered_first(
    session: Session, user: User, add: Add, q: str, offer: Offer | None
) -> None:
    add("Dusty One", bpm=86.0)
    add("Dusty Two", bpm=91.0)
    found = find_offers(session, user.id, SampleQuery(q=q))
    assert next((each for each in found if each.q), None) == offer


@pytest.mark.usefixtures("shelf", "services")
def test_the_sounds_of_others_are_not_counted(session: Session) -> None:
    other = sign_up_user()
    assert find_offers(session, other.id, SampleQuery(q="dusty velvet")) == []


@pytest.mark.usefixtures("shelf")
def test_an_offer_names_the_limit_as_the_page_removes_it(session: Session, user: User) -> None:
    (_, tag) = find_offers(session, user.id, SampleQuery(q="velvet", tags=("kit:808",)))
    assert tag == Offer([["tag", "kit:808"]], ["kit:808"], 1)
