"""Learn every number in `sp404_app/audio/weights/`: `python -m bench.train`.

About 15 minutes on one core. Everything is seeded. Tempo, key, likeness and class are learned
from rendered sounds alone, so that every real sound is unseen; kind, pitch gate and the
calibration of the tempo also look at the shared real sounds if they are there, and
`bench/ears.py` scores those by leaving each pack out in turn.
"""

import argparse
import importlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench import train_logistic as logistic
from bench.ears_sounds import Real, folder, sounds
from bench.train_key import fit_key
from bench.train_kit import Take
from bench.train_render import takes
from bench.train_save import save
from bench.train_tempo import Case, accuracy, fit_net, rendered, versions
from sp404_app.audio import model_weights
from sp404_app.audio.dsp import chroma, onset, pitch
from sp404_app.audio.dsp.chroma import Chroma
from sp404_app.audio.dsp.onset import Envelope
from sp404_app.audio.dsp.pitch import Pitch
from sp404_app.audio.features import (
    descriptors,
    key_detection,
    loop_detection,
    sound_class,
    tempo_candidates,
)
from sp404_app.audio.features import tempo as tempi
from sp404_app.audio.features.descriptors import Content
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.tempo import Tempo
from sp404_app.audio.features.tempo_candidates import Hypotheses
from sp404_app.audio.model_weights import Linear, Net
from sp404_app.audio.similarity import embedding

RENDERED = "rendered by bench/train_render.py, seed {seed}, {count} sounds"
REAL = " and {count} real sounds of public packs with known truth"
TEMPO_SEED, SOUND_SEED = 1, 5
KEYED = 2500  # tonal takes, of which a quarter have a key that can be heard
REAL_WEIGHT, OTHER_WEIGHT = 6.0, 0.3
PITCHED_REAL = frozenset(
    {"tonal", "instruments", "bass", "basses", "stab", "sax", "stringsnpads", "vocal"}
)
PITCHED_RENDERED = ("tonal/", "hit/chord", "hit/lead", "hit/bass", "other/drone", "other/free")
EITHER = frozenset({"hit/fx", "hit/tom", "hit/percussion", "other/babble", "other/tone"})
EITHER_REAL = frozenset(
    {"misc", "effects", "glitch", "space", "sid", "hand", "gretsch", "ht", "lt", "808bd"}
)


@dataclass(frozen=True, slots=True)
class Sound:
    """All measurements of one sound, with its truth."""

    env: Envelope
    duration: float
    found: Hypotheses
    chroma: Chroma | None
    mels: npt.NDArray[np.float32]
    content: Content
    pitch: Pitch | None
    kind: str
    group: str
    label: str
    key: str | None

    def tempo(self, ranking: Net | None = None) -> Tempo | None:
        """Estimate the tempo, by a ranking other than the saved one if given."""
        if not len(self.found.bpm) or len(self.env.onsets) < 2:
            return None
        scores = (ranking or tempi.ranking())(self.found.evidence)
        return tempi.decide(self.found, scores, self.env)


def described(
    signal: npt.NDArray[np.float32], sr: float, truth: tuple[str, str, str, str | None]
) -> Sound:
    """Measure a sound."""
    env = onset.envelope(signal, sr)
    seconds = len(signal) / sr
    return Sound(
        env,
        seconds,
        tempo_candidates.gather(env, seconds),
        chroma.chroma(signal, sr),
        embedding.patch(signal, sr),
        descriptors.content(signal, sr),
        pitch.fundamental(signal, sr),
        *truth,
    )


def of_take(take: Take) -> Sound:
    """Measure a rendered sound."""
    return described(take.signal, 44_100, (take.kind, take.group, take.label, take.key))


def of_real(real: Real) -> Sound:
    """Measure a real one."""
    found = real.survey()
    truth = (real.kind, real.pack, real.category, real.key)
    return described(found.window, found.window_rate, truth)


def all_rendered() -> list[Sound]:
    """Measure the rendered set."""
    counts = {"hits": 1500, "other": 400, "drums": 250, "tonal": 500}
    return [of_take(take) for what, n in counts.items() for take in takes(what, n, SOUND_SEED)]


def tempo_cases() -> list[Case]:
    """Render the loops that tempo is learned from, each clean and spoilt in four ways."""
    return rendered(takes("drums", 1100, TEMPO_SEED)) + rendered(takes("tonal", 600, TEMPO_SEED))


def real_cases() -> list[tuple[Real, Case]]:
    """Collect the real loops, clean and spoilt."""
    where = folder()
    loops = [real for real in sounds(where) if real.kind == "loop"] if where else []
    found: list[tuple[Real, Case]] = []
    for number, real in enumerate(loops):
        heard = real.survey()
        assert real.bpm is not None
        made = versions(heard.window, heard.window_rate, real.bpm, real.pack, 1000 + number)
        found += [(real, case) for case in made]
    return found


def weigh(case: Case) -> float:
    """Clean cuts count most: they are what people own."""
    return 2.0 if case.how == "clean" else 0.35


def train_tempo(cases: list[Case]) -> None:
    """Learn the ranking of tempo hypotheses."""
    made = RENDERED.format(seed=TEMPO_SEED, count=len(cases))
    save("tempo", made, tempo_candidates.FEATURES, fit_net(cases, weigh))


def judged(case: Case, ranking: Net) -> tuple[npt.NDArray[np.float64], bool]:
    """Return how certain a decision looked and whether it was right to 4 %."""
    answers = tempi.weighed(case.found, ranking(case.found.evidence))
    best = answers[0][0]
    right = accuracy(float(case.found.bpm[best]), case.bpm)[1]
    return tempi.certainty(case.found, answers), right


def fit_confidence(
    held: list[Case], real: list[Case], ranking: Net, real_ranking: Net | None = None
) -> Linear:
    """Map certainty to probability, on rendered sounds held out and on real ones, half and half."""
    made = [judged(case, ranking) for case in held if len(case.found.bpm)]
    seen = [judged(case, real_ranking or ranking) for case in real if len(case.found.bpm)]
    x = np.array([row for row, _ in made + seen])
    right = np.array([right for _, right in made + seen])
    weight = np.concatenate([
        np.full(len(made), 1 / max(1, len(made))), np.full(len(seen), 1 / max(1, len(seen))),
    ])  # fmt: skip
    return logistic.binary(x, right, weight, ridge=3e-3)


@dataclass(frozen=True, slots=True)
class Split:
    """Rendered cases: a quarter `held` out, and the `rest`; all versions of a take together."""

    held: list[Case]
    rest: list[Case]


def held_out(cases: list[Case]) -> Split:
    """Hold a quarter out."""
    names = sorted({case.take for case in cases})
    chosen = set(names[::4])
    return Split(
        [case for case in cases if case.take in chosen],
        [case for case in cases if case.take not in chosen],
    )


def train_confidence(cases: list[Case], real: list[Case]) -> None:
    """Calibrate with a ranking that has not seen a quarter of the rendered loops."""
    split = held_out(cases)
    judge = fit_net(split.rest, weigh, seeds=(0,))
    model = fit_confidence(split.held, real, judge, tempi.ranking())
    made = RENDERED.format(seed=TEMPO_SEED, count=len(split.held)) + REAL.format(count=len(real))
    save("tempo_confidence", made, tempi.CONFIDENCE_FEATURES, model)


def kind_weight(sound: Sound) -> float:
    """Weather, babble and free playing are rarer in a library than drum loops."""
    if sound.group in ("other/weather", "other/babble", "other/free"):
        return 0.15
    if sound.group in ("other/noise", "other/tone"):
        return 8.0  # nobody may ever see a tempo in these
    return OTHER_WEIGHT if sound.group.startswith("other/") else 1.0


def fit_kind(made: list[Sound], real: list[Sound]) -> Linear:
    """Learn loop or one-shot."""
    real = [sound for sound in real if sound.kind != "phrase"]
    x = np.array([loop_detection.describe(s.env, s.duration, s.tempo()) for s in made + real])
    loop = np.array([s.kind == "loop" for s in made + real])
    weight = np.array([kind_weight(s) for s in made] + [REAL_WEIGHT] * len(real))
    return logistic.binary(x, loop, weight, ridge=5e-3)


def fit_pitched(made: list[Sound], real: list[Sound]) -> Linear:
    """Learn whether there are notes at all, leaving out sounds where people differ."""
    made = [s for s in made if s.group not in EITHER and s.chroma]
    real = [s for s in real if s.label not in EITHER_REAL and s.chroma]
    x = np.array([key_detection.describe(s.chroma) for s in made + real if s.chroma])
    notes = [s.group.startswith(PITCHED_RENDERED) for s in made]
    notes += [s.label in PITCHED_REAL for s in real]
    weight = np.array([1.0] * len(made) + [REAL_WEIGHT] * len(real))
    return logistic.binary(x, np.array(notes), weight, ridge=5e-3)


def keyed() -> list[tuple[npt.NDArray[np.float64], str]]:
    """Render music in known keys, and collect the evidence for each of the 24."""
    found = ((chroma.chroma(t.signal, 44_100), t.key) for t in takes("tonal", KEYED, SOUND_SEED))
    return [(key_detection.evidence(heard), key) for heard, key in found if heard and key]


def train_key(known: list[tuple[npt.NDArray[np.float64], str]]) -> None:
    """Learn how much each kind of evidence for a key counts."""
    x = np.array([evidence for evidence, _ in known])
    truth = np.array([KEYS.index(key) for _, key in known])
    made_of = RENDERED.format(seed=SOUND_SEED, count=len(known))
    save("key", made_of, key_detection.EVIDENCE, fit_key(x, truth))


def fit_likeness(made: list[Sound], shrink: float = 0.9) -> Linear:
    """Find the directions in which classes differ most for how much they vary inside.

    The covariance within classes, shrunk towards a sphere, is whitened; the principal
    components of what is then left give 32 dimensions.
    """
    hits = [s for s in made if s.group.startswith("hit/")]
    x = np.array([s.mels.ravel() for s in hits], np.float64)
    labels = np.array([s.label for s in hits])
    mean = x.mean(axis=0)
    within = np.zeros((x.shape[1], x.shape[1]))
    for label in set(labels):
        part = x[labels == label]
        within += np.cov(part.T, bias=True) * len(part) / len(x)
    within = (1 - shrink) * within + shrink * np.trace(within) / len(within) * np.eye(len(within))
    values, axes = np.linalg.eigh(within)
    whiten = axes / np.sqrt(values)
    _, main = np.linalg.eigh(whiten.T @ np.cov(x.T, bias=True) @ whiten)
    weight = (whiten @ main[:, ::-1][:, : embedding.TIMBRE]).astype(np.float32)
    ones = np.ones(x.shape[1], np.float32)
    zero = np.zeros(embedding.TIMBRE, np.float32)
    return Linear(mean.astype(np.float32), ones, weight, zero)


def class_row(sound: Sound) -> npt.NDArray[np.float64]:
    """Return the features of the class model."""
    timbre = embedding.projection()(sound.mels.reshape(1, -1))[0]
    loop = loop_detection.loop_probability(sound.env, sound.duration, sound.tempo())
    note = sound.pitch if loop < 0.5 else None
    heard = sound_class.Heard(
        timbre, sound.env, sound.duration, sound.content, loop, sound.chroma, note
    )
    return sound_class.describe(heard)


def class_label(sound: Sound) -> int:
    """Return the class of a rendered sound."""
    label = "vocal" if sound.group == "other/babble" else sound.label
    return sound_class.CLASSES.index(sound_class.SoundClass(label))


def train_class(made: list[Sound]) -> None:
    """Learn the class of a sound."""
    x = np.array([class_row(s) for s in made])
    label = np.array([class_label(s) for s in made])
    weight = 1 / np.sqrt(np.bincount(label, minlength=len(sound_class.CLASSES))[label])
    model = logistic.several(x, label, len(sound_class.CLASSES), weight, ridge=3e-3)
    save("class", RENDERED.format(seed=SOUND_SEED, count=len(made)), sound_class.FEATURES, model)


def forget() -> None:
    """Drop the weights in memory, so that the next step reads what was just learned."""
    for cached in (
        model_weights.load,
        tempi.ranking,
        tempi.calibration,
        loop_detection.model,
        embedding.projection,
    ):
        cached.cache_clear()


def kept(cache: Path | None, name: str, make: Callable[[], Any]) -> Any:
    """Make something slow once."""
    path = cache / f"{name}.pickle" if cache else None
    if path and path.exists():
        return pickle.loads(path.read_bytes())  # noqa: S301  our own file of a minute ago
    made = make()
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(made))
    return made


def main() -> None:
    """Learn in the order in which the models build on each other."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path, help="a folder for what is slow to render")
    cache = options.parse_args().cache
    cases = kept(cache, "cases", tempo_cases)
    made = kept(cache, "rendered", all_rendered)
    where = folder()
    real = kept(cache, "real", lambda: [of_real(r) for r in sounds(where)] if where else [])
    loops = [case for _, case in kept(cache, "real_cases", real_cases)]
    train_tempo(cases)
    forget()
    train_confidence(cases, loops)
    both = RENDERED.format(seed=SOUND_SEED, count=len(made)) + REAL.format(count=len(real))
    forget()
    save("kind", both, loop_detection.FEATURES, fit_kind(made, real))
    save("pitched", both, key_detection.PITCHED, fit_pitched(made, real))
    train_key(kept(cache, "keyed", keyed))
    names = [f"slice {i} band {j}" for i in range(13) for j in range(embedding.MELS)]
    save("likeness", RENDERED.format(seed=SOUND_SEED, count=1500), names, fit_likeness(made))
    forget()
    train_class(made)


if __name__ == "__main__":
    # By its name, so that others can read the cache: a pickle remembers where its classes live.
    importlib.import_module("bench.train").main()
