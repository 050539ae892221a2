"""Measured values as pages show them; unknown values become an empty text."""

from collections.abc import Callable
from functools import partial

import pytest

from sp404_app.state import formatting

in_db = partial(formatting.format_level, unit="dB")


@pytest.mark.parametrize(
    "write",
    [
        formatting.format_frequency,
        formatting.format_percent,
        formatting.format_short_time,
        formatting.format_sample_rate,
        formatting.format_channels,
        in_db,
    ],
)
def test_an_unknown_value_is_empty(write: Callable[[None], str]) -> None:
    assert write(None) == ""


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (formatting.format_frequency, 0.0, ""),
        (formatting.format_frequency, 440.4, "440 Hz"),
        (formatting.format_frequency, 1000.0, "1.0 kHz"),
        (formatting.format_percent, 0.0, "0 %"),
        (formatting.format_percent, 0.555, "56 %"),
        (formatting.format_percent, 1.0, "100 %"),
        (formatting.format_short_time, 0.0, "under 2 ms"),
        (formatting.format_short_time, 0.0019, "under 2 ms"),
        (formatting.format_short_time, formatting.TIME_RESOLUTION_S, "2 ms"),
        (formatting.format_short_time, 0.25, "250 ms"),
        (formatting.format_short_time, 1.0, "1.00 s"),
        (formatting.format_sample_rate, 48_000, "48 kHz"),
        (formatting.format_sample_rate, 22_050, "22.05 kHz"),
        (formatting.format_channels, 1, "Mono"),
        (formatting.format_channels, 2, "Stereo"),
        (formatting.format_channels, 6, "6 channels"),
        (in_db, -12.34, "−12.3 dB"),
        (in_db, -0.04, "0.0 dB"),
        (in_db, 0.26, "0.3 dB"),
    ],
)
def test_a_value_is_written_with_its_unit(
    write: Callable[[float], str], value: float, text: str
) -> None:
    assert write(value) == text


def test_a_value_that_rounds_to_the_next_unit_is_written_in_that_unit() -> None:
    assert formatting.format_frequency(999.6) == "1.0 kHz"
    assert formatting.format_short_time(0.9996) == "1.00 s"
