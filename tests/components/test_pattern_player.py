"""Patterns in the browser: every note at its frame, as recorded behind the audio output."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.components.pad_page import Pads, PadServer, Samples, constant, noise, stereo

SHORT = 1_000  # frames
RATE = 48_000
PPQ = 480
BAR = 4 * PPQ
TEMPO = 171.3  # a tick is no whole number of frames
FADE = 144  # 3 ms
BLOCK = 128
Hit = tuple[int, str]


def pattern(hits: Sequence[Hit], **fields: Any) -> dict[str, Any]:
    """Return a pattern as the API answers it, from ticks and pads."""
    notes = [
        {
            "tick": tick, "bank": key[0], "pad": int(key[1:]),
            "velocity": fields.get("velocity", 127), "length": fields.get("note", 100),
            "semitones": fields.get("semitones", 0),
        }
        for tick, key in hits
    ]  # fmt: skip
    pads = [
        {"bank": key[0], "pad": int(key[1:]), "name": "Pad", "has_sound": True}
        for key in sorted({key for _, key in hits})
    ]
    length = fields.get("length", BAR)
    tempo = fields.get("tempo", TEMPO)
    return {
        "number": 1, "tempo": tempo, "ppq": PPQ, "length": length, "pads": pads, "notes": notes,
    }  # fmt: skip


def frame(tick: float, tempo: float = TEMPO) -> int:
    return round(tick * RATE * 60 / (tempo * PPQ))


def expected(hits: Sequence[tuple[int, Samples]], frames: int) -> Samples:
    """Return the sum of sounds that start at frames."""
    mixed = np.zeros((frames, 2), np.int64)
    for start, sound in hits:
        part = stereo(sound)[: max(0, frames - start)]
        mixed[start : start + len(part)] += part
    return mixed.astype(np.int16)


def play(pads: Pads, found: dict[str, Any], *, loops: bool = True) -> None:
    script = "([pattern, loops]) => { patterns.setLoops(loops); return patterns.play(pattern); }"
    pads.page.evaluate(script, [found, loops])


def heard(pads: Pads, frames: int) -> Samples:
    pads.wait_heard(frames + BLOCK)  # it counts from the start of the first block with sound
    samples = pads.recorded()
    pads.stop_all()
    pads.wait_silent()
    return samples[:frames]


def state(pads: Pads) -> str:
    return pads.page.evaluate("patterns.getSnapshot().state")


@pytest.fixture
def drums(pads: Pads) -> Pads:
    """A1 and A2 with short sounds that play to their end, each a quarter of full scale."""
    for number, key in enumerate(("A1", "A2")):
        pads.add(key, noise(SHORT, seed=number, peak=8_000))
    pads.open()
    return pads


HITS: list[Hit] = [(0, "A1"), (0, "A2"), (161, "A2"), (480, "A1"), (967, "A2"), (1919, "A1")]


def sounds_of(hits: Sequence[Hit], passes: int = 1) -> list[tuple[int, Samples]]:
    sounds = {key: noise(SHORT, seed=n, peak=8_000) for n, key in enumerate(("A1", "A2"))}
    return [(frame(BAR * p + tick), sounds[key]) for p in range(passes) for tick, key in hits]


def test_every_note_sounds_at_its_frame(drums: Pads) -> None:
    drums.record()
    play(drums, pattern(HITS[:-1]))
    frames = frame(1919)
    assert np.array_equal(heard(drums, frames), expected(sounds_of(HITS[:-1]), frames))


def test_passes_follow_each_other_without_drift(drums: Pads) -> None:
    hits = [(0, "A1"), (240, "A2")]
    length = 480
    drums.record()
    play(drums, pattern(hits, length=length))
    sounds = {"A1": noise(SHORT, peak=8_000, seed=0), "A2": noise(SHORT, peak=8_000, seed=1)}
    frames = frame(6 * length)
    wanted = [(frame(n * length + tick), sounds[key]) for n in range(6) for tick, key in hits]
    assert np.array_equal(heard(drums, frames), expected(wanted, frames))


def test_a_busy_page_shifts_no_note(drums: Pads) -> None:
    hits = [(tick, "A1") for tick in range(0, BAR, 120)]
    drums.record()
    play(drums, pattern(hits))
    for _ in range(4):
        drums.page.evaluate("{ const end = Date.now() + 150; while (Date.now() < end); }")
        drums.page.wait_for_timeout(50)
    frames = frame(1800)
    assert np.array_equal(heard(drums, frames), expected(sounds_of(hits), frames))


def test_without_loop_the_pattern_ends_after_one_pass(drums: Pads) -> None:
    drums.record()
    play(drums, pattern([(0, "A1"), (200, "A2")], length=480), loops=False)
    drums.wait_for("patterns.getSnapshot().state === 'stopped'")
    drums.page.wait_for_timeout(200)
    samples = drums.recorded()
    assert np.array_equal(samples, expected(sounds_of([(0, "A1"), (200, "A2")]), len(samples)))


def test_the_loop_can_be_ended_while_it_plays(drums: Pads) -> None:
    play(drums, pattern([(0, "A1")], length=480))
    drums.wait_for("patterns.position() > 0")
    drums.page.evaluate("patterns.setLoops(false)")
    drums.wait_for("patterns.getSnapshot().state === 'stopped'")


def test_a_gated_pad_sounds_as_long_as_its_note(pads: Pads) -> None:
    pads.add("A1", constant(RATE), one_shot=False, gate=True)
    pads.open()
    pads.record()
    play(pads, pattern([(0, "A1")], note=300))
    level = heard(pads, frame(600))[:, 0]
    assert (level[: frame(300)] == 16384).all()
    assert level[frame(300) + FADE // 2] < 9000
    assert not level[frame(300) + FADE :].any()


def test_a_note_that_lasts_into_the_next_pass_ends_where_its_pad_plays_again(pads: Pads) -> None:
    pads.add("A1", constant(RATE), one_shot=False, gate=True)
    pads.open()
    pads.record()
    play(pads, pattern([(0, "A1")], length=480, note=600))
    level = heard(pads, frame(900))[:, 0]
    assert (level[: frame(480)] == 16384).all()
    assert (level[frame(480) + FADE :] == 16384).all()


def test_a_gated_note_at_the_end_is_released_after_the_last_pass(pads: Pads) -> None:
    pads.add("A1", constant(3 * RATE), one_shot=False, gate=True)
    pads.open()
    play(pads, pattern([(400, "A1")], length=480, note=200), loops=False)
    pads.wait_for("patterns.getSnapshot().state === 'stopped'")
    pads.wait_silent()


def test_a_pad_without_gate_starts_again_with_each_note(pads: Pads) -> None:
    sound = noise(RATE, peak=8_000)
    pads.add("A1", sound, one_shot=False, gate=False)
    pads.open()
    pads.record()
    play(pads, pattern([(0, "A1"), (480, "A1")], length=960))
    samples = heard(pads, frame(700))
    assert np.array_equal(samples[: frame(480)], sound[: frame(480)])
    after = samples[frame(480) + FADE : frame(700)]
    assert np.array_equal(after, sound[FADE : frame(700) - frame(480)])


def test_velocity_and_semitones_are_played(pads: Pads) -> None:
    sound = noise(4_000, peak=20_000)
    pads.add("A1", sound)
    pads.add("A2", sound, fixed_velocity=True)
    pads.open()
    pads.record()
    play(pads, pattern([(0, "A1")], semitones=12))
    assert np.array_equal(heard(pads, 1_900), sound[:3_800:2])
    pads.record()
    play(pads, pattern([(0, "A1")], velocity=90))
    assert np.abs(heard(pads, 4_000) - sound * (90 / 127) ** 2).max() <= 1
    pads.record()
    play(pads, pattern([(0, "A2")], velocity=90))
    assert np.array_equal(heard(pads, 4_000), sound)


def test_mute_groups_and_links_hold_in_a_pattern(pads: Pads) -> None:
    pads.add("A1", constant(RATE, 4000), mute_group=1)
    pads.add("A2", constant(RATE, 1000), mute_group=1)
    pads.add("A3", constant(RATE, 100), pad_link=2)
    pads.add("A4", constant(RATE, 10), pad_link=2)
    pads.open()
    pads.record()
    play(pads, pattern([(0, "A1"), (0, "A3"), (480, "A2")]))
    level = heard(pads, frame(700))[:, 0]
    assert (level[: frame(480)] == 4110).all()
    assert (level[frame(480) + FADE :] == 1110).all()


def test_stop_ends_what_sounds_and_what_was_to_come(drums: Pads) -> None:
    play(drums, pattern([(tick, "A1") for tick in range(0, BAR, 60)]))
    drums.wait_for("engine.getSnapshot().playing.length")
    drums.stop_all()
    drums.wait_silent()
    assert state(drums) == "stopped"
    drums.record()
    drums.page.wait_for_timeout(500)
    assert not drums.recorded().size


def test_another_pattern_takes_over(drums: Pads) -> None:
    play(drums, pattern([(tick, "A1") for tick in range(0, BAR, 60)]))
    drums.wait_for("engine.getSnapshot().playing.length")
    play(drums, pattern([(0, "A2")]) | {"number": 7})
    assert drums.page.evaluate("patterns.getSnapshot().number") == 7
    drums.wait_for("JSON.stringify(engine.getSnapshot().playing) === '[\"A2\"]'")
    drums.wait_silent()
    assert state(drums) == "playing"
    drums.stop_all()


def test_pads_of_hidden_banks_are_loaded_first(pads: Pads, pad_server: PadServer) -> None:
    pads.add("A1", noise(SHORT))
    pads.add("C4", noise(SHORT, seed=4))
    pad_server.gate.clear()  # before the page asks for its sounds
    pads.open(waits=False)
    pads.page.evaluate("(found) => { patterns.play(found); }", pattern([(0, "C4")]))
    pads.wait_for("patterns.getSnapshot().state === 'loading'")
    pads.record()
    pad_server.gate.set()
    pads.wait_for("patterns.getSnapshot().state === 'playing'")
    assert np.array_equal(heard(pads, SHORT), noise(SHORT, seed=4))


def test_stop_while_loading_starts_nothing(pads: Pads, pad_server: PadServer) -> None:
    pads.add("C4", noise(SHORT))
    pad_server.gate.clear()
    pads.open(waits=False)
    pads.page.evaluate("(found) => { patterns.play(found); }", pattern([(0, "C4")]))
    pads.wait_for("patterns.getSnapshot().state === 'loading'")
    pads.page.evaluate("patterns.stop()")
    pad_server.gate.set()
    pads.wait_for("engine.getSnapshot().ready.C4")
    pads.page.wait_for_timeout(300)
    assert state(pads) == "stopped"


def test_a_new_tempo_keeps_the_place(drums: Pads) -> None:
    play(drums, pattern([(0, "A1")], length=BAR, tempo=60))
    drums.wait_for("patterns.position() > 100")
    script = """() => { const before = patterns.position(); patterns.setTempo(200);
                        return [before, patterns.position()]; }"""
    before, after = drums.page.evaluate(script)
    assert after == pytest.approx(before, abs=400)  # a part of what was sent at the old tempo
    drums.page.wait_for_timeout(300)
    first, second = (measure(drums) for _ in range(2))
    speed = ((second[0] - first[0]) % BAR) / (second[1] - first[1])
    assert speed == pytest.approx(200 * PPQ / 60, rel=0.2)
    drums.stop_all()


def measure(pads: Pads) -> tuple[float, float]:
    """Return position in ticks and time in seconds, after a while."""
    pads.page.wait_for_timeout(250)
    tick, milliseconds = pads.page.evaluate("[patterns.position(), performance.now()]")
    return tick, milliseconds / 1000


def test_a_finger_on_a_pad_is_not_held_by_notes_to_come(pads: Pads) -> None:
    pads.add("A1", constant(8 * RATE), one_shot=False, gate=True)
    pads.open()
    note = pads.page.evaluate(
        """() => { const frame = engine.getClock().frame + 4 * 48000;
                  const note = {frame, releaseFrame: frame + 1000, velocity: 127, semitones: 0};
                  engine.scheduleNote("A1", {...note, group: "pattern"}); return frame; }"""
    )
    pads.press("A1")
    pads.wait_for("engine.getSnapshot().playing.length")
    pads.page.evaluate("engine.releasePad('A1')")
    pads.wait_silent()
    assert pads.page.evaluate("engine.getClock().frame") < note
    pads.stop_all()


def test_an_empty_or_endless_pattern_does_no_harm(drums: Pads) -> None:
    play(drums, pattern([], length=BAR))
    assert state(drums) == "playing"
    drums.stop_all()
    play(drums, pattern([(0, "A1")], length=0))
    assert state(drums) == "stopped"
    play(drums, pattern([(0, "A1")] * 3_000, length=1))
    drums.wait_for("engine.getSnapshot().playing.length")
    drums.stop_all()
    drums.wait_silent()


def test_closing_the_project_ends_the_pattern(drums: Pads) -> None:
    play(drums, pattern([(0, "A1")]))
    drums.page.evaluate("engine.closeProject()")
    assert state(drums) == "stopped"
