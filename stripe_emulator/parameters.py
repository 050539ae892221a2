"""Validate and convert request parameters by the types that the `stripe` package ships."""

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

from stripe_emulator.errors import ApiError, invalid_request

# Names in the annotations of the client's own options; requests do not carry these options.
CLIENT_TYPES = {"StripeContext": Any, "Mapping": Mapping}


@functools.cache
def parameter_types(params: type) -> dict[str, Any]:
    """Return the annotations of a parameter class, without the client's own options."""
    hints = typing.get_type_hints(params, None, CLIENT_TYPES, include_extras=True)
    own = RequestOptions.__annotations__
    return {name: without_required_marker(hint) for name, hint in hints.items() if name not in own}


def without_required_marker(hint: Any) -> Any:
    """Return the type inside `NotRequired[…]` or `Required[…]`."""
    qualified = typing.get_origin(hint) in (NotRequired, Required)
    return typing.get_args(hint)[0] if qualified else hint


def read_params(params: type, given: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the decoded form with Stripe's types.

    Raises:
        ApiError: a parameter is unknown, missing or of the wrong type.
    """
    known = parameter_types(params)
    unknown = [param_path(prefix, name) for name in given if name not in known]
    if unknown:
        raise unknown_parameters(unknown)
    required: frozenset[str] = getattr(params, "__required_keys__", frozenset())
    for name in sorted(required - given.keys()):
        param = param_path(prefix, name)
        raise invalid_request(f"Missing required param: {param}.", param, "parameter_missing")
    return {
        name: read_value(known[name], item, param_path(prefix, name))
        for name, item in given.items()
    }


def unknown_parameters(names: list[str]) -> ApiError:
    """Return Stripe's error for unknown parameters."""
    text = f"Received unknown parameter{'s' if len(names) > 1 else ''}: {', '.join(names)}"
    return invalid_request(text, names[0], "parameter_unknown")


def param_path(prefix: str, name: str) -> str:
    """Return Stripe's name of a nested parameter, such as `items[0][price]`."""
    return f"{prefix}[{name}]" if prefix else name


def read_value(hint: Any, given: Any, param: str) -> Any:
    """Convert one value to its annotated type."""
    options = union_members(hint)
    if given == "":
        return read_empty(options, param)
    structured = isinstance(given, dict)
    for option in options:
        if is_nested_type(option) == structured and option is not None:
            found = read_nested(option, given, param) if structured else read_scalar(option, given)
            if found is not None:
                return found
    raise type_mismatch(options, given, param)


def union_members(hint: Any) -> list[Any]:
    """Return the members of a union in the order in which they are tried.

    `str` comes last, and is left out if the union has literals.
    """
    union = typing.get_origin(hint) in (Union, types.UnionType)
    options = list(typing.get_args(hint)) if union else [hint]
    words = [word for option in options for word in literal_values(option) if word]
    if words:
        options = [option for option in options if option is not str]
    return sorted(options, key=lambda option: option is str)


def literal_values(option: Any) -> tuple[Any, ...]:
    """Return the values of a `Literal`, or an empty tuple."""
    return typing.get_args(option) if typing.get_origin(option) is Literal else ()


def is_nested_type(option: Any) -> bool:
    """Return whether values of the type are encoded with brackets."""
    return is_typeddict(option) or typing.get_origin(option) in (list, dict, UntypedStripeObject)


def read_empty(options: list[Any], param: str) -> str:
    """Return the empty string if it clears the field; refuse it otherwise."""
    if any("" in literal_values(option) for option in options):
        return ""
    name = param.rsplit("[", 1)[-1].rstrip("]")
    raise invalid_request(
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset"
        f" a parameter; however '{name}' cannot be unset. You should remove '{param}' from your"
        " request or supply a non-empty value.",
        param,
        "parameter_invalid_empty",
    )


def read_nested(option: Any, given: dict[str, Any], param: str) -> Any:
    """Convert a decoded dict to a typed dict, a list or a dict of strings."""
    if is_typeddict(option):
        return read_params(option, given, param)
    arguments = typing.get_args(option)
    if typing.get_origin(option) is list:
        if not all(key.isdigit() for key in given):
            return None
        ordered = sorted(given.items(), key=lambda item: int(item[0]))
        return [read_value(arguments[0], item, f"{param}[{key}]") for key, item in ordered]
    if not all(isinstance(item, str) for item in given.values()):
        return None
    return dict(given)


def read_scalar(option: Any, given: str) -> Any:
    """Convert a string to a literal, boolean, number or string; None if it does not fit."""
    if words := literal_values(option):
        return given if given in words else None
    if option is bool:
        return {"true": True, "false": False}.get(given)
    if option is int:
        return int(given) if re.fullmatch(r"-?[0-9]{1,15}", given) else None
    if option in (float, Decimal):
        number = re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,12})?", given)
        return (float(given) if option is float else given) if number else None
    return given if option is str else None


def type_mismatch(options: list[Any], given: Any, param: str) -> ApiError:
    """Return Stripe's error for a value of the wrong type."""
    words = [word for option in options for word in literal_values(option) if word]
    if isinstance(given, dict):
        return invalid_request(f"Invalid {param}", param)
    if int in options:
        return invalid_request(f"Invalid integer: {given}", param, "parameter_invalid_integer")
    if bool in options:
        return invalid_request(f"Invalid boolean: {given}", param)
    if words:
        text = f"Invalid {param}: must be one of {', '.join(words[:40])}"
        return invalid_request(text, param)
    kind = "array" if any(typing.get_origin(option) is list for option in options) else "object"
    return invalid_request(f"Invalid {kind}", param)
