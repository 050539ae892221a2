"""The level at which previews play."""

PREVIEW_TARGET_LUFS = -18.0
PREVIEW_PEAK_DBFS = -0.5  # highest peak after the gain
MAX_PREVIEW_GAIN_DB = 12.0


def preview_gain(loudness: float | None, peak: float | None) -> float:
    """Return the gain in dB that brings a sample to the preview loudness without clipping.

    `loudness` is in LUFS, `peak` in dBFS.
    """
    if loudness is None:
        return 0.0
    wanted_db = PREVIEW_TARGET_LUFS - loudness
    bounded_db = max(-MAX_PREVIEW_GAIN_DB, min(MAX_PREVIEW_GAIN_DB, wanted_db))
    return round(min(bounded_db, PREVIEW_PEAK_DBFS - (peak or 0.0)), 1)
