"""Irregular files from bug reports; skipped if their folder is not beside the checkout."""

from pathlib import Path

import pytest

from sp404_app.audio.features.analysis import analyse_file
from tests.api.conftest import Send

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "reports"
DURATIONS_S = {
    "w15_MS_ADPCM.wav": 5.217,
    "w15_GSM610.wav": 5.217,
    "w15_NMS_ADPCM_16.wav": 5.217,
    "m42_song_vbr_noxing.mp3": 64.7,
    "m35_xing_frames0.mp3": 5.2,
    "m41_joined.mp3": 9.3,
    "o30_chained.ogg": 9.2,
    "o40_A.ogg": 5.2,
    "o40_A+B.ogg": 9.2,
    "f29c_unknown_total.flac": 5.217,
    "w11_unfinished_sizes_zero.wav": 5.217,
    "w12b_bw64.wav": 5.217,
    "w02_odd_LIST_nopad.wav": 5.217,
    "a27b_odd_chunk_nopad.aif": 5.217,
    "m40_zeros_in_front.mp3": 5.2,
    "q7_ape_front.mp3": 5.2,
    "p44_id3_adts.aac": 5.2,
}
UNSUPPORTED = {"q11_soundfont.sf2": "SoundFont", "q9_amiga.8svx": "8SVX"}
TAGGED = ("w28_wav_id3_TBPM.wav", "a28_aiff_ID3_TBPM.aif", "p42_aac_tmpo.m4a")

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the folder of reported files does not exist"
)


def reported_files() -> list[Path]:
    return [path for path in sorted(FOLDER.iterdir()) if path.suffix != ".md"]


def test_each_file_is_stored_or_refused_with_the_name_of_its_format(send: Send) -> None:
    kept: dict[str, float] = {}
    for path in reported_files():
        answer = send((path.name, path.read_bytes()))
        assert answer.status_code in (201, 422), path.name
        body = answer.json()
        kept.update((path.name, sample["duration"]) for sample in body["samples"])
        for item in body["rejected"]:
            assert UNSUPPORTED.get(path.name, "?") in item["error"]
    assert len(kept) == len(reported_files()) - len(UNSUPPORTED)
    for name, seconds in DURATIONS_S.items():
        assert kept[name] == pytest.approx(seconds, abs=0.06), name


@pytest.mark.parametrize("name", TAGGED)
def test_a_tempo_in_a_tag_is_read(name: str) -> None:
    assert analyse_file(FOLDER / name, "").analysis.stated_bpm == 184


@pytest.mark.parametrize("name", ["Break 92bpm tail.wav", "t_2bars_tail0.25.wav"])
def test_silence_after_a_loop_does_not_change_its_tempo(name: str) -> None:
    found = analyse_file(FOLDER / name).analysis
    assert (found.kind, found.bpm) == ("loop", 92)
