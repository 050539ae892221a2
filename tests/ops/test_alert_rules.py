"""Prometheus and Alertmanager read our files, and each alert fires when its rule says so."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.monitoring import DEPLOY, RULE_TESTS, RULES, rules

ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"


def program(name: str, package: str) -> str:
    path = shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not installed (Debian package {package})")
    return path


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rules_are_valid_and_their_tests_pass() -> None:
    promtool = program("promtool", "prometheus")
    assert f"{len(rules())} rules found" in run(promtool, "check", "rules", RULES)
    assert "SUCCESS" in run(promtool, "test", "rules", RULE_TESTS)


def test_prometheus_and_alertmanager_accept_their_configuration() -> None:
    promtool, amtool = (
        program("promtool", "prometheus"),
        program("amtool", "prometheus-alertmanager"),
    )
    run(promtool, "check", "config", "--syntax-only", DEPLOY / "prometheus" / "prometheus.yml")
    run(amtool, "check-config", ALERTMANAGER)
