"""The collections of the demo account: one in an order of its own, and two by rules."""

import uuid
from typing import Final

from sqlmodel import Session, col, select

from sp404_app.models import Sample
from sp404_app.services.collections import collections
from sp404_app.services.infra.colours import BANK_COLOURS
from sp404_app.services.library.collection_rules import Rules, Term, rules_to_json

BEAT: Final = (
    "Dusty Corner", "Sub Walk", "Sunday Keys", "Kalimba Morning", "Velvet Kick", "Paper Snare",
    "Tight Hat",
)  # fmt: skip
SMART: Final = {
    "Short hits": Rules("all", (Term("kind", "is", "one_shot"), Term("duration", "at_most", 1.0))),
    "Loops up to 96 BPM": Rules("all", (Term("kind", "is", "loop"), Term("bpm", "at_most", 96.0))),
}


def add_demo_collections(session: Session, user_id: uuid.UUID) -> None:
    """Create the collections; the samples are found by their names."""
    for colour, (name, rules) in zip(BANK_COLOURS[3:], SMART.items(), strict=False):
        collections.create_collection(
            session, user_id, name=name, colour=colour, rules=rules_to_json(rules)
        )
    named = select(Sample.name, Sample.id).where(
        Sample.user_id == user_id, col(Sample.name).in_(BEAT)
    )
    ids = dict(session.exec(named).all())
    collections.create_collection(
        session,
        user_id,
        name="Slow beat in E minor",
        note="Start with the break, then bring in the bass.",
        colour=BANK_COLOURS[0],
        sample_ids=[ids[name] for name in BEAT if name in ids],
    )
