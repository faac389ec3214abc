# SPDX-License-Identifier: Apache-2.0
"""The documents say what the code does: every reason, setting, metric, column, link, name and worked date."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from semver import Version

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.kinds import BY_KIND, KINDS
from eservice_operator.api.names import API_VERSION, GROUP
from eservice_operator.api.notices import NoticeKind, NoticeState
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.reasons import ConditionType, Gate, Phase, Reason
from eservice_operator.api.template import VersionStage
from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN
from eservice_operator.cluster.workdays import calendar_of
from eservice_operator.core import transitions
from eservice_operator.core.dates import add_period, add_working_days, following_day, parse_period
from eservice_operator.core.fairness import INSTALL_WITHIN_WORKING_DAYS
from eservice_operator.core.gateway_driver import GATEWAY_GROUP
from eservice_operator.core.lag import Lag, LagPolicy, Measure, measure_lag
from eservice_operator.core.leaving import FAILURES, SEEN_OTHERWISE
from eservice_operator.core.versions import Catalogue, CatalogueVersion
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.figures import FAMILIES
from eservice_operator.runtime.metrics import PREFIX, Metrics
from eservice_operator.runtime.service_figures import WHO
from eservice_operator.runtime.settings import Settings
from tests.support.worlds import POLICY

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(path for path in DOCS.rglob("*.md") if path.name != "0000-template.md"),
        ROOT / "samples" / "README.md",
        ROOT / "tools" / "controlplane" / "README.md",
        ROOT / "changelog.d" / "README.md",
    ]
)
RULES = (DOCS / "rules.md").read_text()
NEVER = "never"


def words(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def section(text: str, heading: str) -> str:
    """What follows a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    match = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"there is no {heading!r}"
    return match[1]


def table(text: str, first: str) -> Iterator[dict[str, str]]:
    """The rows of every table whose first column is called so, by column."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = block.splitlines()
        head, _, *rows = ([cell.strip() for cell in line[1:-1].split("|")] for line in lines)
        if head[0] == first:
            yield from (dict(zip(head, row, strict=True)) for row in rows)


def prose(path: Path) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def slugs(path: Path) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_within_the_checkout_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        found = (path.parent / place).resolve() if place else path
        assert found.exists(), f"{target} does not exist"
        assert not anchor or anchor in slugs(found), f"{target}: no such heading"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_that_a_page_names_are_there(path: Path) -> None:
    for place, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", prose(path)):
        code = ROOT / place
        assert code.is_file(), f"{place} is not there"
        assert not name or re.search(rf"^(?:async )?def {name}\(", code.read_text(), re.MULTILINE), (
            f"{place} has no {name}"
        )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_after_a_link_to_code_are_defined_there(path: Path) -> None:
    for target, named in re.findall(r"\]\(([^)\s]+\.py)\):\s+((?:`\w+`(?:,\s+)?)+)", prose(path)):
        code = (path.parent / target).read_text()
        for name in words(named):
            assert re.search(rf"(?:def|class) {name}\b|^{name}\b.* = ", code, re.MULTILINE), (
                f"{name} in {target}"
            )


def test_every_reason_has_its_line() -> None:
    reasons = section((REFERENCE / "conditions.md").read_text(), "## Reasons")
    listed = [word for row in table(reasons, "reason") for word in words(row["reason"])]
    assert sorted(listed) == sorted(set(Reason))


def test_every_condition_phase_and_stage_has_its_line() -> None:
    text = (REFERENCE / "conditions.md").read_text()
    for first, vocabulary in (("type", ConditionType), ("phase", Phase), ("stage", VersionStage)):
        listed = [word for row in table(text, first) for word in words(row[first])]
        assert sorted(listed) == sorted(set(vocabulary))


def test_the_concepts_name_every_phase_gate_and_state() -> None:
    text = (DOCS / "concepts.md").read_text()
    assert re.findall(r"^- \*\*`(\w+)`\*\*", section(text, "## Phases"), re.MULTILINE) == list(Phase)
    gates = list(table(text, "gate"))
    assert [words(row["gate"])[0] for row in gates] == list(Gate)
    assert {word for row in gates for word in words(row["reasons while unmet"])} <= set(Reason)
    assert [words(row["state"])[0] for row in table(text, "state")] == list(DecisionState)


def event_reasons() -> set[str]:
    """The reasons of Events that are written out in the code, and those that stand for others."""
    tree = ast.parse(Path(transitions.__file__).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    notes = [call.args[1] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Note"]
    literal = [node for note in notes for node in ast.walk(note) if isinstance(node, ast.Constant)]
    contested = {Reason.HOST_CONFLICT, Reason.HOST_CONTESTED}
    others = {*transitions.ALARMING, *NoticeKind, *SEEN_OTHERWISE, *FAILURES, *contested}
    return {str(node.value) for node in literal} | others


def test_every_reason_of_an_event_has_its_line() -> None:
    text = section((REFERENCE / "conditions.md").read_text(), "## Events")
    assert {word for row in table(text, "reason") for word in words(row["reason"])} == event_reasons()


def test_every_notice_and_its_states_have_their_line() -> None:
    text = section((REFERENCE / "conditions.md").read_text(), "## Notices")
    assert [words(row["notice"])[0] for row in table(text, "notice")] == list(NoticeKind)
    assert [words(row["state"])[0] for row in table(text, "state")] == list(NoticeState)


def test_every_setting_has_its_line() -> None:
    options = command_line(lambda _: 0).commands["run"].params
    flags = {option.opts[0]: option for option in options}
    rows = list(table((REFERENCE / "settings.md").read_text(), "flag"))
    assert [words(row["flag"])[0].split()[0] for row in rows] == list(flags)
    for row in rows:
        option = flags[words(row["flag"])[0].split()[0]]
        assert words(row["variable"]) == [option.envvar]
        default = "" if option.default is None else str(option.default)
        assert words(row["default"]) == ([default] if default else []), option.name


def families() -> Iterator[tuple[str, str, list[str]]]:
    """Name as scraped, type and further labels of every figure of ours."""
    metrics = Metrics()
    metrics.collect_list_ages(lambda: {"EService": 1.0})
    labels = {
        figure._name: list(figure._labelnames)
        for figure in vars(metrics).values()
        if isinstance(figure, MetricWrapperBase)
    }
    known = {f"{PREFIX}_build": ["version"], f"{PREFIX}_list_age_seconds": ["kind"]} | labels
    ours = [family for family in metrics.registry.collect() if family.name.startswith("eservice_")]
    yield from ((scraped(family), kind(family), known[family.name]) for family in ours)
    for name, _, names in FAMILIES:
        yield name, "gauge", list(names[2:] if names[:2] == WHO else names)


def scraped(family: Metric) -> str:
    return family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")


def kind(family: Metric) -> str:
    return "gauge" if family.type == "info" else family.type


def test_every_metric_has_its_line() -> None:
    rows = list(table((REFERENCE / "metrics.md").read_text(), "metric"))
    listed = [
        (words(row["metric"])[0], row["type"], words(row.get("labels", row.get("more labels", ""))))
        for row in rows
    ]
    assert sorted(listed) == sorted(families())


def test_queries_ask_for_metrics_that_exist() -> None:
    text = (REFERENCE / "metrics.md").read_text()
    queries = "".join(re.findall(r"^```promql$(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    asked = set(re.findall(r"\beservice_\w+", queries))
    assert asked
    assert asked <= {name for name, _, _ in families()}


def test_the_columns_of_every_kind() -> None:
    text = (REFERENCE / "kubectl.md").read_text()
    rows = {row["kind"]: row for row in table(text, "kind") if "columns" in row}
    assert list(rows) == [kind.kind for kind in KINDS]
    for one in KINDS:
        row = rows[one.kind]
        columns = [f"*{column.name}*" if column.wide else column.name for column in one.columns]
        assert row["columns"] == ", ".join(columns)
        assert (words(row["plural"]), words(row["short"])) == ([one.plural], [one.short, *one.also])
        assert row["scope"] == ("namespace" if one.namespaced else "cluster")
    selectors = {row["kind"]: words(row["field"]) for row in table(text, "kind") if "field" in row}
    assert selectors == {one.kind: [path[1:] for path in one.selectable] for one in KINDS if one.selectable}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_objects_in_documents_can_be_read(path: Path) -> None:
    for block in re.findall(r"^```yaml$(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL):
        for document in yaml.safe_load_all(block):
            if document.get("apiVersion") == API_VERSION:
                read = parse(document["kind"], document)
                assert not isinstance(read, InvalidObject), str(read)


def manifests(name: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((DOCS / "manifests" / name).read_text())
    return {document["kind"]: document for document in documents}


def rights_of(name: str) -> dict[tuple[str, str], set[str]]:
    """What a role of rbac.yaml allows, by group and resource."""
    documents = yaml.safe_load_all((DOCS / "manifests/rbac.yaml").read_text())
    (role,) = (one for one in documents if "rules" in one and one["metadata"]["name"] == name)
    rights: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for rule in role["rules"]:
        for group, resource in product(rule["apiGroups"], rule["resources"]):
            rights[group, resource] |= set(rule["verbs"])
    return rights


def test_routes_are_written_in_their_namespace_only_and_ingresses_where_that_is_bound() -> None:
    everywhere = rights_of("eservice-operator")
    for resource in ((GATEWAY_GROUP, "httproutes"), ("networking.k8s.io", "ingresses")):
        assert everywhere[resource] == {"get", "list", "watch"}
    documents = [*yaml.safe_load_all((DOCS / "manifests/rbac.yaml").read_text())]
    bound = {one["roleRef"]["name"]: one for one in documents if "roleRef" in one}
    routes = bound["eservice-operator-routes"]
    assert (routes["kind"], routes["metadata"]["namespace"]) == ("RoleBinding", POLICY.routes_namespace)
    assert "eservice-operator-ingresses" not in bound
    opted = manifests("rbac-ingress.yaml")["ClusterRoleBinding"]
    assert opted["roleRef"]["name"] == "eservice-operator-ingresses"
    assert opted["subjects"] == bound["eservice-operator"]["subjects"]
    assert "eservice-operator-credentials" not in bound
    copying = manifests("rbac-credentials.yaml")["ClusterRoleBinding"]
    assert copying["subjects"] == bound["eservice-operator"]["subjects"]


def test_the_rights_cover_every_resource_that_is_read_or_written() -> None:
    everywhere, routes = rights_of("eservice-operator"), rights_of("eservice-operator-routes")
    ingresses = rights_of("eservice-operator-ingresses")
    rights = {resource: everywhere[resource] for resource in everywhere}
    for more in (routes, ingresses):
        for resource, verbs in more.items():
            assert not verbs & rights[resource], "in the one place, or in the other"
            rights[resource] = rights[resource] | verbs
    for one in (*OWN, *CHILDREN, *OBSERVED):
        group = one.api_version.rpartition("/")[0]
        assert {"get", "list", "watch"} <= rights[group, one.plural], one.plural
        if one in OWN:
            assert rights[group, f"{one.plural}/status"] == {"patch"}
        if one in CHILDREN:
            assert {"create", "patch"} <= rights[group, one.plural], one.plural
    wide = {right: verbs for right, verbs in rights.items() if "*" in right or "*" in verbs}
    assert wide == {(GROUP, "*"): {"invoke"}}, "a contract version is a subresource, of any name"


def test_the_deployment_speaks_of_settings_that_exist() -> None:
    spec = manifests("deployment.yaml")["Deployment"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    known = {option.envvar for option in command_line(lambda _: 0).commands["run"].params}
    assert {variable["name"] for variable in container["env"]} <= known
    assert [port["containerPort"] for port in container["ports"]] == [Settings().metrics_address.port]


def test_decisions_are_numbered_without_gaps_and_have_every_part() -> None:
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(len(records))]
    for record in records[1:]:
        text = record.read_text()
        assert text.startswith(f"# {record.name[:4]}. ")
        assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == [
            "Context",
            "Options",
            "Choice",
            "Consequences",
        ]
        assert len(text.splitlines()) <= 50, record.name


# the worked examples of the rules


def version(number: str, released: str, published: str | None) -> CatalogueVersion:
    on = None if published is None else date.fromisoformat(published)
    return CatalogueVersion(number, Version.parse(number), date.fromisoformat(released), on, None, None)


def lag_of(
    used: CatalogueVersion, higher: CatalogueVersion, limit: str, measure: Measure, within: str = "P12M"
) -> Lag:
    policy = LagPolicy(parse_period(limit), measure, parse_period(within))
    return measure_lag(Catalogue((used, higher)), used, policy, date(2020, 1, 1))


def examples(first: str, *columns: str) -> list[dict[str, str]]:
    """The rows of the table of the rules that begins with that column and has these too."""
    found = [row for row in table(RULES, first) if set(columns) <= set(row)]
    assert found, f"no examples of {first}"
    return found


def test_examples_of_the_installation_term() -> None:
    calendar = calendar_of("LV", range(2025, 2028))
    for row in examples("act signed"):
        start = max(date.fromisoformat(row["act signed"]), date.fromisoformat(row["requested"]))
        assert str(add_working_days(start, INSTALL_WITHIN_WORKING_DAYS, calendar)) == row["due by"]


def test_examples_of_the_duty_to_migrate() -> None:
    for row in examples("first higher version published", "migrate by"):
        higher = version("2.0.0", "2020-01-01", row["first higher version published"])
        lag = lag_of(
            version("1.0.0", "2019-01-01", "2019-01-01"), higher, "P99Y", "ReleaseGap", row["migrateWithin"]
        )
        assert lag.migrate_by is not None
        assert str(lag.migrate_by) == row["migrate by"]
        due = lag.migrate_by + timedelta(days=1)
        assert (lag.migration_due(lag.migrate_by), lag.migration_due(due)) == (False, True)
        assert str(due) == row["MigrationDue from"]


def test_examples_of_the_release_gap() -> None:
    for row in examples("version in use released"):
        used = version("1.0.0", row["version in use released"], row["version in use released"])
        higher = version("2.0.0", row["higher version released"], row["its instruction published"])
        lag = lag_of(used, higher, row["maximumLag"], "ReleaseGap")
        assert str(lag.overdue_since or NEVER) == row["overdue since"]


def test_examples_of_the_time_since_superseded() -> None:
    for row in examples("first higher version published", "overdue since"):
        higher = version("2.0.0", "2020-01-01", row["first higher version published"])
        lag = lag_of(
            version("1.0.0", "2019-01-01", "2019-01-01"), higher, row["maximumLag"], "SinceSuperseded"
        )
        assert str(lag.overdue_since or NEVER) == row["overdue since"]


def test_examples_of_a_deferral() -> None:
    for row in examples("promised"):
        promised, until = date.fromisoformat(row["promised"]), date.fromisoformat(row["until"])
        last = min(until, add_period(promised, parse_period(row["maximumDeferral"])))
        off = following_day(last) if last >= promised else promised
        assert str(off) == row["off the public route from"]


def test_every_kind_is_in_the_reference() -> None:
    headings = re.findall(r"^## (\w+)$", (REFERENCE / "kinds.md").read_text(), re.MULTILINE)
    assert headings == list(BY_KIND)
