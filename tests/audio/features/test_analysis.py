"""The analysis of rendered sounds with known tempo, key, kind and class, and its invariances."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from sp404_app.audio.dsp import onset
from sp404_app.audio.features import analysis, tempo
from sp404_app.audio.features.analysis import Analysis, Kind, analyse, analyse_file, warm_up_engine
from sp404_app.audio.features.filename_hints import StatedMetadata, tempo_fits_length
from sp404_app.audio.features.key_detection import KeyEstimate
from sp404_app.audio.features.metadata_fusion import (
    FusedKey,
    fuse_class,
    fuse_key,
    fuse_tempo,
    merge_stated,
)
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import CLASSES, SoundClass
from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds
from sp404_app.audio.synth.sequencer import Loop, stack_triad
from sp404_app.audio.synth.tones import electric_piano, pad
from tests.audio.conftest import RATE, Write, sine
from tests.audio.material import rubato_piano

SOUNDS = {sound.name: sound for sound in demo_sounds()}
LOOPS = [sound for sound in SOUNDS.values() if sound.kind == "loop"]
HITS = [sound for sound in SOUNDS.values() if sound.kind == "one_shot"]


def mono(sound: DemoSound) -> np.ndarray:
    return np.atleast_2d(sound.signal.T).mean(axis=0).astype(np.float32)


def analysed(signal: np.ndarray, rate: float = RATE, **more: object) -> Analysis:
    return analyse(signal.astype(np.float32), rate, duration=len(signal) / rate, **more)


@pytest.mark.parametrize("sound", LOOPS, ids=lambda sound: sound.name)
def test_every_demo_loop_has_its_tempo_and_key(sound: DemoSound) -> None:
    found = analysed(mono(sound))
    assert found.kind is Kind.LOOP
    assert found.bpm == pytest.approx(sound.bpm)
    assert found.bpm_confidence > 0.5
    assert found.key == sound.key
    rivals = [bpm for bpm, _ in found.bpm_candidates]
    assert sound.bpm is not None
    for octave in (sound.bpm, sound.bpm / 2, sound.bpm * 2):
        assert min(abs(rival / octave - 1) for rival in rivals) < 0.01
    chances = [chance for _, chance in found.bpm_candidates]
    assert sum(chances) <= 1.001
    assert chances[1:] == sorted(chances[1:], reverse=True)


@pytest.mark.parametrize("sound", HITS, ids=lambda sound: sound.name)
def test_every_demo_hit_is_a_one_shot_without_tempo(sound: DemoSound) -> None:
    found = analysed(mono(sound))
    assert found.kind is Kind.ONE_SHOT
    assert found.bpm is None
    assert found.beats == []
    assert found.bpm_candidates == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Dusty Corner", "break"), ("Sub Walk", "bass"), ("Velvet Kick", "kick"),
        ("Paper Snare", "snare"), ("Studio Clap", "clap"), ("Tight Hat", "closed hat"),
        ("Open Hat", "open hat"), ("Crash", "cymbal"), ("Low Tom", "tom"), ("Deep 808", "bass"),
    ],
)  # fmt: skip
def test_classes_are_recognised(name: str, wanted: str) -> None:
    assert analysed(mono(SOUNDS[name])).sound_class == wanted


def test_beats_lie_on_the_grid() -> None:
    sound = SOUNDS["Four Doors Down"]
    found = analysed(mono(sound))
    grid = np.arange(8) * 60 / 124
    assert found.beats == pytest.approx(grid, abs=0.012)
    assert found.downbeat == 0


def test_onsets_are_detected_at_the_hits() -> None:
    clicks = np.zeros(2 * RATE, np.float32)
    times = (0.2, 0.7, 1.1, 1.55)
    for at in times:
        start = int(at * RATE)
        clicks[start : start + 2000] = sine(900, 2000 / RATE) * np.linspace(1, 0, 2000)
    assert analysed(clicks).onsets == pytest.approx(times, abs=0.015)


def same(one: Analysis, other: Analysis) -> None:
    assert (one.kind, one.key) == (other.kind, other.key)
    assert one.bpm == pytest.approx(other.bpm, rel=0.002)


HARMLESS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, int]]] = {
    "quieter": lambda y: (y * 0.02, RATE),
    "louder": lambda y: (y * 1.1, RATE),
    "upside down": lambda y: (-y, RATE),
    "dithered": lambda y: (y + np.random.default_rng(1).uniform(-2, 2, len(y)) / 65536, RATE),
    "at 48 kHz": lambda y: (soxr.resample(y, RATE, 48_000), 48_000),
    "at 22 kHz": lambda y: (soxr.resample(y, RATE, 22_050), 22_050),
    "at 96 kHz": lambda y: (soxr.resample(y, RATE, 96_000), 96_000),
}


@pytest.mark.parametrize("how", HARMLESS)
@pytest.mark.parametrize("name", ["Dusty Corner", "Sunday Keys", "Escape Velocity"])
def test_gain_polarity_dither_and_resampling_keep_tempo_and_key(name: str, how: str) -> None:
    y = mono(SOUNDS[name])
    same(analysed(y), analysed(*HARMLESS[how](y)))


@pytest.mark.parametrize("name", ["Dusty Corner", "Kalimba Morning"])
@pytest.mark.parametrize("extension", ["flac", "ogg", "mp3", "aiff"])
def test_codecs_and_swapped_channels_keep_tempo_and_key(
    write: Write, name: str, extension: str
) -> None:
    sound = SOUNDS[name]
    plain = analyse_file(write("a.wav", sound.signal)).analysis
    same(plain, analyse_file(write(f"a.{extension}", sound.signal[:, ::-1])).analysis)


@pytest.mark.parametrize("name", ["Dusty Corner", "Four Doors Down", "Back Alley"])
def test_a_loop_played_twice_keeps_its_tempo(name: str) -> None:
    y = mono(SOUNDS[name])
    assert analysed(np.tile(y, 2)).bpm == pytest.approx(analysed(y).bpm)


@settings(max_examples=6, deadline=None)
@given(st.integers(-5, 6))
def test_transposing_moves_the_key_by_as_much(semitones: int) -> None:
    loop = Loop(90, 16)
    for bar, degree in enumerate((0, 5, 2, 6)):
        for note in stack_triad(57 + semitones, "minor", degree - 7 * (degree > 3)):
            loop.hit(electric_piano(note, 3.5 * loop.beat), 4 * bar, 0.5)
        loop.hit(electric_piano(45 + semitones + (0, -4, 3, -2)[bar], 2.0), 4 * bar, 0.5)
    found = analysed(mono_of(loop))
    assert found.key == KEYS[12 + (9 + semitones) % 12]
    assert found.camelot is not None


def mono_of(loop: Loop) -> np.ndarray:
    return loop.frames.mean(axis=1)


def test_the_tuning_is_estimated_in_cents() -> None:
    tone = sum(sine(220 * n * 2 ** (30 / 1200), 3.0, 0.3 / n) for n in (1, 2, 3, 4, 5))
    loop = np.concatenate([tone * np.hanning(len(tone))] * 2)
    found = analysed(loop)
    assert found.key is None or found.tuning_cents == pytest.approx(30, abs=6)


@pytest.mark.parametrize("note", [28, 33, 45, 57, 69, 81])
def test_a_single_note_has_its_root_note(note: int) -> None:
    voice = electric_piano(note, 0.8)
    found = analysed(voice)
    assert found.kind is Kind.ONE_SHOT
    assert found.root_note == note
    assert found.key is None


HOSTILE: dict[str, tuple[np.ndarray, float]] = {
    "nothing": (np.zeros(0), RATE),
    "one sample": (np.ones(1) * 0.5, RATE),
    "two samples": (np.array([0.5, -0.5]), RATE),
    "silence": (np.zeros(3 * RATE), RATE),
    "an offset": (np.full(3 * RATE, 0.4), RATE),
    "30 ms": (np.random.default_rng(1).uniform(-1, 1, 1323), RATE),
    "white noise": (np.random.default_rng(1).normal(0, 0.1, 8 * RATE), RATE),
    "1 Hz": (sine(1, 6.0), RATE),
    "20 kHz": (sine(20_000, 4.0), RATE),
    "a telephone": (np.random.default_rng(1).normal(0, 0.1, 16_000), 8000),
    "a square wave of full scale": (np.sign(sine(100, 5.0)), RATE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_degenerate_input_is_a_one_shot_without_tempo_in_bounded_time(name: str) -> None:
    signal, rate = HOSTILE[name]
    started = time.process_time()
    found = analysed(signal, rate)
    assert time.process_time() - started < 2
    assert found.kind is Kind.ONE_SHOT
    assert found.bpm is None
    assert np.isfinite(found.likeness).all()
    assert np.isfinite([found.brightness, found.noisiness, found.attack]).all()


def test_a_sample_rate_of_1_hz_is_analysed() -> None:
    found = analysed(np.random.default_rng(1).uniform(-1, 1, 30), 1)
    assert np.isfinite(found.likeness).all()


def test_noise_and_silence_have_no_key() -> None:
    for name in ("silence", "an offset", "white noise", "30 ms", "nothing"):
        assert analysed(*HOSTILE[name]).key is None


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 30_000), st.sampled_from([8000, 22_050, 44_100]))
def test_random_noise_of_any_length_never_fails(seed: int, length: int, rate: int) -> None:
    rng = np.random.default_rng(seed)
    signal = rng.normal(0, 1, length) * np.exp(-np.arange(length) / rng.uniform(100, 20_000))
    found = analysed(signal, rate)
    assert 0 <= found.bpm_confidence <= 1
    assert 0.5 <= found.kind_confidence <= 1


def test_fast_music_is_within_the_range() -> None:
    loop = Loop(200, 32)
    loop.row("X---", [mono(SOUNDS["Velvet Kick"])[:6000]])
    found = analysed(loop.frames.mean(axis=1))
    assert found.bpm in (pytest.approx(200), pytest.approx(100))


def test_an_excerpt_of_a_long_recording_has_a_tempo() -> None:
    y = np.tile(mono(SOUNDS["Four Doors Down"]), 10)[3000 : 3000 + 30 * RATE]
    found = analyse(y, RATE, duration=600.0)
    assert found.bpm == pytest.approx(124, abs=0.6)


def test_a_stated_tempo_that_fits_is_used_and_another_is_a_conflict() -> None:
    y = mono(SOUNDS["Slow Chrome"])
    plain = analysed(y)
    assert (plain.bpm_source, plain.bpm_conflict) == ("analysis", False)
    half = analysed(y, name_hint="Trap/chrome 70bpm.wav")
    assert (half.bpm, half.bpm_source, half.bpm_confidence) == (70, "file", 0.99)
    assert half.bpm_candidates[0] == (70, 0.99)
    other = analysed(y, name_hint="chrome 101bpm.wav")
    assert (other.bpm, other.bpm_source, other.bpm_conflict) == (plain.bpm, "analysis", True)
    assert other.stated_bpm == 101


def test_an_unlikely_candidate_does_not_confirm_a_stated_tempo() -> None:
    y = mono(SOUNDS["Slow Chrome"])
    rivals = [bpm for bpm, chance in analysed(y).bpm_candidates if chance < 0.001]
    rival = next(
        bpm for bpm in rivals if bpm not in (70, 280) and not tempo_fits_length(bpm, len(y) / RATE)
    )
    found = analysed(y, name_hint=f"chrome {rival:.0f}bpm")
    assert (found.bpm, found.bpm_source, found.bpm_conflict) == (140, "analysis", True)


def test_rejected_candidates_share_the_remaining_probability() -> None:
    found = analysed(mono(SOUNDS["Slow Chrome"]), name_hint="chrome 70bpm")
    assert [bpm for bpm, _ in found.bpm_candidates[:2]] == [70, 140]
    assert sum(chance for _, chance in found.bpm_candidates) == pytest.approx(1, abs=0.001)


def test_a_stated_tempo_without_a_detected_beat_is_a_conflict() -> None:
    found = analysed(rubato_piano(8), name_hint="solo 101bpm.wav")
    assert (found.kind, found.bpm, found.bpm_conflict) == ("loop", None, True)
    assert not analysed(rubato_piano(8), name_hint="solo 101.wav").bpm_conflict


@pytest.mark.parametrize(
    ("tag", "bpm"),
    [(139.1, 140.0), (140.0, 140.0), (141.0, 140.0), (70.0, 70.0), (None, 140.0)],
)
def test_an_estimated_tempo_tag_does_not_override_the_tempo_in_the_name(
    tag: float | None, bpm: float
) -> None:
    y = mono(SOUNDS["Slow Chrome"])
    assert analysed(y, name_hint="chrome 140bpm", tags=StatedMetadata(bpm=tag)).bpm == bpm


def test_a_rounded_tempo_in_the_name_does_not_override_an_exact_tag() -> None:
    duration = 8 * 60 / 92.5
    named, tagged = StatedMetadata(bpm=92.0), StatedMetadata(bpm=92.5)
    assert merge_stated(named, tagged, duration).bpm == 92.5
    assert merge_stated(named, tagged, duration * 1.004).bpm == 92
    assert (
        merge_stated(StatedMetadata(bpm=92.0, bpm_explicit=False), tagged, duration * 1.004).bpm
        == 92.5
    )


def test_a_default_tempo_tag_does_not_precede_the_name() -> None:
    default = StatedMetadata(bpm=120.0)
    exact_at_92, exact_at_120 = 8 * 60 / 92, 7 * 60 / 120
    assert merge_stated(StatedMetadata(bpm=92.0), default, exact_at_92).bpm == 92
    assert merge_stated(StatedMetadata(bpm=92.0), default, exact_at_92 * 1.05).bpm == 92
    bare = StatedMetadata(bpm=92.0, bpm_explicit=False)
    assert merge_stated(bare, default, exact_at_92).bpm == 92
    assert merge_stated(StatedMetadata(bpm=92.0), default, exact_at_120).bpm == 120
    assert merge_stated(StatedMetadata(), default, exact_at_92).bpm == 120


def test_a_tempo_in_the_name_is_offered_for_a_one_shot_and_beside_a_contradiction() -> None:
    hit = analysed(mono(SOUNDS["Velvet Kick"]), name_hint="kick 90bpm")
    assert (hit.kind, hit.bpm) == (Kind.ONE_SHOT, None)
    assert [bpm for bpm, _ in hit.bpm_candidates] == [90]
    loop = analysed(mono(SOUNDS["Slow Chrome"]), name_hint="chrome 101bpm.wav")
    assert loop.bpm_candidates[0][0] == loop.bpm == 140
    assert 101 in [bpm for bpm, _ in loop.bpm_candidates]
    assert sum(chance for _, chance in loop.bpm_candidates) <= 1.001


def test_tags_precede_names_and_one_shots_never_have_a_tempo() -> None:
    y = mono(SOUNDS["Slow Chrome"])
    found = analysed(y, name_hint="chrome_70bpm_Cm", tags=StatedMetadata(bpm=140.0, key="F# minor"))
    assert (found.bpm, found.key, found.key_source) == (140, "F# minor", "file")
    assert analysed(mono(SOUNDS["Velvet Kick"]), name_hint="kick 90bpm").bpm is None


def chords(*roots: int, minor: bool = True) -> np.ndarray:
    """Render triads on these MIDI notes, each for a second, with their bass."""
    third = 3 if minor else 4
    return np.concatenate([
        sum(
            0.1 * partial**-1.5 * sine(440 * 2 ** ((root + step - 69) / 12) * partial, 1.0, 1.0)
            for step in (-12, 0, third, 7)
            for partial in (1, 2, 3)
        )
        * np.exp(-np.arange(RATE) / RATE)
        for root in roots
    ]).astype(np.float32)  # fmt: skip


def test_a_name_decides_between_classes_that_sound_alike() -> None:
    snare = mono(SOUNDS["Paper Snare"])
    chances = analysis.class_chances(measured_hit(snare))
    order = chances.argsort()[::-1]
    first, second, last = (CLASSES[order[place]] for place in (0, 1, -1))
    assert first == "snare"
    assert fuse_class(chances, ()) == (first, pytest.approx(chances.max()))
    name, probability = fuse_class(chances, (second,))
    assert name == (second if chances[order[1]] * 50 > chances.max() else first)
    assert 0 < probability <= 1
    assert fuse_class(chances, (last,))[0] == first  # a name that cannot be right
    close = np.full(len(CLASSES), 0.03)
    close[CLASSES.index(SoundClass.CLOSED_HAT)] = 1 - 0.03 * (len(CLASSES) - 1)
    assert fuse_class(close, (SoundClass.SNARE,))[0] == SoundClass.SNARE
    hats = (SoundClass.CLOSED_HAT, SoundClass.OPEN_HAT)
    assert fuse_class(close, hats)[0] == SoundClass.CLOSED_HAT  # the sound chooses among them


def measured_hit(signal: np.ndarray) -> analysis.Measurements:
    return analysis.measure_window(signal, RATE, len(signal) / RATE)


def test_a_wrong_name_changes_no_clear_class_and_no_loop() -> None:
    chord = mono(SOUNDS["Minor Stab"])
    assert analysed(chord, name_hint="Kick 3.wav").sound_class == analysed(chord).sound_class
    loop = mono(SOUNDS["Dusty Corner"])
    assert analysed(loop, name_hint="Kick 3.wav").sound_class == analysed(loop).sound_class


@pytest.mark.parametrize("name", ["Keys 3b", "take 2a", "Rhodes 12A", "Am I Dreaming"])
def test_a_name_that_only_looks_like_a_key_is_ignored(name: str) -> None:
    for sound in (chords(60, 65, 67, 60), mono(SOUNDS["Dusty Corner"])):
        plain, named = analysed(sound), analysed(sound, name_hint=f"{name}.wav")
        assert (named.key, named.key_source) == (plain.key, "analysis")
        assert not named.key_conflict


def test_a_clearly_detected_key_overrides_an_uncertain_stated_key() -> None:
    plain = analysed(chords(60, 65, 67, 60))
    assert plain.key == "C minor"
    for name, said in (("keys 3B 90bpm", "C# major"), ("Pad_F#", "F# ")):
        found = analysed(chords(60, 65, 67, 60), name_hint=f"{name}.wav")
        assert (found.key, found.key_source, found.key_conflict) == ("C minor", "analysis", True)
        assert found.stated_key is not None
        assert found.stated_key.startswith(said)


def test_a_stated_tonic_without_a_mode_takes_the_detected_mode() -> None:
    minor = analysed(chords(60, 65, 67, 60), name_hint="Pad_C.wav")
    assert (minor.key, minor.key_source, minor.key_conflict) == ("C minor", "file", False)
    major = analysed(chords(60, 65, 67, 60, minor=False), name_hint="Pad_C.wav")
    assert (major.key, major.key_source) == ("C major", "file")


def test_drums_take_no_key_from_a_name_and_report_a_certain_one_as_a_conflict() -> None:
    drums = mono(SOUNDS["Dusty Corner"])
    doubtful = analysed(drums, name_hint="8A - 90bpm - dusty.wav")
    assert (doubtful.key, doubtful.key_conflict) == (None, False)
    written_out = analysed(np.random.default_rng(1).normal(0, 0.1, 4 * RATE).astype(np.float32),
        name_hint="dusty C minor.wav")  # fmt: skip
    assert (written_out.key, written_out.key_conflict) == (None, True)
    assert written_out.stated_key == "C minor"


@pytest.mark.parametrize(
    ("stated", "chance", "confidence", "name", "conflict"),
    [
        (StatedMetadata(key="D minor", tonic="D"), 0.0005, 0.99, "C minor", True),
        (StatedMetadata(key="D minor", tonic="D"), 0.0005, 0.65, "D minor", False),
        (StatedMetadata(key="D minor", tonic="D"), 0.01, 0.99, "D minor", False),
        (StatedMetadata(key="D minor", tonic="D", key_certain=False), 0.01, 0.9, "C minor", True),
        (StatedMetadata(key="D minor", tonic="D", key_certain=False), 0.01, 0.5, "D minor", False),
        (StatedMetadata(tonic="D"), 0.1, 0.9, "D minor", False),
        (StatedMetadata(tonic="D"), 0.01, 0.9, "C minor", True),
        (StatedMetadata(), 0.0, 0.9, "C minor", False),
    ],
)
def test_the_confidence_that_overrides_a_stated_key_depends_on_its_certainty(
    stated: StatedMetadata, chance: float, confidence: float, name: str, conflict: bool
) -> None:
    key = KeyEstimate("C minor", confidence, [], {"C minor": confidence, "D minor": chance})
    found = fuse_key(key, stated, None)
    assert (found.name, found.conflict) == (name, conflict)


def test_an_uncertain_stated_key_requires_a_detected_key() -> None:
    assert fuse_key(None, StatedMetadata(tonic="D"), None) == FusedKey()
    assert fuse_key(None, StatedMetadata(key="D minor", key_certain=False), None).name is None
    assert fuse_key(None, StatedMetadata(key="D minor"), None).conflict


def test_warm_up_loads_the_models() -> None:
    warm_up_engine()
    assert tempo.tempo_model().linear.weight.shape[0] > 50
    assert analysis.ENGINE_VERSION


def test_a_click_has_one_onset() -> None:
    signal = np.zeros(RATE, np.float32)
    signal[RATE // 2 :][:50] = 0.8
    env = onset.onset_strength(signal, RATE)
    assert env.times == pytest.approx([0.5], abs=0.015)


def test_two_onsets_in_a_tenth_of_a_second_have_no_tempo() -> None:
    y = np.zeros(4410, np.float32)
    y[100:200], y[2200:2300] = 0.5, 0.9
    found = analysis.analyse(y, RATE, duration=0.1)
    assert (found.bpm, found.bpm_candidates) == (None, [])


def held_pad(note: float, seconds: float) -> np.ndarray:
    """Render a pad with slow modulation, cut to an exact length."""
    voice = np.zeros(round(seconds * RATE), np.float32)
    sound = pad(note, seconds)
    voice[: len(sound)] = sound[: len(voice)]
    return voice


@pytest.mark.parametrize(
    ("seconds", "name", "kind", "bpm"),
    [
        (6.0, "pad_80bpm", Kind.LOOP, 80),  # eight beats
        (6.0, "pad", Kind.ONE_SHOT, None),
        (6.0, "pad 80", Kind.ONE_SHOT, None),  # not explicit
        (6.2, "pad_80bpm", Kind.ONE_SHOT, None),  # another length
        (2.25, "pad_80bpm", Kind.ONE_SHOT, None),  # three beats
    ],
)
def test_a_held_sound_with_the_length_of_its_stated_beats_is_a_loop(
    seconds: float, name: str, kind: Kind, bpm: float | None
) -> None:
    found = analysed(held_pad(50, seconds), name_hint=f"{name}.wav")
    assert (found.kind, found.bpm) == (kind, bpm)


def test_a_stated_tempo_does_not_make_a_hit_a_loop() -> None:
    for sound in HITS:
        hit = np.zeros(2 * RATE, np.float32)
        part = mono(sound)[: len(hit)]
        hit[: len(part)] = part
        assert analysed(hit, name_hint="hit_120bpm.wav").kind is Kind.ONE_SHOT, sound.name


def test_a_loop_without_onsets_has_its_stated_tempo() -> None:
    stated = StatedMetadata(bpm=80.0)
    found = fuse_tempo(None, stated, 6.0)
    assert found
    assert (found.bpm, found.candidates[0][0]) == (80.0, 80.0)
    assert {bpm for bpm, _ in found.candidates} == {40.0, 80.0, 160.0}
    assert sum(chance for _, chance in found.candidates) == pytest.approx(1)
    assert fuse_tempo(None, stated, 6.2) is None
    assert fuse_tempo(None, StatedMetadata(), 6.0) is None
