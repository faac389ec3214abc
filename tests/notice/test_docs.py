# SPDX-License-Identifier: Apache-2.0
"""docs/notice-page.md and docs/manifests/notice.yaml: what the command does, and what a cluster takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from eservice_operator.api.names import NOTICE_HEADER, ROUTE_HEADER
from eservice_operator.notice.answer import CONSTANT
from eservice_operator.notice.command import notice
from eservice_operator.notice.figures import Figures
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.settings import Settings, unknown_variables
from tests.support.kubectl import Kubectl
from tests.support.shipped import families, flags, listed, taken

if TYPE_CHECKING:
    from controlplane import Cluster

ROOT = Path(__file__).parents[2]
MANIFEST = (ROOT / "docs" / "manifests" / "notice.yaml").read_text()
DOCUMENT = (ROOT / "docs" / "notice-page.md").read_text()
OBJECTS: dict[str, dict[str, Any]] = {one["kind"]: one for one in yaml.safe_load_all(MANIFEST)}
POD: dict[str, Any] = OBJECTS["Deployment"]["spec"]["template"]
CONTAINER: dict[str, Any] = POD["spec"]["containers"][0]


def test_the_command_is_one_of_the_image() -> None:
    assert command_line(lambda _: 0).commands["notice"] is notice
    assert CONTAINER["args"] == ["notice"]
    assert 'ENTRYPOINT ["eservice-operator"]' in (ROOT / "Dockerfile").read_text()


def test_all_of_it_is_where_the_routes_are_and_selects_its_own_pods() -> None:
    assert {one["metadata"]["namespace"] for one in OBJECTS.values()} == {Settings().routes_namespace}
    labels = POD["metadata"]["labels"]
    assert OBJECTS["Service"]["spec"]["selector"] == labels
    assert OBJECTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert OBJECTS[kind]["spec"]["selector"]["matchLabels"] == labels


def test_its_ports_are_the_commands_and_probes_ask_the_one_for_health() -> None:
    defaults = {option.name: str(option.default) for option in notice.params}
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert defaults == {
        "address": f"0.0.0.0:{ports['http']}",
        "health_address": f"0.0.0.0:{ports['health']}",
    }
    assert {CONTAINER[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} == {
        "health"
    }
    (port,) = OBJECTS["Service"]["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, "http")
    rules = OBJECTS["NetworkPolicy"]["spec"]["ingress"]
    assert [rule["ports"] for rule in rules] == [[{"port": "http"}], [{"port": "health"}]]
    assert all(rule["from"] for rule in rules)
    assert "egress" not in OBJECTS["NetworkPolicy"]["spec"]


def test_it_has_no_credentials_and_cannot_write() -> None:
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert POD["spec"]["enableServiceLinks"] is False
    assert POD["spec"]["securityContext"]["runAsUser"] == 65532
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"] is True
    assert "volumeMounts" not in CONTAINER


def test_variables_that_kubernetes_sets_for_the_service_are_no_settings_of_the_page() -> None:
    links = {"ESERVICE_NOTICE_PORT", "ESERVICE_NOTICE_SERVICE_HOST", "ESERVICE_NOTICE_SERVICE_PORT"}
    assert not links & {option.envvar for option in notice.params}
    assert unknown_variables(links) == []


@pytest.mark.cluster
async def test_a_cluster_takes_it_and_its_pods_are_restricted(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    here = MANIFEST.replace(f"namespace: {Settings().routes_namespace}", f"namespace: {namespace}")
    await taken(Kubectl(cluster.kubeconfig), namespace, tmp_path, here, POD["spec"])


def test_the_page_lists_every_header_setting_and_figure() -> None:
    assert listed(DOCUMENT, "What is answered") == {
        *CONSTANT,
        "Content-Type",
        "Content-Language",
        "Retry-After",
    }
    assert listed(DOCUMENT, "Settings") == flags(notice.params)
    assert listed(DOCUMENT, "Figures") == families(Figures().render())
    assert all(f"`{header}`" in DOCUMENT for header in (NOTICE_HEADER, ROUTE_HEADER))


def test_the_example_of_the_header_is_one() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert set(json.loads(block)) == {"v", "title", "catalogue", "until"}
