"""The same sound, edit and device give the same bytes, also in a later version of the program."""

import hashlib
import platform

import pytest

from sp404_app.audio.render.key import RENDER_VERSION
from tests.audio.render.conftest import Json, Renders, sixteen_bit

FRAMES = 24_000
# The versions that made the hashes. With others, a render has another name in the cache, too; the
# hashes are to be made again.
VERSION = "code-1 stretch-83869197b3c5 numpy-2.4.6 soxr-1.1.0"
HASHES: list[tuple[Json, int, str]] = [
    ({}, 48_000, "e9b0553f1d8300448cbb293d4cf1c3a84719ebf19fe54f05e51720fe447c157c"),
    ({}, 44_100, "175305d5e919ad134df7e3ba7d4cf1469a123fa8e55ad8c32312ffc84f76347e"),
    (
        {"trim": [100, 20_000], "fade_in": 5, "fade_out": 20},
        48_000,
        "77d7a0f3f0b6fb5b7a1c4e418281dc5a036054e14f76caf644624da77d370222",
    ),
    (
        {"normalise": {"to": "lufs", "value": -14}},
        44_100,
        "1820940639ed1ac30c7d189e1e2849b07ffc0af27f8f4ce32aaeae2a7697dbe0",
    ),
    ({"pitch": 3}, 48_000, "ea995db4b55a304650e273b99a6aa2f52771bf4180844ea39a2466a2775a290a"),
    (
        {"stretch": 1.25, "reverse": True},
        48_000,
        "416c44dd97359468a55eb544fd76319ed54958ae5018fc5fa6664355fb989a9e",
    ),
    (
        {"resample_trick": 5},
        48_000,
        "c2801c186a8d7dca19eedca3d6f21513f76c862e12b316bddda5765ae4d6a02c",
    ),
]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="others round in another order")
@pytest.mark.parametrize(("edit", "rate", "expected"), HASHES)
def test_a_render_has_the_bytes_that_its_name_had_before(
    renders: Renders, edit: Json, rate: int, expected: str
) -> None:
    assert RENDER_VERSION == VERSION
    content = renders.signal(sixteen_bit(FRAMES), edit, rate).content
    assert hashlib.sha256(content).hexdigest() == expected
