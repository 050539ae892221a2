"""The files for Prometheus, Alertmanager and Grafana.

That their metrics exist is tested in `tests/supervisor/test_metrics.py`, with a product that runs,
and that the alerts fire in `tests/ops/test_alert_rules.py`.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.monitoring import DASHBOARDS, DEPLOY, RULE_TESTS, rules, unknown_parts

RUNBOOKS = (DEPLOY.parent / "docs" / "RUNBOOKS.md").read_text()
SECRET_KEYS = re.compile(r"(password|_url|_key|token|credentials)$")


def unit(name: str) -> dict[str, list[str]]:
    """Return the settings of a unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / f"crate404-{name}.service").read_text().splitlines():
        key, is_setting, value = line.partition("=")
        if is_setting and not key.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", ["web@", "worker@", "scheduler"])
def test_the_processes_of_a_host_count_in_one_folder(name: str) -> None:
    found = unit(name)
    assert "PROMETHEUS_MULTIPROC_DIR=/run/crate404" in found["Environment"]
    assert found["RuntimeDirectory"] == ["crate404"]
    assert found["RuntimeDirectoryPreserve"] == ["yes"]


@pytest.mark.parametrize("name", ["web@", "worker@", "scheduler"])
def test_a_unit_starts_once_the_database_answers(name: str) -> None:
    found = unit(name)
    assert found["ExecStartPre"] == ["/opt/crate404/.venv/bin/python -m sp404_app migrate"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["Restart"] == ["on-failure" if name == "web@" else "always"]
    # A unit that is required and fails would keep this one down for good.
    assert "crate404-migrate" not in str(found)


def test_each_alert_is_tested_when_it_fires_and_when_it_is_silent() -> None:
    tested: dict[str, set[bool]] = {}
    for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]:
        for each in test["alert_rule_test"]:
            tested.setdefault(each["alertname"], set()).add(bool(each["exp_alerts"]))
    assert tested == {str(rule["alert"]): {True, False} for rule in rules()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_each_alert_has_a_severity_a_sentence_and_a_runbook(
    rule: dict[str, dict[str, str]],
) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"].endswith(".")
    _, _, anchor = rule["annotations"]["runbook"].partition("docs/RUNBOOKS.md#")
    headings = re.findall(r"^#+ (.+)$", RUNBOOKS, re.MULTILINE)
    assert anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_the_runbooks_have_no_alert_that_does_not_exist() -> None:
    assert set(re.findall(r"^#+ Alert: (\w+)$", RUNBOOKS, re.MULTILINE)) == {
        str(rule["alert"]) for rule in rules()
    }


def test_the_configurations_hold_no_secret() -> None:
    def secrets_in(value: object) -> list[str]:
        if isinstance(value, list):
            return [found for each in value for found in secrets_in(each)]
        if not isinstance(value, dict):
            return []
        here = [str(name) for name in value if SECRET_KEYS.search(str(name))]
        return here + [found for each in value.values() for found in secrets_in(each)]

    for path in (
        DEPLOY / "alertmanager" / "alertmanager.yml",
        DEPLOY / "prometheus" / "prometheus.yml",
    ):
        assert secrets_in(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_has_a_title_an_id_and_panels_that_do_not_overlap(path: Path) -> None:
    board = json.loads(path.read_text())
    assert board["uid"] == f"crate404-{path.stem}"
    assert board["title"].endswith("?")
    cells = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(sp404_a)", []),
        ('sum by (x) (sp404_a{x="1"}) / max(sp404_b)', []),
        ("sum by (le) (rate(sp404_a[5m]))", []),
        ("sum(sp404_c)", ["sp404_c"]),
        ('sp404_a{y="1"}', ["sp404_a.y"]),
        ("sum by (y) (sp404_a)", ["y"]),
    ],
)
def test_unknown_metrics_and_labels_are_found(expression: str, expected: list[str]) -> None:
    assert unknown_parts(expression, {"sp404_a": {"x"}, "sp404_b": set()}) == expected
