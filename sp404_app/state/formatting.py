"""Format measured values for display: sizes, levels, rates and times with their units."""

from sp404_app.services.infra.byte_size import format_size

STEP = 0.002  # seconds: no rise or fall is measured more closely

size = format_size


def hertz(value: float | None) -> str:
    """Write a frequency in Hz or kHz; nothing for none, and for the 0 of silence."""
    if not value:
        return ""
    return f"{value / 1000:.1f} kHz" if value >= 1000 else f"{value:.0f} Hz"


def percent(share: float | None) -> str:
    """Write a share of 0..1, or nothing."""
    return "" if share is None else f"{round(100 * share)} %"


def moment(seconds: float | None) -> str:
    """Write a short time in ms, a longer one in s, or nothing."""
    if seconds is None:
        return ""
    if seconds < STEP:
        return f"under {1000 * STEP:.0f} ms"
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def rate(hertz: int | None) -> str:
    """Write a sample rate in kHz, or nothing."""
    return f"{hertz / 1000:g} kHz" if hertz else ""


def channels(count: int | None) -> str:
    """Name a number of channels."""
    named = {None: "", 1: "Mono", 2: "Stereo"}
    return named.get(count, f"{count} channels")


def level(value: float | None, unit: str) -> str:
    """Write a level with its unit, or nothing."""
    # Adding 0 makes -0.0, which is nothing special, 0.0.
    return f"{round(value, 1) + 0:.1f} {unit}".replace("-", "−") if value is not None else ""
