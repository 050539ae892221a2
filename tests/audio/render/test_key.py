"""Names of renders in the cache."""

import pytest

from sp404_app.audio.render import key
from sp404_app.audio.render.edit import NO_EDIT, parse_edit
from tests.audio.render.conftest import Json

DIGEST = "ab" * 32


def key_of(
    edit: Json | None = None, digest: str = DIGEST, rate: int = 48_000, *, loop: bool = False
) -> str:
    return key.render_key(digest, parse_edit(edit), rate=rate, loop=loop)


def test_a_key_is_a_sha_256_in_hex() -> None:
    assert len(bytes.fromhex(key_of())) == 32


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"pitch": 0, "stretch": 1, "resample_trick": 0}),
        ({}, {"stretch_to_bpm": {"from": 90, "to": 90}}),
        ({"stretch": 0.75}, {"stretch_to_bpm": {"from": 90, "to": 120}}),
        ({"stretch_to_bpm": {"from": 60, "to": 80}}, {"stretch_to_bpm": {"from": 90, "to": 120}}),
        ({"normalise": {"to": "peak", "value": 0}}, {"normalise": {"to": "peak", "value": -0.1}}),
        ({"gain_db": 3}, {"gain_db": 3.0}),
    ],
)
def test_edits_with_equal_results_share_a_key(one: Json, other: Json) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    "edit",
    [
        {"channels": "left"}, {"trim": [0, 1]}, {"trim_silence": -60}, {"reverse": True},
        {"pitch": 1}, {"stretch": 1.01}, {"resample_trick": 1}, {"gain_db": 0.1},
        {"normalise": {"to": "peak", "value": -1}}, {"normalise": {"to": "lufs", "value": -1}},
        {"fade_in": 1}, {"fade_out": 1},
    ],
)  # fmt: skip
def test_every_field_changes_the_key(edit: Json) -> None:
    assert key_of(edit) != key_of()


def test_sound_rate_and_loop_change_the_key() -> None:
    keys = {key_of(), key_of(digest="cd" * 32), key_of(rate=44_100), key_of(loop=True)}
    assert len(keys) == 4


def test_a_new_version_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of()
    monkeypatch.setattr(key, "RENDER_VERSION", "another")
    assert key_of() != before


def test_the_version_names_what_computes_the_samples() -> None:
    assert {part.split("-")[0] for part in key.RENDER_VERSION.split()} == {
        "code", "stretch", "numpy", "soxr",
    }  # fmt: skip
    assert key.render_key(DIGEST, NO_EDIT, rate=48_000, loop=False) == key_of()
