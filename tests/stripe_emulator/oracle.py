"""Check API objects against Stripe's published types.

There are two sources of the same API version: the annotations of the `stripe` package (types of
values, literals, unknown keys, missing keys that may not be null), and `required_keys.json`, taken
from the types of the JavaScript client, which distinguish null from absent.
"""

import ast
import functools
import importlib
import json
import sys
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal, Union

from stripe import ListObject, StripeObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import UntypedStripeObject

KEYS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "required_keys.json").read_text(encoding="utf-8")
)


@functools.cache
def names_for(module: str) -> dict[str, Any]:
    """Return the names that a module imports for type checkers only."""
    source = Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8")
    names: dict[str, Any] = {"StripeObject": StripeObject}
    for node in ast.parse(source).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), module, "exec"), names)  # noqa: S102
    return names


@functools.cache
def fields(kind: type) -> dict[str, Any]:
    """Return the annotations of a class with resolved names."""
    module = kind.__module__
    hints = typing.get_type_hints(kind, vars(sys.modules[module]), names_for(module))
    return {
        name: hint
        for name, hint in hints.items()
        if not name.startswith("_") and typing.get_origin(hint) is not ClassVar
    }


def class_of(name: str) -> type | None:
    """Return the class for an object type, such as `invoice`."""
    place = OBJECT_CLASSES.get(name)
    return getattr(importlib.import_module(place[0]), place[1]) if place else None


def violations(item: dict[str, Any]) -> list[str]:
    """Return a description of everything in an object that the types do not allow."""
    name = item["object"]
    if name == "list":
        return [problem for one in item["data"] for problem in violations(one)]
    if item.get("deleted"):
        return []
    kind = class_of(name)
    if kind is None:
        return [f"{name}: unknown object"]
    found = structure(kind, item, name)
    if name == "event":
        found += violations(item["data"]["object"])
    return found


def missing_keys(item: dict[str, Any], path: str) -> list[str]:
    """Return the required keys, by the JavaScript types, that are absent or null."""
    found = []
    name = item.get("object")
    for key, rule in KEYS.get(name, {}).items() if isinstance(name, str) else ():
        if not rule.startswith("required"):
            continue
        if key not in item:
            found.append(f"{path}.{key}: absent")
        elif item[key] is None and not rule.startswith("required-nullable"):
            found.append(f"{path}.{key}: null")
    return found


def structure(kind: type, item: Any, path: str) -> list[str]:
    """Check an object against a class."""
    if not isinstance(item, dict):
        return [f"{path}: not an object"]
    known = fields(kind)
    found = missing_keys(item, path)
    for name, hint in known.items():
        if name not in item and name != "object" and not allows_null(hint):
            found.append(f"{path}.{name}: missing")
    for name, given in item.items():
        if name in known:
            found += value(known[name], given, f"{path}.{name}")
        elif name != "object":
            found.append(f"{path}.{name}: unknown key")
    return found


def allows_null(hint: Any) -> bool:
    """Return whether a value may be null and therefore absent."""
    return typing.get_origin(hint) is Union and type(None) in typing.get_args(hint)


def value(hint: Any, given: Any, path: str) -> list[str]:
    """Check a value against its annotation."""
    options = list(typing.get_args(hint)) if typing.get_origin(hint) is Union else [hint]
    words = [word for one in options for word in literals(one)]
    if words and isinstance(given, str):
        return [] if given in words else [f"{path}: {given!r} is not one of its words"]
    results = [single(one, given, path) for one in options if not literals(one)]
    if not results:
        return [] if given in words else [f"{path}: {given!r}"]
    return min(results, key=len)


def literals(option: Any) -> tuple[Any, ...]:
    """Return the values of a `Literal`."""
    return typing.get_args(option) if typing.get_origin(option) is Literal else ()


SCALARS: dict[Any, Any] = {str: str, bool: bool, float: (int, float), type(None): type(None)}


def single(option: Any, given: Any, path: str) -> list[str]:  # noqa: PLR0911 - a table of types
    """Check a value against a type that is not a union."""
    origin = typing.get_origin(option)
    if option is Any:
        return []
    if option is int:
        return [] if type(given) is int else [f"{path}: {given!r} is no integer"]
    if option is Decimal:
        return [] if isinstance(given, str) else [f"{path}: {given!r} is no decimal string"]
    if option in SCALARS:
        return [] if isinstance(given, SCALARS[option]) else [f"{path}: {given!r} is no {option}"]
    if origin in (list, ListObject):
        return sequence(option, given, path)
    if origin is UntypedStripeObject or option is UntypedStripeObject:
        return [] if isinstance(given, dict) else [f"{path}: {given!r} is no object"]
    if isinstance(option, type) and issubclass(option, StripeObject):
        return structure(option, given, path)
    raise AssertionError(f"{path}: the oracle does not know {option}")


def sequence(option: Any, given: Any, path: str) -> list[str]:
    """Check a list or a list object."""
    member = typing.get_args(option)[0]
    members = given
    if typing.get_origin(option) is ListObject:
        if not isinstance(given, dict) or set(given) != {"object", "data", "has_more", "url"}:
            return [f"{path}: no list object"]
        members = given["data"]
    if not isinstance(members, list):
        return [f"{path}: {given!r} is no list"]
    return [
        problem
        for index, one in enumerate(members)
        for problem in value(member, one, f"{path}[{index}]")
    ]
