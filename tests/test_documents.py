"""The documents name files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "docs/ARCHITECTURE.md",
    "docs/SECURITY.md",
)
BASES = (ROOT, ROOT / "sp404_app", ROOT / "docs", ROOT / "tests" / "security")
FILE_NAME = r"[\w./-]+\.(?:py|md|js|jsx|toml|txt|yml)"


def named_files(document: str) -> set[str]:
    """Return the files that a document names in code quotes or links to."""
    text = (ROOT / document).read_text()
    quoted = {name for name in re.findall(rf"`({FILE_NAME})`", text) if "/" in name}
    linked = set(re.findall(rf"\]\(({FILE_NAME})\)", text))
    return quoted | linked


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_exists(document: str) -> None:
    files = named_files(document)
    missing = sorted(name for name in files if not any((base / name).exists() for base in BASES))
    assert files
    assert missing == []
