# SPDX-License-Identifier: Apache-2.0
"""The alerts: judged by promtool, each with its page, its tests and its line."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from eservice_operator.api.kinds import KINDS
from eservice_operator.cli.program import COMMANDS
from tests.monitoring.conftest import ROOT, Promtool
from tests.monitoring.queries import asked_for, there_are
from tools.monitoring.generate import ALERTS, RULE, prometheusrule

RUNBOOKS = ROOT / "docs" / "runbooks"
OTHERS = {
    "deploy",
    "endpointslices",
    "gateway",
    "httproute",
    "ingress",
    "lease",
    "networkpolicies",
    "pod",
    "pods",
    "podmonitor",
    "rolebindings",
    "roles",
    "secret",
    "servicemonitor",
    "services",
}
BASE = "https://eservice.dev/runbooks/"
TESTS = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
GROUPS: list[dict[str, Any]] = yaml.safe_load((ROOT / ALERTS).read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
ALERT = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}


def checks() -> list[dict[str, Any]]:
    """Every check of every test file."""
    cases = [case for path in TESTS for case in yaml.safe_load(path.read_text())["tests"]]
    return [check for case in cases for check in case["alert_rule_test"]]


def test_promtool_finds_the_rules_right(promtool: Promtool) -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rules found" in done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_only_then(path: Path, promtool: Promtool) -> None:
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ALERT)
def test_every_alert_is_shown_firing_and_not_firing(name: str) -> None:
    shown = {bool(check["exp_alerts"]) for check in checks() if check["alertname"] == name}
    assert shown == {True, False}


@pytest.mark.parametrize("name", ALERT)
def test_every_alert_says_what_a_person_needs(name: str) -> None:
    rule = ALERT[name]
    assert name.startswith("EService")
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"{BASE}{name}.md"


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md")) == sorted(ALERT)


@pytest.mark.parametrize("name", ALERT)
def test_every_page_has_every_part(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n\nSeverity: {ALERT[name]['labels']['severity']}.\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "Meaning",
        "Impact on citizens",
        "Diagnosis",
        "What to do",
        "When to silence",
    ]
    assert re.search(r"^```sh\n(?:kubectl|date)", text, re.MULTILINE)


def test_pages_name_commands_and_kinds_that_exist() -> None:
    text = "".join(path.read_text() for path in RUNBOOKS.glob("*.md"))
    assert set(re.findall(r"kubectl eservice ([\w-]+)", text)) <= set(COMMANDS)
    ours = {name for kind in KINDS for name in (kind.plural, kind.short, *kind.also)}
    asked = {kind for kinds in re.findall(r"kubectl get ([a-z,]+)", text) for kind in kinds.split(",")}
    assert asked <= ours | OTHERS


def test_pages_search_the_log_for_what_writes_there() -> None:
    text = "".join(path.read_text() for path in RUNBOOKS.glob("*.md"))
    searched = set(re.findall(r"grep (?:-\S+ )*'?(eservice_operator[\w.]+)", text))
    assert searched
    for name in searched:
        assert import_module(name).log.name == name


def test_rules_ask_for_metrics_that_exist() -> None:
    for rule in RULES:
        asked = asked_for(rule["expr"])
        assert asked, rule
        assert asked <= there_are() | RECORDED, rule


def test_the_object_for_the_prometheus_operator_is_the_same_rules() -> None:
    text = (ROOT / RULE).read_text()
    assert text == prometheusrule(), "run: python -m tools.monitoring.generate"
    told = yaml.safe_load(text)
    assert (told["apiVersion"], told["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert told["spec"] == {"groups": GROUPS}


def test_the_reference_has_a_line_for_every_alert() -> None:
    text = (ROOT / "docs" / "reference" / "alerts.md").read_text()
    lines = re.findall(
        r"^\| \[(\w+)\]\(\.\./runbooks/\1\.md\) \| (\w+) \| (\w*) \| .+ \|$", text, re.MULTILINE
    )
    wanted = [(name, rule["labels"]["severity"], rule.get("for", "")) for name, rule in ALERT.items()]
    assert lines == wanted
