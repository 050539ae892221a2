"""Pads and settings for property-based tests."""

from typing import Any

from hypothesis import strategies as st

from sp404_app.devices.device_pad import DevicePad
from sp404_app.devices.pad_settings import SETTINGS, Choice, Number, Switch


def setting_values(setting: Number | Switch | Choice) -> st.SearchStrategy[Any]:
    """Values of a setting, positions around the length of a short sample."""
    if isinstance(setting, Switch):
        return st.booleans()
    if isinstance(setting, Choice):
        return st.sampled_from(setting.values)
    high = int(min(setting.high, 30_000))
    low = int(setting.low)
    values: st.SearchStrategy[Any] = st.integers(low, high)
    if setting.decimals:
        values = st.integers(low * 100, high * 100).map(lambda hundredths: hundredths / 100)
    return values | st.none() if setting.optional else values


all_settings = st.fixed_dictionaries(
    {name: setting_values(each) for name, each in SETTINGS.items()}
)
printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
device_pads = st.builds(
    DevicePad,
    name=printable | st.text(max_size=30),
    settings=all_settings,
    chops=st.lists(st.integers(0, 30_000), max_size=20).map(tuple),
    channels=st.sampled_from([1, 2]),
    frames=st.integers(1, 30_000) | st.just(46_080_000),
)
