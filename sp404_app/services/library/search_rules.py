"""A search as rules of a smart collection, which then finds the same samples."""

from typing import Final

from sp404_app.errors import ValidationFailed
from sp404_app.services.library.collection_rules import (
    Like,
    Rules,
    Term,
    parse_rules,
    rules_to_json,
)
from sp404_app.services.library.search import SampleQuery

LIKE_DISTANCE: Final = 0.3  # of a rule made from samples; 1 is that of unrelated sounds


def rules_of_search(query: SampleQuery, within: Rules | None = None) -> Rules:
    """Return rules that match what a search finds outside of the trash, in any order.

    A collection has no order by likeness: of a search sorted so, it has the nearest samples.
    `within` are the rules of the smart collection that the search is limited to: rules cannot name
    such a collection, so it is not followed when its rules change.

    Raises:
        ValidationFailed: If the search has no limit, or one that rules cannot have.
    """
    limits: list[tuple[str, str, object]] = [
        ("q", "matches", query.q),
        ("bpm", "at_least", query.bpm_min),
        ("bpm", "at_most", query.bpm_max),
        ("key", "is", query.key),
        ("compatible_key", "is", query.compatible_key),
        ("kind", "is", query.kind),
        ("sound_class", "is", query.sound_class),
        ("tag", "all_of", query.tags),
        ("duration", "at_least", query.duration_min),
        ("duration", "at_most", query.duration_max),
        ("favourite", "is", query.favourite),
        ("rating", "at_least", int(query.rating_min) if query.rating_min else None),
        ("status", "is", query.status),
        ("copies", "is", query.has_copies),
        ("collection", "is", query.collection if within is None else None),
        ("like", "near", Like((query.like,), LIKE_DISTANCE) if query.like else None),
    ]
    # 0 is a limit, and equals False.
    terms: tuple[Term | Rules, ...] = tuple(
        Term(*limit) for limit in limits if limit[2] is not False and limit[2] not in (None, "", ())
    )
    if within is not None:
        terms = (*(within.terms if within.match == "all" else [within]), *terms)
    if not terms:
        raise ValidationFailed("Search for something or choose a filter first.")
    return parse_rules(rules_to_json(Rules("all", terms)))
