# SPDX-License-Identifier: Apache-2.0
"""docs/authorizer.md and docs/manifests/authorizer.yaml: what the command does, and what a cluster takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from eservice_operator.authorizer import answer, hearing, remembered, reviews
from eservice_operator.authorizer.answer import Answer, Decision, Why
from eservice_operator.authorizer.asked import Consumer, Place
from eservice_operator.authorizer.command import authorizer
from eservice_operator.authorizer.figures import Figures
from eservice_operator.authorizer.known import KINDS
from eservice_operator.cluster.resources import ACCESS_REVIEWS, TOKEN_REVIEWS, resource_of
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.settings import Settings
from tests.authorizer.proxies import DOCUMENT
from tests.authorizer.running import MANIFEST, NAME, USER
from tests.support.kubectl import Kubectl
from tests.support.rights import Right, granted
from tests.support.shipped import families, flags, listed, taken

if TYPE_CHECKING:
    from controlplane import Cluster

TEXT = MANIFEST.read_text()
OBJECTS: dict[str, dict[str, Any]] = {one["kind"]: one for one in yaml.safe_load_all(TEXT)}
POD: dict[str, Any] = OBJECTS["Deployment"]["spec"]["template"]
CONTAINER: dict[str, Any] = POD["spec"]["containers"][0]


def test_the_command_is_one_of_the_image() -> None:
    assert command_line(lambda _: 0).commands["authorizer"] is authorizer
    assert CONTAINER["args"][0] == "authorizer"
    known = {option for parameter in authorizer.params for option in parameter.opts}
    assert {argument.partition("=")[0] for argument in CONTAINER["args"][1:]} <= known


def test_it_may_read_three_kinds_and_ask_for_reviews() -> None:
    expected = {
        Right(review.api_version.partition("/")[0], review.plural, "create")
        for review in (TOKEN_REVIEWS, ACCESS_REVIEWS)
    }
    for resource in map(resource_of, KINDS):
        group = resource.api_version.partition("/")[0]
        expected |= {Right(group, resource.plural, verb) for verb in ("get", "list", "watch")}
    assert granted(MANIFEST) == expected
    account = OBJECTS["ServiceAccount"]["metadata"]
    assert f"system:serviceaccount:{account['namespace']}:{account['name']}" == USER
    (subject,) = OBJECTS["ClusterRoleBinding"]["subjects"]
    assert (subject["namespace"], subject["name"]) == (account["namespace"], account["name"])
    assert POD["spec"]["serviceAccountName"] == account["name"]


def test_its_ports_are_the_commands_and_its_name_is_the_documented_one() -> None:
    defaults = {option.name: option.default for option in authorizer.params}
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert str(defaults["address"]).rpartition(":")[2] == str(ports["https"])
    assert str(defaults["health_address"]).rpartition(":")[2] == str(ports["health"])
    assert defaults["time_zone"] == str(Settings().time_zone)
    service = OBJECTS["Service"]
    (port,) = service["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (443, "https")
    assert f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc" == NAME
    labels = POD["metadata"]["labels"]
    assert service["spec"]["selector"] == labels
    assert OBJECTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert all(rule["from"] for rule in OBJECTS["NetworkPolicy"]["spec"]["ingress"])
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert OBJECTS[kind]["spec"]["selector"]["matchLabels"] == labels


@pytest.mark.cluster
async def test_a_cluster_takes_it_and_its_pods_are_restricted(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    here = TEXT.replace("namespace: eservice-system", f"namespace: {namespace}")
    spec = {key: value for key, value in POD["spec"].items() if key != "serviceAccountName"}
    await taken(Kubectl(cluster.kubeconfig), namespace, tmp_path, here, spec)


def test_the_page_lists_every_setting_figure_status_header_and_reason() -> None:
    assert listed(DOCUMENT, "Settings") == flags(authorizer.params)
    assert listed(DOCUMENT, "Figures and log") == families(Figures().render())
    statuses = {str(status) for status in answer.STATUS.values()}
    passing = Answer(Decision.ALLOWED, "Granted", Place("n", "w", "v5"), ("n", "w"), Consumer("n", "e"), "1")
    failing = Answer(Decision.UNAUTHENTICATED, Why.TOKEN_MISSING)
    headers = {*passing.headers, *failing.headers} - {"Server"}
    assert listed(DOCUMENT, "What is answered") == statuses | headers | set(Why)
    assert all(f"`{decision}`" in DOCUMENT for decision in Decision)


def test_the_page_says_the_times_that_are() -> None:
    times = DOCUMENT.partition("## How old an answer may be")[2].partition("\n## ")[0]
    assert f"| {reviews.TOKEN_SECONDS:.0f} seconds, and never beyond" in times
    assert times.count(f"| {reviews.ACCESS_SECONDS:.0f} second |") == 2
    assert f"after {hearing.SILENT_SECONDS:.0f} seconds without a sign of life" in times
    assert f"{reviews.MOST_KEPT:,} good answers" in times
    assert (
        f"at most {reviews.AT_ONCE + reviews.UNKNOWN_AT_ONCE} reviews are under way: {reviews.AT_ONCE}"
        in times
    )
    assert f", {reviews.UNKNOWN_AT_ONCE} of tokens that were never found good" in times
    assert hearing.WATCH_SECONDS == (2, 3)
    assert "two to three seconds" in times
    assert remembered.RENEWED == (0.4, 0.8)
    assert "About half-way" in times
