"""Every operation of the API, with arguments made from its OpenAPI description."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from sp404_app.api.app import api
from tests.security.world import id_for, table_of
from tests.sounds import wav

# Valid values of fields for which not every value of their type is valid.
FIELDS: dict[str, object] = {
    "email": "somebody@example.org",
    "new_email": "else@example.org",
    "bpm": 92.5,
    "key": "A minor",
    "rating": 3,
    "points": 100,
    "limit": 10,
    "sort": "-created",
    "action": "favourite",
    "format": "ogg",
    "start": 0.0,
    "end": 0.1,
    "code": "123456",
    "file": wav(2999.0),
    "bank": "B",  # the generated pad is the first of the second bank
    "pad": 1,
    "colour": "#ff6b3d",
    "tempo": 93.0,
    "sha256": "0" * 64,
    "expires_at": (dt.datetime.now(dt.UTC) + dt.timedelta(days=9)).isoformat(),
    "rules": {"match": "all", "terms": [{"field": "q", "op": "matches", "value": "kick"}]},
}
# Query parameters that would filter out existing rows.
UNASKED = frozenset({"cursor", "bpm_min", "bpm_max", "key", "compatible_key", "kind", "tag"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def description(self) -> dict[str, Any]:
        return api.openapi()["paths"][self.path][self.method.lower()]

    @property
    def takes_ids(self) -> bool:
        return any(map(_is_id, self._names()))

    def tables(self) -> list[str]:
        """Return the tables whose ids the operation takes, each once."""
        return list(dict.fromkeys(table_of(name) for name in self._names() if _is_id(name)))

    def _names(self) -> Iterator[str]:
        yield from (part["name"] for part in self.description.get("parameters", []))
        schema = self._body()
        yield from (schema or {}).get("properties", {})

    def _body(self) -> dict[str, Any] | None:
        content = self.description.get("requestBody", {}).get("content", {})
        return _resolved(next(iter(content.values()))["schema"]) if content else None

    def send(
        self, client: TestClient, ids: dict[str, str], headers: dict[str, str]
    ) -> httpx.Response:
        """Send a request with these ids."""
        path, query, headers = self.path, {}, dict(headers)
        for part in self.description.get("parameters", []):
            if part["in"] == "path":
                value = _made(part["name"], part["schema"], ids)
                path = path.replace(f"{{{part['name']}}}", str(value))
            elif part["in"] == "query" and part["name"] not in UNASKED and part.get("required"):
                query[part["name"]] = _made(part["name"], part["schema"], ids)
            elif part["name"] == "if-match":
                headers["If-Match"] = "*"
        return client.request(
            self.method, path, params=query, headers=headers, **self._content(ids)
        )

    def _content(self, ids: dict[str, str]) -> dict[str, Any]:
        schema = self._body()
        if schema is None:
            return {}
        made = {
            name: _made(name, part, ids)
            for name, part in schema.get("properties", {}).items()
            if name in schema.get("required", schema["properties"]) or _is_id(name)
        }
        if "application/json" in self.description["requestBody"]["content"]:
            return {"json": made}
        if "file" not in made:
            return {"content": b"not a picture"}
        return {"files": {"file": ("Kick.wav", made["file"], "audio/wav")}}


def _is_id(name: str) -> bool:
    if name == "problem_ids":  # they name what is wrong with one project, and are no rows
        return False
    return name.endswith(("_id", "_ids")) or name in ("ids", "id")


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    return api.openapi()["components"]["schemas"][reference] if reference else schema


def _made(name: str, schema: dict[str, Any], ids: dict[str, str]) -> object:
    """Make a valid value for a field; fail for an id whose table is not known.

    The table of a new id parameter must be named in `tests/security/world.py`.
    """
    schema = _resolved(schema)
    chosen = next((part for part in schema.get("anyOf", []) if part.get("type") != "null"), schema)
    schema = _resolved(chosen)
    found = id_for(name, ids)
    if schema.get("format") == "uuid" and name == "name":
        found = ids["users"]  # avatars are named by their user's id
    if found is not None:
        return [found] if schema.get("type") == "array" else found
    assert not _is_id(name), f"say in tests/security/world.py which table {name!r} belongs to"
    assert schema.get("format") != "uuid", f"{name!r} is an id of what?"
    if name in FIELDS:
        return [FIELDS[name]] if schema.get("type") == "array" else FIELDS[name]
    if "enum" in schema or "const" in schema:
        return schema.get("const") or schema["enum"][-1]
    plain = {"string": "tape delay and dust", "integer": 1, "number": 1.0, "boolean": True}
    if schema.get("type") == "array":
        return [_made("", schema["items"], ids)]
    if schema.get("type") == "object":
        return {key: _made(key, part, ids) for key, part in schema.get("properties", {}).items()}
    assert schema.get("type") in plain, f"say in FIELDS what {name!r} holds"
    return plain[schema["type"]]


def operations() -> list[Operation]:
    return [
        Operation(method.upper(), path)
        for path, methods in api.openapi()["paths"].items()
        for method in methods
    ]


def every_route() -> Iterator[str]:
    """Yield every path that is served, also those without an OpenAPI description.

    As in the description, parameters have no type: `{path}`, not `{path:path}`.
    """
    for included in api.routes:
        if isinstance(included, APIRoute):
            yield included.path.replace(":path}", "}")
        for context in getattr(included, "effective_route_contexts", list)():
            yield context.path.replace(":path}", "}")


def normal(answer: httpx.Response, ids: dict[str, str]) -> tuple[int, str]:
    """Return status and body, with the requested ids replaced by a placeholder."""
    text = answer.text
    for value in ids.values():
        text = text.replace(value, "<id>")
    return answer.status_code, text
