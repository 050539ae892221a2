"""Show tempo, key and class by name, folder, tags or length, until an analysis gives them."""

from sp404_app.audio.features.stated_values import StatedValues
from sp404_app.audio.features.tempo import STATED_CONFIDENCE
from sp404_app.models import Sample, Source
from sp404_app.services.library import samples


def show_stated_values(sample: Sample, stated: StatedValues) -> None:
    """Set the tempo, key and class of a sample without them, unless its user has set them."""
    if stated.bpm and sample.bpm is None and sample.bpm_source != Source.USER:
        sample.bpm, sample.bpm_source = stated.bpm, Source(stated.bpm_source)
        sample.bpm_confidence = STATED_CONFIDENCE if stated.bpm_confirmed else None
    if stated.key and sample.key is None and sample.key_source != Source.USER:
        sample.key, sample.key_source = stated.key, Source(stated.key_source)
        sample.key_confidence = None
    if sample.sound_class is None and sample.sound_class_source != Source.USER:
        sample.sound_class = stated.sound_class
    samples.update_search_fields(sample)
