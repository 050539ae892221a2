"""Train loop or one-shot on clean and dirty copies of rendered and real sounds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench import train_logistic as logistic
from bench.ears_sounds import RealSound, read_hits, read_loops, read_manifest, sounds_folder
from bench.train_dirt import distort
from bench.train_render import render_takes
from sp404_app.audio.dsp import onset
from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.features import loop_detection, silence_trim, tempo, tempo_candidates
from sp404_app.audio.features.tempo import TempoEstimate
from sp404_app.audio.features.tempo_candidates import TempoCandidates
from sp404_app.audio.model_weights import Linear
from sp404_app.audio.synth import drums
from sp404_app.audio.synth.drums import RATE
from sp404_app.audio.synth.sequencer import Loop
from sp404_app.audio.synth.tones import pad

Signal = npt.NDArray[np.float32]
KIND_DIRT = ("silence", "tail", "mp3")
KIND_TAKES = {"hits": 1500, "other": 400, "drums": 250, "tonal": 500}
HARDCORE_TAKES, HELD_TAKES = 450, 300
KIND_SEED = 5
CLEAN_WEIGHT, LOOP_WEIGHT, REAL_WEIGHT, OTHER_WEIGHT = 3.0, 1.5, 6.0, 0.3
# Few takes of what the others lead astray.
EXTREME_WEIGHTS = {"drums/hardcore": 8.0, "tonal/held": 3.0}
RIDGE = 5e-3


@dataclass(frozen=True, slots=True)
class KindCase:
    """One version of a sound: envelope, seconds, scored tempo candidates and the truth."""

    env: OnsetEnvelope
    duration: float
    found: TempoCandidates
    scores: npt.NDArray[np.floating]
    kind: str
    group: str
    how: str
    real: bool = False

    def tempo(self) -> TempoEstimate | None:
        """Return the tempo that the engine estimates."""
        if not len(self.found.bpm) or len(self.env.onsets) < 2:
            return None
        return tempo.decide_tempo(self.found, self.scores, self.env)


def kind_versions(
    signal: Signal, sr: float, truth: tuple[str, str], seed: int, *, real: bool = False
) -> Iterator[KindCase]:
    """Yield a sound of (kind, group) clean and with each dirt."""
    for number, how in enumerate(("clean", *KIND_DIRT)):
        rng = np.random.default_rng([seed, number])
        made = signal if how == "clean" else distort(signal, sr, how, rng)
        env, seconds = onset.onset_strength(made, sr), len(made) / sr
        found = tempo_candidates.gather_candidates(env, seconds)
        scores = tempo.tempo_model()(found.evidence) if len(found.bpm) else np.zeros(0)
        # The evidence is large and has done its work.
        small = replace(found, evidence=np.zeros((0, 0), np.float32))
        yield KindCase(env, seconds, small, scores, *truth, how, real)


def rendered_kind_cases(seed: int) -> list[KindCase]:
    """Return the versions of the rendered sounds."""
    takes = (take for what, count in KIND_TAKES.items() for take in render_takes(what, count, seed))
    return [
        case
        for number, take in enumerate(takes)
        for case in kind_versions(take.signal, 44_100, (take.kind, take.group), number)
    ]


def hardcore_kind_cases(seed: int) -> list[KindCase]:
    """Return the versions of loops of distorted kicks on every beat, a style that takes lack."""
    cases: list[KindCase] = []
    for number in range(HARDCORE_TAKES):
        rng = np.random.default_rng([seed, number])
        loop = Loop(float(rng.integers(150, 301)), int(rng.choice([8, 16, 32])))
        kick = drums.kick(rng, rng.uniform(45, 70), rng.uniform(0.08, 0.2))
        loop.row("X---", [np.tanh(rng.uniform(2, 8) * kick).astype(np.float32)])
        if rng.random() < 0.7:
            loop.row("--x-", [drums.hat(rng, rng.uniform(0.02, 0.06))], rng.uniform(0.1, 0.5))
        made = loop.mastered(rng, drive=rng.uniform(1, 3)).mean(axis=1)
        cases += kind_versions(made, RATE, ("loop", "drums/hardcore"), 9000 + number)
    return cases


def held_kind_cases(seed: int) -> list[KindCase]:
    """Return the versions of held pads, cut to whole beats: a length alone makes no loop."""
    cases: list[KindCase] = []
    for number in range(HELD_TAKES):
        rng = np.random.default_rng([seed, 1, number])
        seconds = int(rng.choice([4, 8, 16])) * 60 / int(rng.integers(60, 181))
        made = np.zeros(round(seconds * RATE), np.float32)
        sound = pad(float(rng.integers(33, 73)), seconds)
        made[: len(sound)] = sound[: len(made)]
        cases += kind_versions(made, RATE, ("one_shot", "tonal/held"), 9500 + number)
    return cases


def real_kind_cases(reals: Iterable[RealSound]) -> list[KindCase]:
    """Return the versions of the real sounds, except phrases, which are neither."""
    cases: list[KindCase] = []
    for number, real in enumerate(real for real in reals if real.kind != "phrase"):
        heard = real.survey()
        truth = (real.kind, real.pack)
        cases += kind_versions(heard.window, heard.window_rate, truth, 7000 + number, real=True)
    return cases


def collect_kind_cases() -> list[KindCase]:
    """Return what the shipped weights are trained on: rendered sounds and openly licensed ones."""
    where = sounds_folder()
    reals = [*(read_manifest(where) if where else ()), *read_hits(), *read_loops()]
    made = [*hardcore_kind_cases(KIND_SEED), *held_kind_cases(KIND_SEED)]
    rendered = rendered_kind_cases(KIND_SEED) + made
    return rendered + real_kind_cases(real for real in reals if real.is_open)


def case_weight(case: KindCase) -> float:
    """Return the training weight: field recordings are rarer in libraries than drum loops."""
    weight = CLEAN_WEIGHT if case.how == "clean" else 1.0
    weight *= LOOP_WEIGHT if case.kind == "loop" else 1.0
    if case.real:
        return weight * REAL_WEIGHT
    if case.group in ("other/weather", "other/babble", "other/free"):
        return weight * 0.15
    if case.group in EXTREME_WEIGHTS:
        return weight * EXTREME_WEIGHTS[case.group]
    if case.group in ("other/noise", "other/tone"):
        return weight * 8.0  # these must never get a tempo
    return weight * (OTHER_WEIGHT if case.group.startswith("other/") else 1.0)


def kind_features(case: KindCase) -> npt.NDArray[np.float64]:
    """Return the features as `silence_trim.decide_loop` computes them."""
    part, seconds = silence_trim.sounding_part(case.env, case.duration, silence_trim.SOUNDING_POWER)
    return loop_detection.loop_features(part, seconds, case.tempo())


@dataclass(frozen=True, slots=True)
class KindRows:
    """Features, truth, weight and source of each case."""

    x: npt.NDArray[np.float64]
    loop: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64]
    group: npt.NDArray[np.str_]


def kind_rows(cases: list[KindCase]) -> KindRows:
    """Compute the features of all cases."""
    return KindRows(
        np.array([kind_features(case) for case in cases]),
        np.array([case.kind == "loop" for case in cases]),
        np.array([case_weight(case) for case in cases]),
        np.array([case.group for case in cases]),
    )


def fit_kind(rows: KindRows, left_out: set[str] | None = None) -> Linear:
    """Fit loop or one-shot, without the sources that are left out."""
    kept = ~np.isin(rows.group, sorted(left_out or ()))
    return logistic.fit_binary(rows.x[kept], rows.loop[kept], rows.weight[kept], RIDGE)
