"""What may stand in a line of a log, whoever writes it."""

import ast
import functools
import io
import json
import logging
import subprocess
import sys
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import structlog

from sp404_app import logs

ROOT = Path(logs.__file__).parents[1]
PACKAGES = (ROOT / "sp404_app", ROOT / "stripe_emulator")
SECRET = "hunter2"


@pytest.fixture
def lines(
    own_logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[dict[str, Any]]]:
    """Give back what is written, which holds no secret."""

    def written() -> list[dict[str, Any]]:
        text = capsys.readouterr()
        assert SECRET not in text.out + text.err + own_logs.getvalue()
        return [json.loads(line) for line in own_logs.getvalue().splitlines()]

    return written


@pytest.fixture
def library(tmp_path: Path) -> ModuleType:
    """A library that logs what it was given."""
    path = tmp_path / "library.py"
    path.write_text(
        "import logging\n"
        "logger = logging.getLogger('library')\n"
        "def handle(data):\n"
        "    logger.warning(\n"
        "        'Cannot read the event. '\n"
        "        f'Event data: {data}'\n"
        "    )\n"
        "    logger.error('refused: %s', data)\n"
        "    logger.log(40, 'refused at %d: %s', 3, data)\n"
        "    logger.error(data)\n"
        "    logger.warning({'data': data})\n"
        "    logger.warning('%d', data)\n"
        "    try:\n"
        "        raise ValueError(data) from KeyError(data)\n"
        "    except ValueError:\n"
        "        logger.exception('failed on ' + data)\n"
    )
    module = ModuleType("library")
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)  # noqa: S102
    return module


def test_a_library_is_quoted_without_its_values(
    lines: Callable[[], list[dict[str, Any]]], library: ModuleType
) -> None:
    library.handle(SECRET)
    found = lines()
    assert [line["event"] for line in found] == [
        "f'Cannot read the event. Event data: {data}' (library:4)",
        "refused: %s (library:8)",
        "refused at %d: %s (library:9)",
        "data (library:10)",
        "{'data': data} (library:11)",
        "%d (library:12)",
        "'failed on ' + data (library:16)",
    ]
    stack = found[-1]["exception"]
    assert stack.count("ValueError") >= 1
    assert "caused by\nKeyError" in stack
    assert "library.py" in stack


def test_handlers_of_others_have_nothing_else_to_write(
    lines: Callable[[], list[dict[str, Any]]], library: ModuleType
) -> None:
    theirs = logging.StreamHandler(sys.stdout)
    theirs.setFormatter(logging.Formatter("%(message)s %(args)s %(exc_info)s"))
    logging.getLogger("library").addHandler(theirs)
    library.handle(SECRET)
    lines()


def test_a_library_without_source_is_named_by_its_place(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    record = logging.getLogger("_granian").makeRecord
    logging.getLogger("_granian").handle(
        record("_granian", logging.ERROR, "src/workers.rs", 7, SECRET, (), None)
    )
    (line,) = lines()
    assert line["event"] == "a library's message (workers:7)"


def test_our_fields_are_written_if_they_have_their_form(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    log = structlog.get_logger("sp404_app.test")
    user_id = uuid.uuid4()
    log.warning("it happened", user_id=user_id, status=200, method="GET", ip="::1", error="OSError")
    log.warning("it happened", user_id=SECRET, method=SECRET, ip=SECRET, error=f"{SECRET}!")
    log.warning("it happened", password=SECRET, other=SECRET, listed=[SECRET], known={SECRET: 1})
    good, *bad = lines()
    assert (
        good.items()
        >= {
            "user_id": str(user_id),
            "status": 200,
            "method": "GET",
            "ip": "::1",
            "error": "OSError",
        }.items()
    )
    for line in bad:
        own = line.keys() - set(logs.OF_OURS)
        assert {line[name] for name in own} == {logs.HIDDEN}


def test_our_older_lines_are_written_without_texts(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    log, job = logging.getLogger("sp404_app.test"), uuid.uuid4()
    log.warning("job %s of %s failed %d times", job, SECRET, 3)
    log.warning(
        "an effect failed: %r",
        functools.partial(test_our_older_lines_are_written_without_texts, SECRET),
    )
    log.warning("will try again: %s", OSError(28, SECRET))
    log.warning("%(name)s", {"name": SECRET})
    found = [line["event"] for line in lines()]
    assert found[0] == f"job {job} of … failed 3 times"
    assert found[1] == "an effect failed: 'test_our_older_lines_are_written_without_texts'"
    assert found[2] == "will try again: OSError (ENOSPC)"


def test_errors_are_named_but_not_quoted(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log = structlog.get_logger("sp404_app.test")
    error = ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])
    log.error("failed", exc_info=error)
    logging.getLogger("sp404_app.test").error("failed", exc_info=ValueError(SECRET))
    first, second = lines()
    assert "ExceptionGroup" in first["exception"]
    assert "ValueError" in first["exception"]
    assert "KeyError" in first["exception"]
    assert second["exception"] == "ValueError"


def test_what_python_would_print_is_logged(lines: Callable[[], list[dict[str, Any]]]) -> None:
    warnings.warn(SECRET, UserWarning, stacklevel=1)
    thread = threading.Thread(target=lambda: int(SECRET))
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError(SECRET), None)
    assert [line["event"] for line in lines()] == [
        "warning of Python",
        "uncaught error in a thread",
        "uncaught error",
    ]


def test_every_command_begins_with_it() -> None:
    code = "import runpy, sys, logging; sys.argv = ['x', '--help']\n"
    code += "try: runpy.run_module('sp404_app', run_name='__main__')\n"
    code += "except SystemExit: print(logging.getLogRecordFactory().__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "sp404_app.logs"


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call that logs, with where it stands."""
    for path in sorted(path for package in PACKAGES for path in package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner, method = node.func.value, node.func.attr
            named = isinstance(owner, ast.Name) and owner.id in ("log", "logger")
            if named and method in logs.METHODS:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_our_lines_are_constant_texts_with_known_fields() -> None:
    wrong = []
    for place, call in calls():
        numbers = {"code", "healed", "left", "milliseconds", "status", "waiting", "exc_info"}
        fields = {word.arg for word in call.keywords if word.arg} - numbers
        constant = bool(call.args) and isinstance(call.args[0], ast.Constant)
        if not constant or not fields <= logs.FORMS.keys():
            wrong.append((place, fields))
    assert not wrong
    assert len(list(calls())) > 25
