"""The project's metadata and the files of its gates agree with the code."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import sp404_app
from tests import run

ROOT = Path(__file__).parents[1]


@pytest.fixture
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_has_one_source(pyproject: dict[str, Any]) -> None:
    assert "version" in pyproject["project"]["dynamic"]
    attribute = pyproject["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert attribute == "sp404_app.__version__"
    assert re.fullmatch(r"\d+\.\d+\.\d+", sp404_app.__version__)


def test_the_changelog_describes_the_present_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", sp404_app.__version__]


def test_the_required_python_is_the_one_that_types_and_style_are_checked_for(
    pyproject: dict[str, Any],
) -> None:
    required = pyproject["project"]["requires-python"].removeprefix(">=")
    assert pyproject["tool"]["pyright"]["pythonVersion"] == required
    assert pyproject["tool"]["ruff"]["target-version"] == "py" + required.replace(".", "")
    assert f"({required.replace('.', ', ')})" in (ROOT / "Makefile").read_text()


def test_every_requirement_is_pinned_in_the_constraints() -> None:
    pins = {
        line.lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().split()
    }
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if "==" in line:
                pin = re.sub(r"\[.*?\]", "", re.split("[;#]", line)[0]).strip().lower()
                assert pin.replace("_", "-") in pins, line


def test_unit_tests_are_folders_without_whole_products() -> None:
    from tests.conftest import PRODUCT_FOLDERS

    folders = {path.split("/")[1] for path in run.UNIT_TESTS}
    assert not folders & set(PRODUCT_FOLDERS)
    assert all((ROOT / path).is_dir() for path in run.UNIT_TESTS)


def test_tests_of_whole_products_stay_on_one_xdist_worker() -> None:
    from tests.conftest import PRODUCT_FOLDERS, ProductTestsTogether

    scheduler = object.__new__(ProductTestsTogether)
    for folder in PRODUCT_FOLDERS:
        assert scheduler._split_scope(f"tests/{folder}/test_x.py::test_y[z]") == "products"
    alone = "tests/services/billing/test_x.py::test_y[z]"
    assert scheduler._split_scope(alone) == alone


def test_the_coverage_gate_measures_packages_that_exist() -> None:
    options = run.coverage_options()
    assert f"--cov-fail-under={run.MIN_COVERAGE_PERCENT}" in options
    assert "--cov-branch" in options
    for package in run.COVERED_PACKAGES:
        assert (ROOT / package.replace(".", "/") / "__init__.py").exists()
