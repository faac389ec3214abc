# SPDX-License-Identifier: Apache-2.0
"""The CRDs in the real apiserver: established, and what people see of them through kubectl."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from eservice_operator.api.kind import Kind
from eservice_operator.api.kinds import KINDS
from eservice_operator.api.names import GROUP
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Invalid
from eservice_operator.core.actions import Manifest, ref_of
from tests.contract.apiserver import dry_create, kubectl
from tests.contract.manifests import changed, example

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

MINIMAL: Manifest = {
    "apiVersion": "eservice.dev/v1alpha1",
    "kind": "EService",
    "metadata": {"name": "minimal", "namespace": "default"},
    "spec": {
        "registration": "minimal",
        "environment": "Test",
        "template": {"name": "viss-2020", "version": "3.0.0"},
        "release": {"image": "registry.example/minimal:1"},
        "publication": {"hosts": ["minimal.example"]},
    },
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_it_is_established(cluster: Cluster, kind: Kind) -> None:
    crd = json.loads(kubectl(cluster, "get", "crd", f"{kind.plural}.{GROUP}", "-o", "json"))
    conditions = {condition["type"]: condition["status"] for condition in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


@pytest.mark.parametrize(
    "field,sentences",
    [
        (
            "eservice.spec.release",
            [
                "The container image; in Production by digest: repository@sha256:…",
                "The documents of the delivery; Production needs one of each kind.",
            ],
        ),
        ("esvc.spec.environment", ["ENUM: Test Acceptance Production", "it never changes"]),
        ("esvct.spec.lifecycle", ["Observe: it is shown. Warn: the institution is told too."]),
        ("act", ["The signed acceptance of one release of an e-service (R2)"]),
        ("decision.status.state", ["Held: something holds it up, see reason."]),
    ],
)
def test_kubectl_explains_it(cluster: Cluster, field: str, sentences: list[str]) -> None:
    text = " ".join(kubectl(cluster, "explain", field).split())
    assert [sentence for sentence in sentences if sentence not in text] == []


@pytest.mark.parametrize(
    "name,columns",
    [
        ("esvc", "NAME  PHASE  PUBLISHED  WHY  TEMPLATE  MIGRATE BY  UNPUBLISH AT  HELD BY  URL  AGE"),
        ("esvct", "NAME  CURRENT  ENFORCEMENT  ESERVICES  BRAKE  NEXT  READY  AGE"),
        ("esvcr", "NAME  IDENTIFIER  INSTITUTION  REGISTERED  REASON  AGE"),
        ("act", "NAME  SERVICE NAMESPACE  ESERVICE  TEMPLATE  SIGNED  READY  REASON  AGE"),
        ("pverif", "NAME  ESERVICE  OUTCOME  TEMPLATE  VERIFIED AT  BY  REASON  AGE"),
        ("deferral", "NAME  SERVICE NAMESPACE  ESERVICE  UNTIL  READY  REASON  AGE"),
        (
            "decision",
            "NAME  SERVICE NAMESPACE  ESERVICE  VERSION  OVERDUE SINCE  STATE  DUE (UTC)  REASON  AGE",
        ),
        ("esvcid", "NAME  IDENTIFIER  REGISTRATION  AGE"),
        (
            "ws",
            (
                "NAME  HOLDER  PROTOCOL  ENVIRONMENT  WAITING  CONSUMERS  NEXT END  GRANTABLE  READY"
                "  REASON  AGE"
            ),
        ),
        (
            "wsg",
            "NAME  WEB SERVICE  CONSUMER NAMESPACE  CONSUMER  STATE  ENDS ON  READY  REASON  AGE",
        ),
        ("agent", "NAME  WEB SERVICE  AGENT  STATE  REASON  CUSTOMERS  APPLICATION  AGE"),
    ],
)
async def test_kubectl_get_shows_its_columns(
    cluster: Cluster, api: KubeApi, namespace: str, name: str, columns: str
) -> None:
    kind = next(kind for kind in KINDS if kind.short == name)
    obj = example(kind.kind)
    if kind.namespaced:
        obj["metadata"]["namespace"] = namespace
    made = await api.create(obj)
    try:
        shown = kubectl(cluster, "get", name, "-n", namespace).splitlines()
        listed = kubectl(cluster, "get", "egov", "-n", namespace)
    finally:
        await api.delete(ref_of(made), uid=made["metadata"]["uid"])
    assert re.sub(r" {2,}", "  ", shown[0].strip()) == columns
    assert any(line.startswith(obj["metadata"]["name"]) for line in shown[1:])
    assert f"{kind.singular}.{GROUP}/{obj['metadata']['name']}" in listed


async def test_phase_and_environment_select(cluster: Cluster, api: KubeApi, namespace: str) -> None:
    for name, phase in (("first", "Published"), ("second", "Unpublished")):
        obj = changed(MINIMAL, {"metadata": {"name": name, "namespace": namespace}})
        await api.create(obj)
        status = {key: obj[key] for key in ("apiVersion", "kind", "metadata")} | {"status": {"phase": phase}}
        await api.apply(status, field_manager="test", force=True, subresource="status")

    def selected(selector: str) -> str:
        return kubectl(cluster, "get", "esvc", "-n", namespace, "-o", "name", "--field-selector", selector)

    assert selected("status.phase=Unpublished").split() == ["eservice.eservice.dev/second"]
    assert len(selected("spec.environment=Test").split()) == 2
    assert selected("spec.environment=Production") == ""


async def test_a_minimal_e_service_gets_its_defaults(api: KubeApi) -> None:
    answer = await dry_create(api, MINIMAL)
    assert answer["spec"]["workload"] == {"replicas": 2, "port": 8080, "terminationGracePeriodSeconds": 30}
    assert answer["spec"]["publication"]["path"] == "/"
    assert answer["status"] == {"observedGeneration": -1}


async def test_a_minimal_template_gets_the_policy(api: KubeApi) -> None:
    template = changed(
        example("EServiceTemplate"), {"spec": {"owner": {"name": "A", "email": "a@b.example"}}}
    )
    lifecycle = (await dry_create(api, template))["spec"]["lifecycle"]
    assert lifecycle == {
        "maximumLag": "P18M",
        "lagMeasure": "ReleaseGap",
        "migrateWithin": "P12M",
        "warnBefore": ["P6M", "P3M", "P1M", "P7D"],
        "noticePeriod": "P0D",
        "enforcement": "Enforce",
        "maximumDeferral": "P6M",
        "holdUninformed": "P3D",
        "brake": {"percent": 10, "atLeast": 5},
    }


@pytest.mark.parametrize(
    "kind,changes,complaint",
    [
        ("EService", {"spec.publication.hosts": ["a.example", "a.example"]}, "Duplicate value"),
        ("EService", {"spec.workload.env": [{"name": "A", "value": "1"}] * 2}, "Duplicate value"),
        (
            "EServiceTemplate",
            {"spec.versions": [{"version": "1.0.0", "released": "2026-01-01"}] * 2},
            "Duplicate value",
        ),
        (
            "EServiceRegistration",
            {"spec.namespaces": [{"environment": "Test", "name": name} for name in ("a", "b")]},
            "Duplicate value",
        ),
        ("AcceptanceAct", {"spec.signedAt": "2026-02-30"}, "2026-02-30"),
        ("AcceptanceAct", {"spec.signedAt": "2027-02-29"}, "2027-02-29"),
        ("ProductionVerification", {"spec.outcome": "Maybe"}, 'supported values: "Passed", "Failed"'),
        ("EService", {"spec.workload.port": 65536}, "less than or equal to 65535"),
        ("EService", {"spec.workload.replicas": 0}, "greater than or equal to 1"),
        ("EService", {"spec.publication.hosts": []}, "should have at least 1 items"),
        ("EService", {"spec.release.image": "a" * 513}, "may not be more than 512"),
        (
            "EService",
            {"spec.release.webServices": [{"name": f"w{i}"} for i in range(33)]},
            "at most 32 items",
        ),
        ("EService", {"spec.registration": None}, "spec.registration: Required value"),
        ("EService", {"spec": None}, "spec: Required value"),
        ("EService", {"spec.workload.hostNetwork": True}, 'unknown field "spec.workload.hostNetwork"'),
        ("EService", {"spec.workload.replicas": "2"}, "must be of type integer"),
    ],
)
async def test_the_schema_refuses(api: KubeApi, kind: str, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Invalid) as refused:
        await dry_create(api, changed(example(kind), changes))
    assert complaint in refused.value.message


async def test_nulls_are_pruned_before_the_operator_reads(api: KubeApi) -> None:
    nulls = {"spec.workload": {"port": 8080, "resources": {}}, "spec.publication.support": {}}
    obj = changed(example("EService"), nulls)
    obj["spec"]["workload"] |= {"replicas": None, "probes": None, "env": None, "autoscaling": None}
    obj["spec"]["productionRequest"] = None
    answer = await dry_create(api, obj)
    assert answer["spec"]["workload"]["replicas"] == 2
    assert "null" not in json.dumps(answer)
    assert not isinstance(parse("EService", answer), InvalidObject)


async def test_a_version_has_two_writers(api: KubeApi) -> None:
    """The list is a map by version, so an instruction can be published without the whole template."""
    template = example("EServiceTemplate")
    made = await api.apply(template, field_manager="git", force=False)
    instruction = {"url": "https://docs.agency.example/3.1.0", "published": "2026-11-22"}
    partial = {key: template[key] for key in ("apiVersion", "kind", "metadata")} | {
        "spec": {"versions": [{"version": "3.1.0", "migrationInstruction": instruction}]}
    }
    try:
        answer = await api.apply(partial, field_manager="release-desk", force=False)
        again = await api.apply(template, field_manager="git", force=False)
    finally:
        await api.delete(ref_of(made), uid=made["metadata"]["uid"])
    for obj in (answer, again):
        versions = {version["version"]: version for version in obj["spec"]["versions"]}
        assert len(versions) == len(template["spec"]["versions"])
        assert versions["3.1.0"] == {
            "version": "3.1.0",
            "released": "2026-09-07",
            "migrationInstruction": instruction,
        }
