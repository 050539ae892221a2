"""Format measured values for display: sizes, levels, rates and times with their units.

Unknown values (None) become an empty text.
"""

import datetime as dt

from sp404_app.services.infra import byte_size

TIME_RESOLUTION_S = 0.002  # attack and decay times are not measured more closely

format_size = byte_size.format_size


def format_frequency(value: float | None) -> str:
    """Write a frequency in Hz or kHz; silence has the frequency 0, which is left empty too."""
    if not value:
        return ""
    return f"{value / 1000:.1f} kHz" if round(value) >= 1000 else f"{value:.0f} Hz"


def format_percent(share: float | None) -> str:
    """Write a share (0 to 1) in percent."""
    return "" if share is None else f"{round(100 * share)} %"


def format_short_time(seconds: float | None) -> str:
    """Write a time in ms, or in s from one second."""
    if seconds is None:
        return ""
    if seconds < TIME_RESOLUTION_S:
        return f"under {1000 * TIME_RESOLUTION_S:.0f} ms"
    milliseconds = round(1000 * seconds)
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{seconds:.2f} s"


def format_length(seconds: float) -> str:
    """Write the length of many sounds together: "48 s", "12 min 5 s", "2 h 14 min"."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def format_sample_rate(hertz: int | None) -> str:
    """Write a sample rate in kHz."""
    return f"{hertz / 1000:g} kHz" if hertz else ""


def format_channels(count: int | None) -> str:
    """Write a number of channels: "Mono", "Stereo", "6 channels"."""
    names = {None: "", 1: "Mono", 2: "Stereo"}
    return names.get(count, f"{count} channels")


def format_level(value: float | None, unit: str) -> str:
    """Write a level with its unit and a minus sign (U+2212)."""
    # Adding 0 turns -0.0 into 0.0.
    return f"{round(value, 1) + 0:.1f} {unit}".replace("-", "−") if value is not None else ""


def format_age(moment: dt.datetime, at: dt.datetime) -> str:
    """Write how long before `at` a moment was: "just now", "5 min ago", "12 Mar 2026"."""
    seconds = (at - moment).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h ago"
    days = int(seconds // 86_400)
    if days < 7:
        return "1 day ago" if days == 1 else f"{days} days ago"
    return f"{moment.day} {moment:%b %Y}"
