"""Classes of real drum hits with and without their names: `python -m bench.ears_names`.

SP404_SOUNDS names the folder of sounds; the hits are looked for beside it. The weights that ship
were trained on the openly licensed kits, so the others count. Labels come from names, too: this
shows what the names of real kits add to the ears, and where they are read wrongly.
"""

from collections.abc import Sequence

from bench.ears_score import format_percent
from bench.ears_sounds import RealSound, read_hits
from sp404_app.audio.features.analysis import analyse
from sp404_app.audio.features.filename_class import stated_classes


def main() -> None:
    """Print a table, and the hits whose path states another class than their label."""
    hits = list(read_hits())
    others = [hit for hit in hits if not hit.is_open]
    print("| hits | state a class | correct by the sound | with the name |\n|---|---|---|---|")
    for title, chosen in (("all", hits), ("of kits that are never trained on", others)):
        stating = format_percent([bool(stated_classes(hit.original)) for hit in chosen])
        heard, named = _correct(chosen, named=False), _correct(chosen, named=True)
        print(f"| {title} | {stating} | {format_percent(heard)} | {format_percent(named)} |")
    for hit in hits:
        stated = stated_classes(hit.original)
        if stated and hit.category not in stated:
            print(f"{hit.category}: {hit.original} states {', '.join(stated)}")


def _correct(hits: Sequence[RealSound], *, named: bool) -> list[bool]:
    """Return for each hit whether the engine finds its class, with or without its path."""
    return [_class_of(hit, hit.original if named else "") == hit.category for hit in hits]


def _class_of(hit: RealSound, path: str) -> str:
    surveyed = hit.survey()
    return analyse(
        surveyed.window,
        surveyed.window_rate,
        duration=surveyed.duration,
        name_hint=path,
        whole=surveyed.whole,
    ).sound_class


if __name__ == "__main__":
    main()
