"""The shell and SQL commands of docs/RUNBOOKS.md, and what stands for their placeholders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.product import ROOT

RUNBOOKS = ROOT / "docs" / "RUNBOOKS.md"
BLOCK_INDENT = re.compile(r" {4,}")
FIRST_WORD = re.compile(r"[\w.-]+")
COMMENT = re.compile(r" {2,}# .*$")
SQL = frozenset({"select", "create", "alter"})
INLINE = re.compile(r"`python -m sp404_app ([^`]+)`")


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is written, without its comment, and the line where it begins."""

    line: int
    text: str

    @property
    def program(self) -> str:
        """Return the first word, such as `curl`; `select` for SQL."""
        found = FIRST_WORD.match(self.text)
        return found.group() if found else ""


def commands_in(text: str) -> list[Command]:
    """Return the commands of all indented blocks; SQL goes on until its semicolon."""
    found: list[Command] = []
    for number, line in _block_lines(text):
        if found and _is_unfinished(found[-1]):
            found[-1] = Command(found[-1].line, f"{found[-1].text} {line}")
        else:
            found.append(Command(number, line))
    return found


def inline_commands(text: str) -> list[str]:
    """Return the arguments of each `python -m sp404_app …` in running text."""
    return INLINE.findall(text)


def _block_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if BLOCK_INDENT.match(line) and (command := COMMENT.sub("", line).strip()):
            yield number, command


def _is_unfinished(command: Command) -> bool:
    return command.program in SQL and not command.text.endswith(";")
