"""What a list of paths is: which projects it holds, and why it is no card."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.errors import ValidationFailed
from sp404_app.services.cards.card_paths import clean_path, fold_path
from sp404_app.services.cards.card_tree import read_tree
from tests.services.cards import cards


def test_a_backup_of_sixteen_projects_is_sixteen_projects_in_order() -> None:
    paths = [f"BKUP/01/x/PROJECT_{n}/{name}" for n in range(1, 17) for name in ("PADCONF.BIN",)]
    tree = read_tree(sorted(paths))
    assert (tree.kind, tree.title, tree.is_card) == ("mk2", "MKII backup", True)
    assert [each.folder.rpartition("_")[2] for each in tree.projects] == list(
        map(str, range(1, 17))
    )


@pytest.mark.parametrize("change", [str, str.lower, str.swapcase])
def test_the_case_of_names_does_not_matter(change: type) -> None:
    (project,) = read_tree([change(path) for path in cards.mk2_project()]).projects
    assert sorted(project.samples()) == [0, 1, 17]
    assert len(project.copies()) == 3
    (card,) = read_tree([change(path) for path in cards.sx_card()]).projects
    assert sorted(card.samples()) == [0, 13]
    assert change("ROLAND/SP-404SX") == card.folder


@pytest.mark.parametrize(
    ("folder", "bare"),
    [("ROLAND/SP-404SX", False), ("", False), ("IMPORT/SP-404SX", False), ("", True), ("x", True)],
)
def test_an_sx_card_is_found_wherever_it_lies(folder: str, bare: bool) -> None:
    paths = list(cards.sx_card(folder))
    if bare:
        paths = [path.replace("SMPL/", "") for path in paths if "PTN" not in path]
    tree = read_tree(paths)
    assert (tree.kind, tree.title) == ("sx", "SP-404SX card")
    assert (tree.projects[0].is_bare, sorted(tree.projects[0].samples())) == (bare, [0, 13])


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        ([], "This folder is empty."),
        ([".DS_Store", "._PADCONF.BIN", "PADCONF.BIN.crswap"], "This folder is empty."),
        (["SMPL/BANK1-01.SMP"], "PADCONF.BIN is missing"),
        (["A0000001.WAV"], "PAD_INFO.BIN is missing"),
        (["ROLAND/SP-404SX/SMPL/A0000001.WAV"], "PAD_INFO.BIN is missing"),
        (["Kicks/kick.wav"], "Add them to your library"),
        (["letter.txt"], "neither PADCONF.BIN nor PAD_INFO.BIN"),
    ],
)
def test_what_is_no_card_says_why(paths: list[str], why: str) -> None:
    tree = read_tree(paths)
    assert not tree.is_card
    assert why in tree.why


def test_a_card_without_projects_is_a_card() -> None:
    tree = read_tree(["IMPORT/kick.wav", "README.txt"])
    assert (tree.is_card, tree.title) == (True, "SP-404MKII card")
    assert "only sounds to import" in tree.why
    assert read_tree(["IMPORT/kick.wav", "EXPORT/notes.txt"]).why.endswith("on this card.")


def test_only_what_is_needed_travels() -> None:
    (project,) = read_tree([*cards.mk2_project(), "EXPORT/notes.txt"]).projects
    assert project.needed_paths(None) == [project.config]
    folder = project.folder
    assert set(project.needed_paths([0])) == {
        project.config,
        f"{folder}/SMPL/BANK1-01.SMP",
        f"{folder}/PTN/PTN00001.BIN",
        f"{folder}/PTN/PATTERNCHAIN_00.CHN",
        f"{folder}/PICTURE/startup_1.bmp",
    }


HOSTILE = (
    "", "/", "/etc/passwd", "..", "../x", "a/../b", "a//b", "a/./b", "a\\b", "C:/x", "a/", "x\0y",
    "x\ny", "a" * 256, "/".join("a" * 30), "ß" * 600, "\ud800", ". /x", "a/ /b",
)  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_leaves_the_import_is_refused(path: str) -> None:
    with pytest.raises(ValidationFailed):
        clean_path(path)


@given(st.text(max_size=60) | st.lists(st.text(max_size=12)).map("/".join))
def test_any_path_is_refused_or_stays_inside(path: str) -> None:
    try:
        clean_path(path)
    except ValidationFailed:
        return
    parts = path.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert len(fold_path(path)) <= 1_000


NAMES = st.sampled_from(
    ["PADCONF.BIN", "padconf.bin", "PAD_INFO.BIN", "SMPL", "smpl", "BANK1-01.SMP", "BANK11-99.SMP",
     "A0000001.WAV", "A0000013.WAV", "A0000001.AIF", "PTN", "PTN00001.BIN", "PTN99999.BIN",
     "PICTURE", "startup_1.bmp", "ROLAND", "SP-404SX", "x", "._x", ""]
)  # fmt: skip


@given(st.lists(st.lists(NAMES | st.text(max_size=5), max_size=6).map("/".join), max_size=40))
def test_any_list_of_paths_is_read_without_an_error(paths: list[str]) -> None:
    tree = read_tree(paths)
    assert bool(tree.why) or tree.projects
    for project in tree.projects:
        assert set(project.needed_paths(range(160))) <= set(paths)


def test_sixty_thousand_deep_names_are_read() -> None:
    deep = "SMPL/" * 190
    paths = [f"{deep}{n}/BANK1-01.SMP" for n in range(60_000)]
    assert read_tree(paths).projects == ()
