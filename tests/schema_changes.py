"""Statements of a migration that the former version, which still serves, would not survive."""

import re
from collections.abc import Iterable

# What each of them breaks in code that does not know of it.
CONTRACTING = {
    "drops a table": r"^drop table\b",
    "drops a column": r"^alter table\b.*\bdrop column\b",
    "renames": r"^alter (table|index|sequence|type|view)\b.*\brename\b",
    "moves a table to another schema": r"^alter table\b.*\bset schema\b",
    "drops a type": r"^drop (type|domain|view|sequence|schema)\b",
    "changes the type of a column": r"^alter table\b.*\balter column \S+ (set data )?type\b",
    "forbids null": r"^alter table\b.*\bset not null\b",
    "drops a default": r"^alter table\b.*\bdrop default\b",
}
NEW_TABLE = re.compile(r"^create table (?:if not exists )?(\S+)")
ADDED_COLUMN = re.compile(r"^alter table (\S+) add column (\S+) (.*)$")
DROPPED_CONSTRAINT = re.compile(r"^alter table \S+ drop constraint (\S+)")
ADDED_CONSTRAINT = re.compile(
    r"^alter table (\S+) add (?:constraint (\S+) )?(check|unique|foreign|primary|exclude)\b(.*)$"
)
UNIQUE_INDEX = re.compile(r"^create unique index (\S+) on (\S+)(.*)$")


def contracting_changes(statements: Iterable[str]) -> list[str]:
    """Return what each contracting statement does, and the statement, in one line.

    A constraint on columns that the same migration adds is none: the former version leaves them at
    their defaults. One that replaces a dropped constraint of its name is taken as a wider one.
    """
    lines = [_normalised(statement) for statement in statements]
    new_tables = {found[1] for line in lines if (found := NEW_TABLE.match(line))}
    new_columns = {(found[1], found[2]) for line in lines if (found := ADDED_COLUMN.match(line))}
    replaced = {found[1] for line in lines if (found := DROPPED_CONSTRAINT.match(line))}
    results = []
    for line in lines:
        reasons = [name for name, pattern in CONTRACTING.items() if re.search(pattern, line)]
        if _adds_required_column(line, new_tables):
            reasons.append("adds a column that must be given")
        if _restricts_old_columns(line, new_tables, new_columns, replaced):
            reasons.append("restricts existing columns")
        results += [f"{reason}: {line}" for reason in reasons]
    return results


def _normalised(statement: str) -> str:
    """Return a statement in lower case, in one line, without comments, quotes and `public.`."""
    without_comments = re.sub(r"--[^\n]*", " ", statement)
    line = re.sub(r"\s+", " ", without_comments).strip().lower().replace('"', "")
    line = re.sub(r"^(alter|drop) table (if exists |only )+", r"\1 table ", line)
    return line.replace("public.", "")


def _adds_required_column(line: str, new_tables: set[str]) -> bool:
    found = ADDED_COLUMN.match(line)
    if not found or found[1] in new_tables:
        return False
    definition = found[3]
    return "not null" in definition and not re.search(r"\b(default|generated)\b", definition)


def _restricts_old_columns(
    line: str, new_tables: set[str], new_columns: set[tuple[str, str]], replaced: set[str]
) -> bool:
    if constraint := ADDED_CONSTRAINT.match(line):
        table, name, kind, rest = constraint.groups(default="")
    elif index := UNIQUE_INDEX.match(line):
        (name, table, rest), kind = index.groups(), "unique"
    else:
        return False
    if table in new_tables or name in replaced:
        return False
    named = set(re.findall(r"\w+", rest))
    if kind == "unique" and "id" in named:
        return False  # the primary key is in it, so no two rows are alike
    return not any(column in named for of, column in new_columns if of == table)
