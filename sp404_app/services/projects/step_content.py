"""What a step of undo history stores: the fields and pads that it changed, as JSON."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from sp404_app.services.projects.kit import Kit, PadContent, PadPosition, changed_pads

KIT_FIELDS = ("name", "tempo", "tempo_source", "banks")
ID_FIELDS = ("sample_id", "source_id")


def step_parts(before: Kit, after: Kit) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a change replaced and what it set, for undo and redo."""
    pads = changed_pads(before, after)
    fields = [name for name in KIT_FIELDS if getattr(before, name) != getattr(after, name)]
    return _part_of(before, fields, pads), _part_of(after, fields, pads)


def apply_part(kit: Kit, part: Mapping[str, Any]) -> Kit:
    """Return a kit with one side of a step."""
    pads = dict(kit.pads)
    for key, value in part["pads"].items():
        if value is None:
            pads.pop(_position_of(key), None)
        else:
            pads[_position_of(key)] = _content_from_json(value)
    fields = dict(part["project"])
    if "banks" in fields:
        fields["banks"] = tuple(fields["banks"])
    return replace(kit, **fields, pads=pads)


def positions_of(part: Mapping[str, Any]) -> list[PadPosition]:
    """Return the positions of the pads that one side of a step sets."""
    return [_position_of(key) for key in part["pads"]]


def _part_of(kit: Kit, fields: Iterable[str], pads: Iterable[PadPosition]) -> dict[str, Any]:
    return {
        "project": {name: getattr(kit, name) for name in fields},
        "pads": {f"{at.bank}-{at.pad}": _content_to_json(kit.pads.get(at)) for at in pads},
    }


def _position_of(key: str) -> PadPosition:
    bank, _, number = key.partition("-")
    return PadPosition(int(bank), int(number))


def _content_to_json(content: PadContent | None) -> dict[str, Any] | None:
    if content is None:
        return None
    return {
        **asdict(content),
        "sample_id": str(content.sample_id) if content.sample_id else None,
        "source_id": str(content.source_id) if content.source_id else None,
        "chops": list(content.chops),
    }


def _content_from_json(value: Mapping[str, Any]) -> PadContent:
    ids = {name: uuid.UUID(found) if (found := value.get(name)) else None for name in ID_FIELDS}
    return PadContent(**{**value, **ids, "chops": tuple(value["chops"])})
