"""Train all weights in `sp404_app/audio/weights/`: `python -m bench.train`.

Takes about 25 minutes on one core. Everything is seeded. Tempo, key and similarity are trained on
rendered sounds only, so that all real sounds are unseen; the pitched gate and the tempo calibration
also use the real sounds if available. Loop or one-shot and class use openly licensed real sounds,
too; `bench/ears.py`, `ears_person.py` and `ears_hits.py` evaluate them by leaving sources out.
"""

import argparse
import importlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench import train_kind
from bench import train_logistic as logistic
from bench.ears_sounds import RealSound, read_hits, read_manifest, sounds_folder
from bench.train_augment import VARIATIONS, vary_hit
from bench.train_cache import load_or_make
from bench.train_key import KeyCase, fit_key
from bench.train_kit import Take
from bench.train_octave import fit_ranking
from bench.train_render import render_takes
from bench.train_save import REAL, RENDERED, save_weights
from bench.train_tempo import Case, case_versions, rendered_cases, tempo_accuracy
from bench.train_timbre import fit_timbre_projection
from sp404_app.audio import model_weights
from sp404_app.audio.dsp import chroma, onset, pitch
from sp404_app.audio.dsp.chroma import Chroma
from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.dsp.pitch import Pitch
from sp404_app.audio.features import (
    descriptors,
    key_detection,
    loop_detection,
    silence_trim,
    sound_class,
    tempo_candidates,
)
from sp404_app.audio.features import tempo as tempi
from sp404_app.audio.features.descriptors import Descriptors
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.audio.features.tempo import TempoEstimate
from sp404_app.audio.features.tempo_candidates import TempoCandidates
from sp404_app.audio.model_weights import Linear, Net
from sp404_app.audio.similarity import embedding

TEMPO_SEED, SOUND_SEED = 1, 5
REAL_WEIGHT = 6.0
REAL_HIT_WEIGHT, CLASS_RIDGE = 12.0, 1e-2
SNARE_WEIGHT = 2.0  # libraries hold more snares than the rims and sticks that sound like them
PITCHED_REAL = frozenset(
    {"tonal", "instruments", "bass", "basses", "stab", "sax", "stringsnpads", "vocal"}
)
PITCHED_RENDERED = ("tonal/", "hit/chord", "hit/lead", "hit/bass", "other/drone", "other/free")
AMBIGUOUS_RENDERED = frozenset(
    {"hit/fx", "hit/tom", "hit/percussion", "other/babble", "other/tone"}
)
AMBIGUOUS_REAL = frozenset(
    {"misc", "effects", "glitch", "space", "sid", "hand", "gretsch", "ht", "lt", "808bd"}
)


Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sound:
    """All measurements of one sound, with its ground truth."""

    env: OnsetEnvelope
    duration: float
    found: TempoCandidates
    chroma: Chroma | None
    mels: npt.NDArray[np.float32]
    descriptors: Descriptors
    pitch: Pitch | None
    kind: str
    group: str
    label: str
    key: str | None

    def tempo(self, ranking: Net | None = None) -> TempoEstimate | None:
        """Estimate the tempo, with another ranking model than the saved one if given."""
        if not len(self.found.bpm) or len(self.env.onsets) < 2:
            return None
        scores = (ranking or tempi.tempo_model())(self.found.evidence)
        return tempi.decide_tempo(self.found, scores, self.env)


def measure_sound(
    signal: npt.NDArray[np.float32], sr: float, truth: tuple[str, str, str, str | None]
) -> Sound:
    """Measure a sound."""
    env = onset.onset_strength(signal, sr)
    seconds = len(signal) / sr
    return Sound(
        env,
        seconds,
        tempo_candidates.gather_candidates(env, seconds),
        chroma.compute_chroma(signal, sr),
        embedding.mel_patch(signal, sr),
        descriptors.compute_descriptors(signal, sr),
        pitch.estimate_pitch(signal, sr),
        *truth,
    )


def sound_of_take(take: Take) -> Sound:
    """Measure a rendered sound."""
    return measure_sound(take.signal, 44_100, (take.kind, take.group, take.label, take.key))


def sound_of_real(real: RealSound) -> Sound:
    """Measure a real sound."""
    found = real.survey()
    truth = (real.kind, real.pack, real.category, real.key)
    return measure_sound(found.window, found.window_rate, truth)


def measure_rendered() -> list[Sound]:
    """Measure the rendered set."""
    counts = {"hits": 1500, "other": 400, "drums": 250, "tonal": 500}
    return [
        sound_of_take(take)
        for what, n in counts.items()
        for take in render_takes(what, n, SOUND_SEED)
    ]


def render_tempo_cases() -> list[Case]:
    """Render the training loops for tempo, each clean and distorted in four ways."""
    return rendered_cases(render_takes("drums", 1100, TEMPO_SEED)) + rendered_cases(
        render_takes("tonal", 600, TEMPO_SEED)
    )


def collect_real_cases() -> list[tuple[RealSound, Case]]:
    """Return the real loops, clean and distorted."""
    where = sounds_folder()
    loops = [real for real in read_manifest(where) if real.kind == "loop"] if where else []
    found: list[tuple[RealSound, Case]] = []
    for number, real in enumerate(loops):
        heard = real.survey()
        assert real.bpm is not None
        made = case_versions(heard.window, heard.window_rate, real.bpm, real.pack, 1000 + number)
        found += [(real, case) for case in made]
    return found


def case_weight(case: Case) -> float:
    """Return the training weight of a case: clean cuts count most, as in users' libraries."""
    return 2.0 if case.how == "clean" else 0.35


def train_tempo(cases: list[Case]) -> None:
    """Train the ranking of tempo candidates."""
    made = RENDERED.format(seed=TEMPO_SEED, count=len(cases))
    save_weights("tempo", made, tempo_candidates.TEMPO_FEATURES, fit_ranking(cases, case_weight))


def confidence_case(case: Case, ranking: Net) -> tuple[npt.NDArray[np.float64], bool]:
    """Return the confidence features of a decision, and whether it was right within 4 %."""
    answers = tempi.rank_answers(case.found, ranking(case.found.evidence))
    best = answers[0][0]
    right = tempo_accuracy(float(case.found.bpm[best]), case.bpm)[1]
    return tempi.confidence_features(case.found, answers), right


def fit_confidence(
    held: list[Case], real: list[Case], ranking: Net, real_ranking: Net | None = None
) -> Linear:
    """Calibrate the confidence on held-out rendered and on real sounds, weighted equally."""
    made = [confidence_case(case, ranking) for case in held if len(case.found.bpm)]
    seen = [confidence_case(case, real_ranking or ranking) for case in real if len(case.found.bpm)]
    x = np.array([row for row, _ in made + seen])
    right = np.array([right for _, right in made + seen])
    weight = np.concatenate([
        np.full(len(made), 1 / max(1, len(made))), np.full(len(seen), 1 / max(1, len(seen))),
    ])  # fmt: skip
    return logistic.fit_binary(x, right, weight, ridge=3e-3)


@dataclass(frozen=True, slots=True)
class HeldOutSplit:
    """Rendered cases: a quarter `held` out, and the `rest`; versions of a take stay together."""

    held: list[Case]
    rest: list[Case]


def split_held_out(cases: list[Case]) -> HeldOutSplit:
    """Hold out a quarter of the takes."""
    names = sorted({case.take for case in cases})
    chosen = set(names[::4])
    return HeldOutSplit(
        [case for case in cases if case.take in chosen],
        [case for case in cases if case.take not in chosen],
    )


def train_confidence(cases: list[Case], real: list[Case]) -> None:
    """Calibrate with a ranking model that has not seen a quarter of the rendered loops."""
    split = split_held_out(cases)
    judge = fit_ranking(split.rest, case_weight, seeds=(0,))
    model = fit_confidence(split.held, real, judge, tempi.tempo_model())
    made = RENDERED.format(seed=TEMPO_SEED, count=len(split.held)) + REAL.format(count=len(real))
    save_weights("tempo_confidence", made, tempi.CONFIDENCE_FEATURES, model)


def train_kind_weights(cases: list[train_kind.KindCase]) -> None:
    """Train loop or one-shot on clean and dirty copies."""
    real = sum(case.real for case in cases)
    made = RENDERED.format(seed=train_kind.KIND_SEED, count=len(cases) - real)
    made += f" and {real} of openly licensed real sounds, clean and dirty, see docs/ANALYSIS.md"
    save_weights(
        "kind", made, loop_detection.LOOP_FEATURES, train_kind.fit_kind(train_kind.kind_rows(cases))
    )


def fit_pitched_model(made: list[Sound], real: list[Sound]) -> Linear:
    """Train the pitched gate, without sounds on which listeners differ."""
    made = [s for s in made if s.group not in AMBIGUOUS_RENDERED and s.chroma]
    real = [s for s in real if s.label not in AMBIGUOUS_REAL and s.chroma]
    x = np.array([key_detection.pitched_features(s.chroma) for s in made + real if s.chroma])
    notes = [s.group.startswith(PITCHED_RENDERED) for s in made]
    notes += [s.label in PITCHED_REAL for s in real]
    weight = np.array([1.0] * len(made) + [REAL_WEIGHT] * len(real))
    return logistic.fit_binary(x, np.array(notes), weight, ridge=5e-3)


def key_cases(sounds: list[Sound]) -> list[KeyCase]:
    """Return the evidence of the sounds whose key is known."""
    return [(key_detection.key_evidence(s.chroma), s.key) for s in sounds if s.chroma and s.key]


def train_key(made: list[KeyCase], real: list[KeyCase]) -> None:
    """Calibrate the probabilities of the keys; nothing else of the key is learned."""
    made_of = RENDERED.format(seed=SOUND_SEED, count=len(made)) + REAL.format(count=len(real))
    save_weights("key", made_of, key_detection.KEY_EVIDENCE, fit_key(made, real))


def class_feature_row(sound: Sound) -> npt.NDArray[np.float64]:
    """Return the features of the class model."""
    timbre = embedding.timbre_projection()(sound.mels.reshape(1, -1))[0]
    part, seconds = silence_trim.sounding_part(
        sound.env, sound.duration, silence_trim.SOUNDING_POWER
    )
    loop = loop_detection.loop_probability(part, seconds, sound.tempo())
    note = sound.pitch if loop < 0.5 else None
    heard = sound_class.ClassInputs(
        timbre, sound.mels, sound.env, sound.duration, sound.descriptors, loop, sound.chroma, note
    )
    return sound_class.class_features(heard)


def class_label(sound: Sound) -> int:
    """Return the class index of a rendered sound."""
    label = "vocal" if sound.group == "other/babble" else sound.label
    return sound_class.CLASSES.index(SoundClass(label))


def fit_class(x: npt.NDArray[np.float64], label: npt.NDArray[np.int64], real: Mask) -> Linear:
    """Fit the class of rendered sounds and varied `real` hits; rare classes weigh more."""
    weight = np.where(real, REAL_HIT_WEIGHT / (1 + VARIATIONS), 1.0)
    total = np.bincount(label, weights=weight, minlength=len(sound_class.CLASSES))
    weight /= np.sqrt(np.maximum(total, 1))[label]
    weight[label == sound_class.CLASSES.index(SoundClass.SNARE)] *= SNARE_WEIGHT
    return logistic.fit_softmax(x, label, len(sound_class.CLASSES), weight, ridge=CLASS_RIDGE)


def train_class(made: list[Sound], hits: list[Sound]) -> None:
    """Train the sound class model on rendered sounds and openly licensed real hits."""
    sounds = made + hits
    x = np.array([class_feature_row(s) for s in sounds])
    label = np.array([class_label(s) for s in sounds])
    model = fit_class(x, label, np.arange(len(sounds)) >= len(made))
    made_of = RENDERED.format(seed=SOUND_SEED, count=len(made))
    count = len(hits) // (1 + VARIATIONS)
    made_of += f" and {count} openly licensed real hits with {VARIATIONS} variations each, "
    made_of += "see docs/ANALYSIS.md"
    save_weights("class", made_of, sound_class.CLASS_FEATURES, model)


def measure_open_hits() -> list[Sound]:
    """Measure the real hits that weights which ship may be trained on, each with variations.

    `group` is the kit.
    """
    found: list[Sound] = []
    for number, real in enumerate(real for real in read_hits() if real.is_open):
        heard, truth = real.survey(), (real.kind, real.pack, real.category, None)
        sr = heard.window_rate
        found.append(measure_sound(heard.window, sr, truth))
        for variation in range(VARIATIONS):
            rng = np.random.default_rng([SOUND_SEED, number, variation])
            found.append(measure_sound(vary_hit(heard.window, sr, rng), sr, truth))
    return found


def clear_weight_caches() -> None:
    """Clear the cached weights, so that the next step loads the new ones."""
    for cached in (
        model_weights.load_weights,
        tempi.tempo_model,
        tempi.confidence_model,
        loop_detection.loop_model,
        embedding.timbre_projection,
    ):
        cached.cache_clear()


def main() -> None:
    """Train in the order in which the models depend on each other."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path, help="a folder for what is slow to render")
    cache = options.parse_args().cache
    cases = load_or_make(cache, "cases", render_tempo_cases)
    made = load_or_make(cache, "rendered", measure_rendered)
    where = sounds_folder()
    real = load_or_make(
        cache, "real", lambda: [sound_of_real(r) for r in read_manifest(where)] if where else []
    )
    loops = [case for _, case in load_or_make(cache, "real_cases", collect_real_cases)]
    train_tempo(cases)
    clear_weight_caches()
    train_confidence(cases, loops)
    both = RENDERED.format(seed=SOUND_SEED, count=len(made)) + REAL.format(count=len(real))
    clear_weight_caches()
    train_kind_weights(load_or_make(cache, "kind", train_kind.collect_kind_cases))
    save_weights("pitched", both, key_detection.PITCHED_FEATURES, fit_pitched_model(made, real))
    train_key(key_cases(made), key_cases(real))
    names = [f"slice {i} band {j}" for i in range(13) for j in range(embedding.MEL_BANDS)]
    drums = [sound for sound in made if sound.group.startswith("hit/")]
    patches = np.array([sound.mels.ravel() for sound in drums], np.float64)
    projection = fit_timbre_projection(patches, np.array([sound.label for sound in drums]))
    save_weights("likeness", RENDERED.format(seed=SOUND_SEED, count=1500), names, projection)
    clear_weight_caches()
    train_class(made, load_or_make(cache, "varied_hits", measure_open_hits))


if __name__ == "__main__":
    # Import by name, so that the pickled classes belong to `bench.train` and not to `__main__`.
    importlib.import_module("bench.train").main()
