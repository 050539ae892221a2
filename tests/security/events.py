"""Arguments for every event handler, made from its signature and parameter names."""

import inspect
from typing import Any

from reflex_base.registry import RegisteredEventHandler

from sp404_app.sp404_app import PAGES
from tests.security.world import id_for

# Values of parameters whose type alone does not determine them. A string without an entry here may
# be an id, so a new handler needs an entry.
PARAMETERS: dict[str, object] = {
    "ExportState.choose_device.device": "mk2",
    "PlansState.show_interval.interval": "year",
    "PadsState.move_bank.source": "A",
    "PadsState.move_bank.target": "B",
    "PadsState.level_bank.to": "lufs",
    "PadsState.set_normalise.choice": "lufs -14",
    "PadsState.set_channels.choice": "mono",
    "PadsState.set_tempo.value": "92.5",
    "PadsState.set_pad_tempo.value": "92.5",
    "PadsState.set_number.value": "3",
    "LibraryState.select_samples.sample_ids": ["01a204c0-82ec-769a-8e34-995e038227bd"],
    "LikenessState.weigh.weights": [100, 50, 0, 100],
    "ColumnsState.set_shown.name": "tags",
    "ColumnsState.move.name": "tags",
    "ColumnsState.move.by": 1,
    "LibraryDataState.export_values.file_format": "json",
    "DownloadState.choose_format.choice": "sx",
    "DownloadState.download_sample.choice": "sx",
    "DownloadState.set_template.value": "{n:03} {name}",
    "SampleState.set_tempo.value": "92.5",
    "SampleState.set_kind.value": "loop",
    "ProjectListState.act.action": "rename",
    "CollectionListState.act.action": "duplicate",
    "CollectionState.sort.by": "name",
    "CollectionState.step.by": 1,
    "answer": {},
    "aspect": "timbre",
    "by": "kind",
    "choice": "-48",
    "action": "favourite",
    "column": "name",
    "customer": "cus_somebody",
    "download": "original",
    "event": "evt_somebody",
    "report": "01a204c0-82ec-769a-8e34-995e038227bd",
    "step": "month",
    "tab": "rename",
    "field": "key",
    "group": "tag",
    "form": {},
    "rules": '{"match": "all", "terms": [{"field": "q", "op": "matches", "value": "kick"}]}',
    "where": "after",
    "frames": [0, 9000],
    "how": "double",
    "key": "A1",
    "letter": "B",
    "chips": [["heard", "dark"], ["tag", "drums"]],
    "link": "/projects",
    "message": "Hello.",
    "mode": "toggle",
    "name": "drums",
    "notes": {"1:36": "A1"},
    "password": "sixteen pads and dust",
    "place": "export",
    "problem": "missing_sound",
    "slot": "3",
    "tier": "pro",
    "source": "A1",
    "target": "A2",
    "theme": "light",
    "to": "markers",
    "tone": "ok",
    "undo": "",
    "value": "A minor",
    "view": "spectrum",
    "start": 0,
}
FORM = {
    "email": "somebody@example.org",
    "password": "sixteen pads and dust",
    "current_password": "tape delay and dust",
    "first_name": "Ada",
    "last_name": "Beats",
    "name": "Snare",
    "tags": "drums, dusty",
    "bpm": "93",
    "device": "mk2",
    "tempo": "93",
    "code": "123456",
    "expires": "7",
    "share_password": "sixteen pads and dust",
    "download": "sp404",
    "indexing": "on",
}
PLAIN: dict[object, object] = {int: 3, float: 0.5, bool: True, str: None}


def arguments(found: RegisteredEventHandler, ids: dict[str, str]) -> dict[str, Any]:
    """Make arguments for a handler."""
    parameters = list(inspect.signature(found.handler.fn).parameters.values())[1:]
    handler = found.handler.fn.__qualname__
    return {
        each.name: PARAMETERS.get(f"{handler}.{each.name}") or _argument(each, ids)
        for each in parameters
    }


def takes_ids(found: RegisteredEventHandler) -> bool:
    names = list(inspect.signature(found.handler.fn).parameters)[1:]
    return any(name.endswith("_id") or name in ("id", "ids") for name in names)


def _argument(parameter: inspect.Parameter, ids: dict[str, str]) -> object:
    name, kind = parameter.name, parameter.annotation
    value = id_for(name, ids)
    if value is not None:
        return value
    assert not name.endswith("_id"), f"say in tests/security/world.py what {name!r} is an id of"
    if name == "form":
        return FORM | {f"{table.removesuffix('s')}_id": value for table, value in ids.items()}
    if name in PARAMETERS:
        return PARAMETERS[name]
    value = PLAIN.get(kind)
    assert value is not None, f"say in tests/security/events.py what {name!r} holds"
    return value


def addresses(ids: dict[str, str]) -> list[str]:
    """Return one URL of every page with an id in its path, and one without."""
    found = ["/library"]
    for page in PAGES:
        head, bracket, rest = page.route.partition("[")
        if bracket:
            name = rest.partition("]")[0]
            value = id_for(name, ids)
            assert value or name == "token", f"say in tests/security/world.py what {name!r} is"
            found.append(head + (value or "x" * 43))
    return found
