"""Log records are redacted, whichever logger writes them."""

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

import psycopg
import pytest
import structlog
from sqlalchemy.exc import ProgrammingError

from sp404_app import logs
from sp404_app.settings import Settings

ROOT = Path(logs.__file__).parents[1]
PACKAGES = (ROOT / "sp404_app", ROOT / "stripe_emulator")
SECRET = "hunter2"


@pytest.fixture
def lines(
    own_logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[dict[str, Any]]]:
    """Return the written lines, and check that they contain no secret."""

    def written() -> list[dict[str, Any]]:
        text = capsys.readouterr()
        assert SECRET not in text.out + text.err + own_logs.getvalue()
        return [json.loads(line) for line in own_logs.getvalue().splitlines()]

    return written


@pytest.fixture
def library(tmp_path: Path) -> ModuleType:
    """A library that logs its argument."""
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


def test_records_of_libraries_are_written_without_values(
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


def test_other_handlers_get_redacted_records(
    lines: Callable[[], list[dict[str, Any]]], library: ModuleType
) -> None:
    theirs = logging.StreamHandler(sys.stdout)
    theirs.setFormatter(logging.Formatter("%(message)s %(args)s %(exc_info)s"))
    logging.getLogger("library").addHandler(theirs)
    library.handle(SECRET)
    lines()


def test_a_record_without_source_is_named_by_file_and_line(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    record = logging.getLogger("_granian").makeRecord
    logging.getLogger("_granian").handle(
        record("_granian", logging.ERROR, "src/workers.rs", 7, SECRET, (), None)
    )
    (line,) = lines()
    assert line["event"] == "a library's message (workers:7)"


def test_fields_are_written_only_if_they_match_their_pattern(
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


def test_formatted_messages_are_written_without_text_arguments(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    log, job = logging.getLogger("sp404_app.test"), uuid.uuid4()
    log.warning("job %s of %s failed %d times", job, SECRET, 3)
    log.warning(
        "an effect failed: %r",
        functools.partial(test_formatted_messages_are_written_without_text_arguments, SECRET),
    )
    log.warning("will try again: %s", OSError(28, SECRET))
    log.warning("%(name)s", {"name": SECRET})
    found = [line["event"] for line in lines()]
    assert found[0] == f"job {job} of … failed 3 times"
    assert (
        found[1] == "an effect failed: 'test_formatted_messages_are_written_without_text_arguments'"
    )
    assert found[2] == "will try again: OSError (ENOSPC)"


def test_errors_are_written_without_their_messages(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    log = structlog.get_logger("sp404_app.test")
    error = ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])
    log.error("failed", exc_info=error)
    logging.getLogger("sp404_app.test").error("failed", exc_info=ValueError(SECRET))
    first, second = lines()
    assert "ExceptionGroup" in first["exception"]
    assert "ValueError" in first["exception"]
    assert "KeyError" in first["exception"]
    assert second["exception"] == "ValueError"


def test_warnings_and_uncaught_errors_are_logged(lines: Callable[[], list[dict[str, Any]]]) -> None:
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


def test_every_command_configures_redacted_logs() -> None:
    code = "import runpy, sys, logging; sys.argv = ['x', '--help']\n"
    code += "try: runpy.run_module('sp404_app', run_name='__main__')\n"
    code += "except SystemExit: print(logging.getLogRecordFactory().__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "sp404_app.logs"


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield every logging call with its file and line."""
    for path in sorted(path for package in PACKAGES for path in package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner, method = node.func.value, node.func.attr
            named = isinstance(owner, ast.Name) and owner.id in ("log", "logger")
            if named and method in logs.METHODS:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_log_calls_have_constant_texts_and_known_fields() -> None:
    wrong = []
    for place, call in calls():
        numbers = {
            "code",
            "healed",
            "left",
            "milliseconds",
            "seconds",
            "status",
            "waiting",
            "exc_info",
        }
        fields = {word.arg for word in call.keywords if word.arg} - numbers
        constant = bool(call.args) and isinstance(call.args[0], ast.Constant)
        if not constant or not fields <= logs.FORMS.keys():
            wrong.append((place, fields))
    assert not wrong
    assert len(list(calls())) > 25


def test_an_error_names_what_is_missing_in_the_database_and_nothing_a_user_typed(
    services: Settings,
) -> None:
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        with pytest.raises(psycopg.Error) as missing:
            connection.execute("select no_such_function(1)")
        with pytest.raises(psycopg.Error) as typed:
            connection.execute("select to_tsquery('simple', %s)", [f"{SECRET} & ("])
        wrapped = ProgrammingError("select", {}, missing.value)
    assert "function no_such_function(integer) does not exist" in logs.name_of(missing.value)
    assert "no_such_function" in logs.name_of(wrapped)
    assert logs.name_of(typed.value) == "SyntaxError (42601)"
