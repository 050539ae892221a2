r"""Find and replace in names: plain text, or a regular expression with groups.

Patterns run on RE2, whose time grows with the length of a name only, whatever the pattern is. It
has neither look-around nor references within the pattern.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import re2

from sp404_app.errors import ValidationFailed

MAX_PATTERN_LENGTH: Final = 400
MAX_REPLACEMENT_LENGTH: Final = 400
MAX_RESULT_LENGTH: Final = 1000  # a longer result is cut; names are shorter
MAX_PATTERN_MEMORY_BYTES: Final = 1 << 20
REFERENCE: Final = re.compile(
    r"\\(?:g<(?P<name>[^>]*)>|(?P<number>\d{1,2})|(?P<other>.?))", re.DOTALL
)

Part = str | int  # a text, or the number of a group


def compile_replacement(
    find: str, replacement: str, *, is_regex: bool = False, match_case: bool = False
) -> Callable[[str], str]:
    r"""Return the function that replaces all matches in a name.

    In the replacement of a pattern, \1 and \g<name> are groups, and \\ is a backslash.

    Raises:
        ValidationFailed: With a message for the invalid field.
    """
    if not find:
        raise _invalid("find", "Enter a text to find.")
    if len(find) > MAX_PATTERN_LENGTH:
        raise _invalid("find", f"Use at most {MAX_PATTERN_LENGTH} characters.")
    if len(replacement) > MAX_REPLACEMENT_LENGTH:
        raise _invalid("replacement", f"Use at most {MAX_REPLACEMENT_LENGTH} characters.")
    pattern = _compile(find if is_regex else re2.escape(find), match_case=match_case)
    parts = _parse_replacement(replacement, pattern) if is_regex else [replacement]
    return lambda name: _replace_all(pattern, parts, name)


def _compile(pattern: str, *, match_case: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = match_case
    options.max_mem = MAX_PATTERN_MEMORY_BYTES
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise _invalid("find", f"This pattern isn’t valid: {text[:120]}") from error


def _parse_replacement(text: str, pattern: Any) -> list[Part]:
    parts: list[Part] = []
    at = 0
    for match in REFERENCE.finditer(text):
        parts += [text[at : match.start()], _parse_reference(match, pattern)]
        at = match.end()
    return [part for part in [*parts, text[at:]] if part != ""]


def _parse_reference(match: re.Match[str], pattern: Any) -> Part:
    if match["other"] is not None:
        if match["other"] == "\\":
            return "\\"
        raise _invalid("replacement", r"After “\”, write the number of a group, as in \1.")
    name = match["number"] or match["name"]
    number = int(name) if re.fullmatch(r"[0-9]{1,2}", name) else pattern.groupindex.get(name, -1)
    if not 0 <= number <= pattern.groups:
        raise _invalid("replacement", f"The pattern has no group “{name[:40]}”.")
    return number


def _replace_all(pattern: Any, parts: Sequence[Part], name: str) -> str:
    replaced: list[str] = []
    at = length = 0
    for match in pattern.finditer(name):
        filled = [part if isinstance(part, str) else match.group(part) or "" for part in parts]
        pieces = [name[at : match.start()], *filled]
        replaced += pieces
        length += sum(map(len, pieces))
        at = match.end()
        if length > MAX_RESULT_LENGTH:
            break
    return "".join([*replaced, name[at:]])[:MAX_RESULT_LENGTH]


def _invalid(field: str, message: str) -> ValidationFailed:
    return ValidationFailed(message, {field: [message]})
