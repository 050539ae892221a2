"""Show the tempo and key that a name, a folder, tags or the length give, until an analysis does."""

from sp404_app.audio.features.stated_values import StatedValues
from sp404_app.audio.features.tempo import STATED_CONFIDENCE
from sp404_app.models import Sample, Source
from sp404_app.services.library import samples


def show_stated_values(sample: Sample, stated: StatedValues) -> None:
    """Set the tempo and the key of a sample without them, unless its user has set them."""
    if stated.bpm and sample.bpm is None and sample.bpm_source != Source.USER:
        sample.bpm, sample.bpm_source = stated.bpm, Source(stated.bpm_source)
        sample.bpm_confidence = STATED_CONFIDENCE if stated.bpm_confirmed else None
    if stated.key and sample.key is None and sample.key_source != Source.USER:
        sample.key, sample.key_source = stated.key, Source(stated.key_source)
        sample.key_confidence = None
    samples.update_search_fields(sample)
