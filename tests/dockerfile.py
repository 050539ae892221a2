"""Read a Dockerfile, and find in it what hadolint would find (its rules are named in brackets).

Hadolint itself is under the GPL, so it is no dependency.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator

Instruction = tuple[str, str]  # its name in capitals, and the rest of the line
Stage = list[Instruction]
ROOT_USERS = {"root", "0", "0:0"}
ONCE = ("CMD", "ENTRYPOINT", "HEALTHCHECK")
PIP_INSTALL = re.compile(r"pip install (.*)")


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile; comments are left out and lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    pairs = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name.upper(), rest.strip()) for name, _, rest in pairs]


def stages(text: str) -> list[Stage]:
    """Return the instructions of each stage, beginning with its FROM."""
    found = instructions(text)
    starts = [at for at, (name, _) in enumerate(found) if name == "FROM"]
    return [found[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def stage_names(text: str) -> list[str]:
    """Return the names that FROM … AS gives."""
    return [stage[0][1].split(" AS ")[1] for stage in stages(text) if " AS " in stage[0][1]]


def faults(text: str) -> list[str]:
    """Return one sentence for each rule that a Dockerfile breaks."""
    return [
        f"{name} {rest[:60]}: {sentence}"
        for name, rest in instructions(text)
        for rule, sentence in RULES.get(name, [])
        if not rule(rest)
    ] + list(_faults_of_stages(text))


def _faults_of_stages(text: str) -> Iterator[str]:
    names = stage_names(text)
    if len(set(names)) != len(names):
        yield "two stages have the same name [DL3024]"
    for stage in stages(text):
        for source in re.findall(r"--from=(\S+)", " ".join(_all(stage, "COPY"))):
            if source not in names:
                yield f"COPY --from={source}: there is no such stage [DL3022]"
        base, *_ = stage[0][1].split(" AS ")
        if base not in names:
            yield from _faults_of_base(base, stage)
        if repeated := [name for name in ONCE if len(_all(stage, name)) > 1]:
            yield f"{repeated}: only the last one counts [DL3012, DL4003, DL4004]"
        if set(_all(stage, "USER")[-1:]) & ROOT_USERS:
            yield f"{stage[0][1]}: it ends as root [DL3002]"


def _faults_of_base(base: str, stage: Stage) -> Iterator[str]:
    if not _has_tag(base):
        yield f"{base}: name a release, not `latest` [DL3006, DL3007]"
    if _keeps_cache_of_pip(stage):
        yield f"{stage[0][1]}: the image keeps pip's cache [DL3042]"


def _all(stage: Stage, wanted: str) -> list[str]:
    return [rest for name, rest in stage if name == wanted]


def _keeps_cache_of_pip(stage: Stage) -> bool:
    if "PIP_NO_CACHE_DIR=1" in " ".join(_all(stage, "ENV")):
        return False
    installs = [rest for rest in _all(stage, "RUN") if "pip install" in rest]
    return not all("--no-cache-dir" in rest for rest in installs)


def _has_tag(image: str) -> bool:
    name, _, tag = image.rpartition("/")[2].partition(":")
    return bool(name and tag and tag != "latest")


def _is_exec_form(rest: str) -> bool:
    """Return whether a command is a JSON list, so that signals reach the process itself."""
    if rest == "NONE":
        return True
    try:
        command = json.loads(rest[rest.index("[") :])
    except ValueError:
        return False
    return bool(command) and all(isinstance(word, str) for word in command)


def _pins_python_packages(rest: str) -> bool:
    for found in PIP_INSTALL.findall(rest):
        words = shlex.split(found.split("&&")[0])
        names = [word for word in words if not word.startswith("-") and "/" not in word]
        if not {"-c", "--constraint"} & set(words) and not all("==" in name for name in names):
            return False
    return True


def _cleans_lists_of_apt(rest: str) -> bool:
    return "apt-get update" not in rest or "rm -rf /var/lib/apt/lists" in rest


def _pins_packages_of_apt(rest: str) -> bool:
    for found in re.findall(r"apt-get install ([^&|;]*)", rest):
        names = [word for word in shlex.split(found) if not word.startswith("-")]
        if "--no-install-recommends" not in found or not all("=" in name for name in names):
            return False
    return True


def _fails_with_its_pipe(rest: str) -> bool:
    return not re.search(r"(?<!\|)\|(?!\|)", rest) or "pipefail" in rest


Rule = tuple[Callable[[str], object], str]
RULES: dict[str, list[Rule]] = {
    "RUN": [
        (lambda rest: not re.search(r"\bsudo\b", rest), "no sudo [DL3004]"),
        (lambda rest: not re.search(r"\bcd /", rest), "use WORKDIR [DL3003]"),
        (lambda rest: not re.search(r"\bapt (?!-)", rest), "apt is for terminals [DL3027]"),
        (_pins_packages_of_apt, "pin versions, without recommended ones [DL3008, DL3015]"),
        (_cleans_lists_of_apt, "the image keeps the lists of apt [DL3009]"),
        (_pins_python_packages, "pin versions [DL3013]"),
        (_fails_with_its_pipe, "a failure before the pipe is lost: set pipefail [DL4006]"),
    ],
    "WORKDIR": [(lambda rest: rest.startswith("/"), "use an absolute path [DL3000]")],
    "USER": [(lambda rest: re.fullmatch(r"root|\d+(:\d+)?", rest), "use numbers [DL3066]")],
    "CMD": [(_is_exec_form, "use a JSON list [DL3025]")],
    "ENTRYPOINT": [(_is_exec_form, "use a JSON list [DL3025]")],
    "HEALTHCHECK": [(_is_exec_form, "use a JSON list: there may be no shell")],
    "ADD": [(lambda _: False, "use COPY [DL3020]")],
    "MAINTAINER": [(lambda _: False, "it is deprecated [DL4000]")],
    "EXPOSE": [(lambda rest: 0 < int(rest.split("/")[0]) < 65536, "no such port [DL3011]")],
}
