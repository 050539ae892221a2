"""The program knows every command of its own that the runbooks name."""

import re
import shlex

import pytest

from sp404_app.cli import main
from tests.runbook_commands import RUNBOOKS, Command, commands_in, inline_commands

OURS = "python -m sp404_app "
SUBSHELL = re.compile(r"\$\([^)]*\)")
OPTIONAL = re.compile(r" \[\w+\]")
TEXT = RUNBOOKS.read_text()
IN_BLOCKS = {
    OPTIONAL.sub("", SUBSHELL.sub("x", command.text.removeprefix(OURS)))
    for command in commands_in(TEXT)
    if command.text.startswith(OURS)
}


@pytest.mark.parametrize("arguments", sorted(IN_BLOCKS | set(inline_commands(TEXT))))
def test_the_program_knows_each_of_its_commands(arguments: str) -> None:
    main._parser().parse_args(shlex.split(arguments))


def test_commands_are_found() -> None:
    text = (
        "Say:\n\n    select a\n    from b;\n    python -m x [ID]  # or all\n\n1. Or:\n\n       ls"
    )
    assert commands_in(text) == [
        Command(3, "select a from b;"),
        Command(5, "python -m x [ID]"),
        Command(9, "ls"),
    ]
    assert [command.program for command in commands_in(text)] == ["select", "python", "ls"]
    assert len(IN_BLOCKS) > 8
