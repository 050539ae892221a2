"""What the dashboards and alerts of `deploy/` ask for, read from their PromQL."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
RULE_TESTS = DEPLOY / "prometheus" / "rules_test.yml"
DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
METRIC = re.compile(r"(sp404_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPING = re.compile(r"\bby\s*\(([^)]*)\)")
OF_PROMETHEUS = frozenset({"instance", "job", "le"})

Labels = dict[str, set[str]]  # metric -> names of labels


def rules() -> list[dict[str, object]]:
    """Return all alert rules."""
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield each expression with the place it comes from."""
    for rule in rules():
        yield f"alert {rule['alert']}", str(rule["expr"])
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]


def unknown_parts(expression: str, known: Labels) -> list[str]:
    """Return the metrics and labels of an expression that no scrape has."""
    found, available = [], set(OF_PROMETHEUS)
    for name, selector in METRIC.findall(expression):
        if name not in known:
            found.append(name)
            continue
        available |= known[name]
        allowed = known[name] | OF_PROMETHEUS
        found += [f"{name}.{label}" for label in MATCHER.findall(selector) if label not in allowed]
    for labels in GROUPING.findall(expression):
        found += [label for label in re.findall(r"\w+", labels) if label not in available]
    return found
