"""Sizes as users read them."""

import pytest

from sp404_app.services.infra.byte_size import GB, KB, format_size
from sp404_app.settings import MB


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 MB"),
        (1, "1 kB"),
        (100 * KB, "100 kB"),
        (103 * KB, "0.1 MB"),
        (12.3 * MB, "12.3 MB"),
        (100 * MB, "100 MB"),
        (1023.9 * MB, "1023.9 MB"),
        (GB - 1, "1 GB"),
        (1.5 * GB, "1.5 GB"),
        (5 * GB, "5 GB"),
    ],
)
def test_a_size_is_written_in_kb_mb_or_gb(count: float, text: str) -> None:
    assert format_size(int(count)) == text
