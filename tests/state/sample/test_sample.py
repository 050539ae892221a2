"""The sample page: its texts, its actions, and access to it."""

import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import reflex as rx
from reflex.event import EventSpec

from sp404_app.audio.features.survey import survey_file
from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import Analysis, Sample, SampleStatus, Source, User, Waveform
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import samples
from sp404_app.services.sample.details import SampleDetails, find_sample_details
from sp404_app.services.sample.folder_tempo import FOLDER_TEMPO, FolderTempo
from sp404_app.state.formatting import format_channels, format_size
from sp404_app.state.library.library import LibraryState
from sp404_app.state.sample.collections import SampleCollectionsState
from sp404_app.state.sample.duplicates import DuplicatesState
from sp404_app.state.sample.measurements import facts_of
from sp404_app.state.sample.pads import SamplePadsState
from sp404_app.state.sample.sample import SampleState, affects_sample
from sp404_app.state.sample.similar import SimilarState
from sp404_app.state.sample.spectrogram import SpectrogramState, stretch_shown
from sp404_app.state.sample.view_model import describe_confidence, describe_tuning, sheet_of
from sp404_app.state.sample.waveform import WaveformState, stretch_to_draw
from tests.accounts import cookie
from tests.ids import UNKNOWN_ID
from tests.sounds import tone, write
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")
S = TypeVar("S", bound=rx.State)
Open = Callable[..., Any]


@pytest.fixture
def loop(user: User, tmp_path: Path) -> uuid.UUID:
    """An analysed loop of 4 s at 120 BPM."""
    path = write(tmp_path / "loop.wav", np.tile(tone(200, 0.5), 8))
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, "Loop.wav"))
        measured = survey_file(path)
        sample = samples.get_sample(session, user.id, sample_id)
        sample.status, sample.thumbnail = SampleStatus.READY, measured.peaks.thumbnail()
        sample.bpm, sample.bpm_confidence, sample.peak_dbfs = 120.0, 0.83, -6.0
        sample.key, sample.key_confidence, sample.kind = "G minor", 0.4, "loop"
        session.add_all([
            Waveform(sample_id=sample_id, user_id=user.id, peaks=measured.peaks.to_bytes()),
            Analysis(
                user_id=user.id, sample_id=sample_id, engine_version="1", status="ready",
                bpm=120.0, bpm_confidence=0.83, kind="loop", kind_confidence=0.97,
                bpm_candidates=[[120.0, 0.83], [60.0, 0.16], [90.0, 0.001]],
                key="G minor", key_confidence=0.4, key_candidates=[["G minor", 0.4]],
                beats=np.arange(0, 4, 0.5).tolist(), onsets=[0.0, 0.5],
                content={"downbeat": 0, "tuning_cents": -12.0},
            ),
        ])  # fmt: skip
    return sample_id


@pytest.fixture
def tab(user: User) -> Open:
    """Open a state of the sample page in a tab of the signed-in user."""

    def opened(kind: type[S], sample_id: object, owner: User = user) -> S:
        root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        state = root.get_substate(kind.get_full_name().split("."))
        return in_tab(state, cookie(owner.id), url=f"/samples/{sample_id}")  # type: ignore[return-value]

    return opened


async def run(events: Any) -> list[Any]:
    """Run a handler to its end; return the events it yields."""
    asked: list[Any] = []
    async for event in events:
        asked.extend(event if isinstance(event, list) else [event])
    return asked


def stored(sample_id: uuid.UUID) -> Sample:
    with transaction() as session:
        return session.get_one(Sample, sample_id)


async def test_the_page_shows_values_with_their_confidence(tab: Open, loop: uuid.UUID) -> None:
    page = tab(SampleState, loop)
    asked = await run(page.load())
    sheet = page.sheet
    assert page.phase == "here"
    assert (sheet.name, sheet.tempo.value, sheet.tempo.sure) == ("Loop", "120", "Fairly sure")
    assert (sheet.tempo.share, sheet.tempo.source) == (83, "from the analysis")
    assert [(c.label, c.detail, c.current) for c in sheet.tempo.choices] == [
        ("120", "83 %", True),
        ("60", "16 %", False),
    ]
    assert (sheet.key.sure, sheet.camelot, sheet.short_key) == ("Uncertain", "6A", "Gm")
    assert sheet.tuning == "Tuned 12 cents flat of A = 440 Hz"
    assert asked == [
        SpectrogramState.reset_picture,
        WaveformState.show,
        SimilarState.show,
        DuplicatesState.show,
        SamplePadsState.show,
        SampleCollectionsState.show,
        SampleState.watch,
    ]


@pytest.mark.parametrize("address", ["nonsense", "", "../../etc", UNKNOWN_ID])
async def test_an_unknown_url_shows_the_missing_page(tab: Open, address: str) -> None:
    page = tab(SampleState, address)
    assert await run(page.load()) == []
    assert (page.phase, page.sheet.name) == ("missing", "")


async def test_another_users_sample_is_missing_and_cannot_be_changed(
    tab: Open, person: Callable[..., User], loop: uuid.UUID
) -> None:
    stranger = person()
    page = tab(SampleState, loop, stranger)
    await run(page.load())
    assert (page.phase, page.sheet) == ("missing", tab(SampleState, loop).sheet)
    wave = tab(WaveformState, loop, stranger)
    await wave.zoom(0, 1)
    assert not wave.drawn
    attempts = (
        page.rename("mine now"),
        run(page.set_tempo("99")),
        run(page.scale_tempo("double")),
        page.set_key("C major"),
        page.set_kind("one_shot"),
        page.rate(5),
        page.act("favourite"),
        page.save_note("hello"),
        page.add_tags({"tags": "theirs"}),
        run(page.use_analysis("bpm")),
        page.analyse(),
        run(page.throw_away()),
        page.restore(),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            await attempt
    kept = stored(loop)
    assert (kept.name, kept.bpm, kept.key, kept.kind) == ("Loop", 120.0, "G minor", "loop")
    assert (kept.tags, kept.rating, kept.note, kept.deleted_at) == ([], 0, "", None)


async def test_every_state_requires_a_session(loop: uuid.UUID) -> None:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    for kind in (SampleState, WaveformState, SpectrogramState):
        page = in_tab(
            root.get_substate(kind.get_full_name().split(".")), "", url=f"/samples/{loop}"
        )
        handlers = {
            SampleState: lambda p: run(p.load()),
            WaveformState: lambda p: p.show(),
            SpectrogramState: lambda p: p.reset_picture(),
        }
        with pytest.raises(Unauthenticated):
            await handlers[kind](page)


@pytest.mark.parametrize(
    ("typed", "bpm"),
    [("92", 92.0), ("92,5", 92.5), (" 174 BPM ", 174.0), ("92.4567", 92.457), ("", None)],
)
async def test_a_typed_tempo_is_saved_as_the_users_own(
    tab: Open, loop: uuid.UUID, typed: str, bpm: float | None
) -> None:
    page = tab(SampleState, loop)
    await run(page.set_tempo(typed))
    assert (stored(loop).bpm, stored(loop).bpm_source) == (bpm, Source.USER)
    assert page.sheet.tempo.source == "set by you"
    assert page.sheet.tempo.mine
    assert page.sheet.tempo.sure == ""
    assert page.tempo_error == ""


@pytest.mark.parametrize("typed", ["5", "1000", "fast", "nan", "inf", "1e9", "-90", "0x10"])
async def test_an_impossible_tempo_shows_an_error_at_the_field(
    tab: Open, loop: uuid.UUID, typed: str
) -> None:
    page = tab(SampleState, loop)
    await run(page.set_tempo(typed))
    assert page.tempo_error
    assert stored(loop).bpm == 120.0


@pytest.mark.parametrize(("how", "bpm"), [("half", "60.0"), ("double", "240.0"), ("x", "120.0")])
async def test_half_and_double_start_from_the_stored_tempo(
    tab: Open, loop: uuid.UUID, how: str, bpm: str
) -> None:
    (asked,) = await run(tab(SampleState, loop).scale_tempo(how))
    assert isinstance(asked, EventSpec)
    assert bpm in str(asked.args)


async def test_key_and_kind_can_be_set_and_reset(tab: Open, loop: uuid.UUID) -> None:
    page = tab(SampleState, loop)
    await page.set_key("C major")
    await page.set_kind("one_shot")
    assert (stored(loop).key, stored(loop).kind) == ("C major", "one_shot")
    await page.set_key("none")
    assert (stored(loop).key, stored(loop).key_source) == (None, Source.USER)
    assert page.sheet.key.why_none == "You marked it as having no key."
    await run(page.use_analysis("key"))
    assert (stored(loop).key, page.sheet.key.source) == ("G minor", "from the analysis")
    for refused in (page.set_key("H minor"), page.set_kind("pad")):
        with pytest.raises(ValidationFailed):
            await refused


async def test_the_31st_tag_is_refused_with_a_notice(tab: Open, loop: uuid.UUID) -> None:
    page = tab(SampleState, loop)
    await run(page.load())
    assert await page.add_tags({"tags": ",".join(f"t{number}" for number in range(30))}) is None
    notice = await page.add_tags({"tags": "one more"})
    assert "This sound can’t have more tags: 30 is the most." in str(notice)
    assert "one more" not in stored(loop).tags


async def test_name_tags_rating_note_and_favourite_are_saved(tab: Open, loop: uuid.UUID) -> None:
    page = tab(SampleState, loop)
    await run(page.load())
    await page.rename("Dusty Loop")
    await page.add_tags({"tags": "drums, boom bap,,"})
    await page.drop_tag("drums")
    await page.rate(4)
    await page.act("favourite")
    await page.save_note("From the attic")
    kept = stored(loop)
    assert (kept.name, kept.tags, kept.rating) == ("Dusty Loop", ["boom bap"], 4)
    assert (kept.favourite, kept.note, page.note_saved) == (True, "From the attic", True)
    await page.rate(4)
    await page.act("favourite")
    await page.act("rate-2")
    assert (stored(loop).favourite, stored(loop).rating) == (False, 2)
    await page.rename("   ")
    assert page.name_error == "Enter a name."
    await page.save_note("x" * 4001)
    assert page.note_error
    assert stored(loop).note == "From the attic"


@pytest.mark.parametrize("odd", [None, 7, ["x"], {"a": 1}, b"x"])
async def test_arguments_of_a_wrong_kind_are_refused(
    tab: Open, loop: uuid.UUID, odd: object
) -> None:
    page = tab(SampleState, loop)
    for refused in (page.rename(odd), page.set_key(odd), page.act(odd), page.add_tags([odd])):
        with pytest.raises(ValidationFailed):
            await refused
    assert stored(loop).name == "Loop"


async def test_a_trashed_sample_is_restored_by_the_librarys_undo(
    tab: Open, loop: uuid.UUID
) -> None:
    page = tab(SampleState, loop)
    await run(page.load())
    asked = await run(page.throw_away())
    assert stored(loop).deleted_at
    assert "/library" in str(asked[-1].args)
    assert "“Loop” moved to the trash." in str(asked[0].args)
    library = await page.get_state(LibraryState)
    assert library._deleted == [str(loop)]
    with pytest.raises(Conflict):
        await page.analyse()
    await page.restore()
    assert stored(loop).deleted_at is None


async def test_the_waveform_follows_the_zoom_and_the_layers(tab: Open, loop: uuid.UUID) -> None:
    wave = tab(WaveformState, loop)
    await wave.show()
    whole = wave.figure
    assert wave.drawn
    assert wave.pulse.period == 0.5
    await wave.zoom(1.0, 1.01)
    close = wave.figure
    assert close.data[0].dx < whole.data[0].dx / 50
    assert 0.99 < close.data[0].x0 < 1.0
    await wave.toggle_layer("beats")
    assert wave.layers.beats is False
    assert wave.figure.data[0].dx == close.data[0].dx  # the zoom stays
    await wave.zoom(0, 0)
    assert wave.figure.data[0].dx == whole.data[0].dx
    assert len(wave.figure.data[4].x) == 0


@pytest.mark.parametrize("start", ["x", float("nan"), None, float("inf")])
async def test_odd_stretches_are_refused_or_harmless(
    tab: Open, loop: uuid.UUID, start: object
) -> None:
    wave = tab(WaveformState, loop)
    for ends in ((start, 1.0), (0.0, start), (start, start)):
        try:
            await wave.zoom(*ends)
        except ValidationFailed:
            continue
    await wave.zoom(3.0, 1.0)
    assert wave.drawn


def test_a_stretch_is_drawn_with_overscan() -> None:
    assert stretch_to_draw(None) == (0.0, None, 700)
    assert stretch_to_draw((10.0, 20.0)) == (8.0, 22.0, 980)
    assert stretch_to_draw((0.5, 10.5))[0] == 0.0


def sheet(content: dict[str, object] | None = None, **values: object) -> Any:
    fields = {"status": "ready", "kind": "loop"} | values
    sample = Sample(
        user_id=uuid.uuid4(), name="a", filename="a.wav", storage_key="a", size=10, digest="a",
        format="WAV", **fields,  # type: ignore[arg-type]
    )  # fmt: skip
    heard = Analysis(user_id=sample.user_id, sample_id=sample.id, content=content or {})
    return sheet_of(SampleDetails(sample, heard if content else None))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "one_shot"}, "One-shots have no tempo"),
        ({"kind": "loop"}, "No steady beat"),
        ({"bpm_source": "user"}, "You marked it"),
        ({"bpm": 90.0}, ""),
        ({"status": "queued"}, ""),
    ],
)
def test_a_missing_tempo_is_explained(values: dict[str, object], words: str) -> None:
    said = sheet(**values).tempo.why_none
    assert said.startswith(words)
    assert bool(said) is bool(words)


def test_a_contradicted_tempo_of_the_file_is_shown_until_the_user_sets_one() -> None:
    content: dict[str, object] = {"bpm_conflict": True, "stated_bpm": 101.0}
    assert sheet(content, bpm=90.0).tempo.written == "101"
    assert sheet(content, bpm=90.0, bpm_source="user").tempo.written == ""
    assert sheet({**content, "bpm_conflict": False}, bpm=101.0).tempo.written == ""
    assert sheet({"clipped": True}).cautions


def test_a_contradicted_key_of_the_file_is_shown_until_the_user_sets_one() -> None:
    content: dict[str, object] = {"key_conflict": True, "stated_key": "C# major"}
    assert sheet(content, key="C minor").key.written == "C# major"
    assert sheet(content, key="C minor", key_source="user").key.written == ""
    assert sheet({**content, "key_conflict": False}, key="C# major").key.written == ""
    assert sheet({**content, "stated_key": None}).key.written == ""
    assert sheet({"stated_key": "C# major"}).key.written == ""


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.99, "Very sure"), (0.7, "Fairly sure"), (0.5, "Probably"), (0.3, "Uncertain"),
     (0.1, "Very uncertain"), (None, "Very uncertain")],
)  # fmt: skip
def test_confidence_is_put_into_words(confidence: float | None, words: str) -> None:
    assert describe_confidence(confidence) == words


@pytest.mark.parametrize(
    ("cents", "words"),
    [(12.4, "Tuned 12 cents sharp of A = 440 Hz"), (-30, "Tuned 30 cents flat of A = 440 Hz"),
     (3, ""), (None, ""), ("x", "")],
)  # fmt: skip
def test_audible_detuning_is_shown(cents: object, words: str) -> None:
    assert describe_tuning(cents) == words


def test_facts_have_units_and_unknown_ones_are_left_out() -> None:
    sample = Sample(
        user_id=uuid.uuid4(), name="a", filename="a.wav", storage_key="a", size=3 << 20,
        digest="a", format="WAV 24-bit", sample_rate=44_100, channels=2, loudness_lufs=-9.04,
    )  # fmt: skip
    told = {fact.name: fact.value for fact in facts_of(sample)}
    assert told["Sample rate"] == "44.1 kHz"
    assert (told["Loudness"], told["Size"], told["Channels"]) == ("−9.0 LUFS", "3 MB", "Stereo")
    assert "Peak" not in told
    assert "Folder" not in told


def test_sizes_and_channels_have_units_and_unknown_channels_are_empty() -> None:
    assert (format_size(0), format_size(2048)) == ("0 MB", "2 kB")
    channels = [format_channels(count) for count in (1, 6, None)]
    assert channels == ["Mono", "6 channels", ""]


def test_only_events_of_this_sample_or_of_the_library_matter() -> None:
    mine, other = uuid.uuid4(), uuid.uuid4()
    assert affects_sample([Event(Topic.SAMPLE, str(mine))], mine)
    assert affects_sample([Event(Topic.JOB, "x"), Event(Topic.LIBRARY)], mine)
    assert not affects_sample([Event(Topic.SAMPLE, str(other)), Event(Topic.JOB, str(mine))], mine)


@pytest.mark.parametrize(
    ("stretch", "words"), [((0.0, 4.0, 4.0), ""), ((1.0, 2.5, 4.0), "1.00 – 2.50 s")]
)
def test_a_picture_of_a_part_names_its_times(
    stretch: tuple[float, float, float], words: str
) -> None:
    assert stretch_shown(*stretch) == words


@pytest.mark.parametrize(
    ("around", "sounds", "same", "sentence"),
    [
        (174.0, 12, True, "12 other loops of this folder are at 174 BPM."),
        (161.4, 3, False, "3 other loops of this folder are around 161 BPM."),
        (90.0, 1, True, "Another loop of this folder is at 90 BPM."),
    ],
)
def test_the_other_loops_of_the_folder_are_shown_as_evidence(
    user: User, loop: uuid.UUID, around: float, sounds: int, same: bool, sentence: str
) -> None:
    with transaction() as session:
        found = find_sample_details(session, user.id, loop)
    assert sheet_of(found).tempo.others == ""
    assert found.analysis
    evidence = FolderTempo(120.0, 0.9, around, sounds, same)
    found.analysis.content = {FOLDER_TEMPO: asdict(evidence)}
    assert sheet_of(found).tempo.others == sentence
    found.sample.bpm_source = "user"
    assert sheet_of(found).tempo.others == ""
