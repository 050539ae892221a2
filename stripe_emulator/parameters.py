"""Requests are read by the annotations that the `stripe` package ships for its parameters."""

import functools
import re
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, NotRequired, Required, Union

from stripe import RequestOptions
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import is_typeddict

from stripe_emulator.errors import Problem, invalid

# What the client's own options name, which no request carries.
CLIENT_TYPES = {"StripeContext": Any, "Mapping": Mapping}


@functools.cache
def fields(params: type) -> dict[str, Any]:
    """Return the annotations of a class of parameters, without the client's own options."""
    hints = typing.get_type_hints(params, None, CLIENT_TYPES, include_extras=True)
    own = RequestOptions.__annotations__
    return {name: bare(hint) for name, hint in hints.items() if name not in own}


def bare(hint: Any) -> Any:
    """Return an annotation without what it says about being required."""
    qualified = typing.get_origin(hint) in (NotRequired, Required)
    return typing.get_args(hint)[0] if qualified else hint


def read(params: type, given: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the request with the types that Stripe documents; refuse what it does not know."""
    known = fields(params)
    unknown = [path(prefix, name) for name in given if name not in known]
    if unknown:
        raise refuse_unknown(unknown)
    required: frozenset[str] = getattr(params, "__required_keys__", frozenset())
    for name in sorted(required - given.keys()):
        param = path(prefix, name)
        raise invalid(f"Missing required param: {param}.", param, "parameter_missing")
    return {name: value(known[name], item, path(prefix, name)) for name, item in given.items()}


def refuse_unknown(names: list[str]) -> Problem:
    """Return Stripe's refusal of parameters that it does not know."""
    text = f"Received unknown parameter{'s' if len(names) > 1 else ''}: {', '.join(names)}"
    return invalid(text, names[0], "parameter_unknown")


def path(prefix: str, name: str) -> str:
    """Return how Stripe names a nested parameter."""
    return f"{prefix}[{name}]" if prefix else name


def value(hint: Any, given: Any, param: str) -> Any:
    """Read one value by its annotation."""
    options = alternatives(hint)
    if given == "":
        return empty(options, param)
    structured = isinstance(given, dict)
    for option in options:
        if is_structure(option) == structured and option is not None:
            found = structure(option, given, param) if structured else scalar(option, given)
            if found is not None:
                return found
    raise mismatch(options, given, param)


def alternatives(hint: Any) -> list[Any]:
    """Return the members of a union, numbers before words, open strings out beside literals."""
    union = typing.get_origin(hint) in (Union, types.UnionType)
    options = list(typing.get_args(hint)) if union else [hint]
    words = [word for option in options for word in literals(option) if word]
    if words:
        options = [option for option in options if option is not str]
    return sorted(options, key=lambda option: option is str)


def literals(option: Any) -> tuple[Any, ...]:
    """Return the words of a literal type."""
    return typing.get_args(option) if typing.get_origin(option) is Literal else ()


def is_structure(option: Any) -> bool:
    """Whether a type is written with brackets in a form."""
    return is_typeddict(option) or typing.get_origin(option) in (list, dict, UntypedStripeObject)


def empty(options: list[Any], param: str) -> str:
    """Return the empty string where it clears a field; refuse it elsewhere."""
    if any("" in literals(option) for option in options):
        return ""
    name = param.rsplit("[", 1)[-1].rstrip("]")
    raise invalid(
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset"
        f" a parameter; however '{name}' cannot be unset. You should remove '{param}' from your"
        " request or supply a non-empty value.",
        param,
        "parameter_invalid_empty",
    )


def structure(option: Any, given: dict[str, Any], param: str) -> Any:
    """Read a dict, a list or nested parameters."""
    if is_typeddict(option):
        return read(option, given, param)
    arguments = typing.get_args(option)
    if typing.get_origin(option) is list:
        if not all(key.isdigit() for key in given):
            return None
        ordered = sorted(given.items(), key=lambda item: int(item[0]))
        return [value(arguments[0], item, f"{param}[{key}]") for key, item in ordered]
    if not all(isinstance(item, str) for item in given.values()):
        return None
    return dict(given)


def scalar(option: Any, given: str) -> Any:
    """Read a word, a number or a truth value; None if it is none."""
    if words := literals(option):
        return given if given in words else None
    if option is bool:
        return {"true": True, "false": False}.get(given)
    if option is int:
        return int(given) if re.fullmatch(r"-?[0-9]{1,15}", given) else None
    if option in (float, Decimal):
        number = re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,12})?", given)
        return (float(given) if option is float else given) if number else None
    return given if option is str else None


def mismatch(options: list[Any], given: Any, param: str) -> Problem:
    """Return Stripe's refusal of a value of another type."""
    words = [word for option in options for word in literals(option) if word]
    if isinstance(given, dict):
        return invalid(f"Invalid {param}", param)
    if int in options:
        return invalid(f"Invalid integer: {given}", param, "parameter_invalid_integer")
    if bool in options:
        return invalid(f"Invalid boolean: {given}", param)
    if words:
        text = f"Invalid {param}: must be one of {', '.join(words[:40])}"
        return invalid(text, param)
    kind = "array" if any(typing.get_origin(option) is list for option in options) else "object"
    return invalid(f"Invalid {kind}", param)
