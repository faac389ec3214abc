# SPDX-License-Identifier: Apache-2.0
"""The samples: accepted as they are, true to each other, and fit for the story that they tell."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from eservice_operator.api.base import Model
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.parse import parse
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest, ref_of
from tests.contract.apiserver import dry_create, kubectl
from tests.contract.manifests import SAMPLES, base_samples, changed, demo_samples, example

if TYPE_CHECKING:
    from controlplane import Cluster

EVERY = (*base_samples(), *demo_samples())
WRITTEN_ON = date(2026, 11, 22)
PATCH = SAMPLES / "demo" / "60-instruction.patch.yaml"
PUBLIC_IN_PRODUCTION = {"pmlp-production", "vid-production", "rezekne-production"}


def of_kind(kind: str, objects: tuple[Manifest, ...] = EVERY) -> list[Manifest]:
    return [obj for obj in objects if obj["kind"] == kind]


def named(obj: Manifest) -> str:
    return "/".join((obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))


def release(spec: dict[str, Any]) -> tuple[str, str, str]:
    """What acts and verifications name: the image, the template and its version."""
    image = spec["release"]["image"] if "release" in spec else spec["image"]
    return image, spec["template"]["name"], spec["template"]["version"]


@pytest.mark.cluster
def test_one_command_applies_all_of_them(cluster: Cluster) -> None:
    applied = kubectl(cluster, "apply", "--dry-run=client", "--validate=strict", "-f", str(SAMPLES))
    assert len(applied.splitlines()) == len(base_samples())


@pytest.mark.cluster
@pytest.mark.parametrize("obj", EVERY, ids=named)
async def test_the_apiserver_accepts_each(api: KubeApi, obj: Manifest) -> None:
    """With strict validation, and without keeping it; under another name, in case that it is there."""
    elsewhere = changed(obj, {"metadata.name": f"contract-{obj['metadata']['name']}"})
    if "namespace" in obj["metadata"]:
        elsewhere["metadata"]["namespace"] = "default"
    await dry_create(api, elsewhere)


@pytest.mark.cluster
async def test_the_patch_of_the_story_publishes_the_instruction(cluster: Cluster, api: KubeApi) -> None:
    made = await api.create(example("EServiceTemplate"))
    name = made["metadata"]["name"]
    try:
        kubectl(cluster, "patch", "esvct", name, "--type=json", "--patch-file", str(PATCH))
        patched = await api.get(ref_of(made))
    finally:
        await api.delete(ref_of(made), uid=made["metadata"]["uid"])
    assert patched is not None
    assert patched["spec"]["versions"][4]["migrationInstruction"]["published"] == WRITTEN_ON.isoformat()


@pytest.mark.parametrize("obj", [obj for obj in EVERY if obj["kind"] in BY_KIND], ids=named)
def test_the_operator_reads_each(obj: Manifest) -> None:
    assert isinstance(parse(obj["kind"], obj), Model)


def test_every_kind_that_people_write_has_a_sample() -> None:
    written_by_the_operator = {"UnpublishDecision", "EServiceIdentifier"}
    assert {obj["kind"] for obj in EVERY} - {"Namespace", "Service"} == set(BY_KIND) - written_by_the_operator


def test_each_e_service_is_where_its_registration_says() -> None:
    registrations = {obj["metadata"]["name"]: obj["spec"] for obj in of_kind("EServiceRegistration")}
    for service in of_kind("EService"):
        spec = service["spec"]
        registration = registrations[spec["registration"]]
        place = {"environment": spec["environment"], "name": service["metadata"]["namespace"]}
        assert place in registration["namespaces"], named(service)
        patterns = [
            re.escape(entry["host"]).replace(r"\*", "[^.]+")
            for entry in registration["hosts"]
            if entry["environment"] == spec["environment"]
        ]
        for host in spec["publication"]["hosts"]:
            assert any(re.fullmatch(pattern, host) for pattern in patterns), host


def test_each_host_has_one_e_service() -> None:
    hosts = [
        host for obj in of_kind("EService", base_samples()) for host in obj["spec"]["publication"]["hosts"]
    ]
    assert len(hosts) == len(set(hosts))


def test_each_namespace_belongs_to_the_institution() -> None:
    labelled = {obj["metadata"]["name"]: obj["metadata"]["labels"] for obj in of_kind("Namespace")}
    registered = {
        entry["name"]: (obj["spec"]["institution"]["code"], entry["environment"].lower())
        for obj in of_kind("EServiceRegistration")
        for entry in obj["spec"]["namespaces"]
    }
    held = {
        obj["metadata"]["namespace"]: (obj["spec"]["holder"]["code"], obj["spec"]["environment"].lower())
        for obj in of_kind("WebService")
    }
    assert set(labelled) == {*registered, *held}
    for name, labels in labelled.items():
        places = {of[name] for of in (registered, held) if name in of}
        assert len(places) == 1, name
        ((code, environment),) = places
        assert labels["eservice.dev/institution"] == code
        wanted = environment if name not in registered else None  # the operator labels those itself
        assert labels.get("eservice.dev/environment") == wanted, name


@pytest.mark.parametrize("objects", [base_samples(), demo_samples()], ids=["base", "demo"])
def test_each_release_in_production_is_accepted_and_verified(objects: tuple[Manifest, ...]) -> None:
    """And the days are in order: test, act, request, verification, the day the samples were written."""
    for service in of_kind("EService", objects):
        spec = service["spec"]
        if spec["environment"] != "Production":
            continue
        where = {key: service["metadata"][key] for key in ("namespace", "name")}
        (act,) = (
            obj["spec"] for obj in of_kind("AcceptanceAct", objects) if obj["spec"]["eService"] == where
        )
        (check,) = (
            obj["spec"]
            for obj in of_kind("ProductionVerification", objects)
            if obj["metadata"]["namespace"] == where["namespace"] and obj["spec"]["eService"] == where["name"]
        )
        assert release(spec) == release(act) == release(check)
        days = [
            act["testPeriod"]["from"],
            act["testPeriod"]["to"],
            act["signedAt"],
            spec["productionRequest"]["requestedAt"],
            check["verifiedAt"][:10],
            (WRITTEN_ON - timedelta(days=1)).isoformat(),
        ]
        assert days == sorted(days), named(service)


def test_three_are_public_in_production() -> None:
    public = [obj for obj in of_kind("EService") if obj["spec"]["environment"] == "Production"]
    assert {obj["metadata"]["namespace"] for obj in public} == PUBLIC_IN_PRODUCTION


WAITS = "EService/ur-test/company-extract"
"""Nobody has answered this one: what a request looks like."""


def test_each_use_is_granted_in_the_same_samples_but_for_one_that_waits() -> None:
    web_services = {
        (obj["metadata"]["namespace"], obj["metadata"]["name"]): obj["spec"] for obj in of_kind("WebService")
    }
    for service in of_kind("EService"):
        for use in service["spec"].get("uses", ()):
            asked = use["webService"]
            offered = web_services[asked["namespace"], asked["name"]]
            assert offered["environment"] == service["spec"]["environment"], named(service)
            soap_itself = offered["protocol"] == "SOAP" and "agent" not in use
            assert ("contractVersion" in use) == soap_itself, named(service)
            assert answered(service, use) == (named(service) != WAITS), named(service)


def answered(service: Manifest, use: dict[str, Any]) -> bool:
    """Whether a grant names the e-service and the version, or an assignment its institution."""
    asked, place = use["webService"], {key: service["metadata"][key] for key in ("namespace", "name")}
    if "agent" in use:
        (assignment,) = (obj for obj in of_kind("AgentAssignment") if obj["metadata"]["name"] == use["agent"])
        spec = assignment["spec"]
        listed = {customer["code"] for customer in (*spec["pilotCustomers"], *spec["customers"])}
        (registration,) = (
            obj["spec"]
            for obj in of_kind("EServiceRegistration")
            if obj["metadata"]["name"] == service["spec"]["registration"]
        )
        return registration["institution"]["code"] in listed
    return any(
        grant["metadata"]["namespace"] == asked["namespace"]
        and grant["spec"]["webService"] == asked["name"]
        and place.items() <= grant["spec"]["consumer"].items()
        and {one["version"] for one in grant["spec"].get("contractVersions", ())}
        == {use[key] for key in ("contractVersion",) if key in use}
        for grant in of_kind("WebServiceGrant")
    )


def test_soap_in_production_has_its_evidence_and_its_test() -> None:
    """R10: each version for itself; one is tested in this cluster, one in another."""
    proofs = []
    for grant in of_kind("WebServiceGrant"):
        if grant["metadata"]["namespace"] != "pmlp-production":
            continue
        (service,) = (
            obj
            for obj in of_kind("EService", base_samples())
            if all(obj["metadata"][key] == grant["spec"]["consumer"][key] for key in ("namespace", "name"))
        )
        registration = service["spec"]["registration"]
        for entry in grant["spec"]["contractVersions"]:
            assert set(entry["evidence"]) == {"selfDeclaration", "endToEnd"}
            tested = [
                obj["kind"]
                for obj in (*of_kind("ConnectionTest"), *of_kind("EService"))
                if obj["spec"]["registration"] == registration
                and (
                    obj["spec"].get("contractVersion") == entry["version"]
                    or any(
                        use["webService"]["namespace"] == "pmlp-test"
                        and use.get("contractVersion") == entry["version"]
                        for use in obj["spec"].get("uses", ())
                    )
                )
            ]
            assert len(tested) == 1, named(grant)
            proofs += tested
    assert sorted(proofs) == ["ConnectionTest", "EService"]


def test_the_patch_publishes_what_makes_2_0_0_overdue_and_leaves_3_0_0_in_time() -> None:
    """18 months from a release, as in the table of the README."""
    (template,) = of_kind("EServiceTemplate")
    released = {entry["version"]: entry["released"] for entry in template["spec"]["versions"]}
    test, add = yaml.safe_load(PATCH.read_text())
    index = int(test["path"].split("/")[3])
    assert template["spec"]["versions"][index]["version"] == test["value"] == "3.1.0"
    assert "migrationInstruction" not in template["spec"]["versions"][index]
    assert add["value"]["published"] == WRITTEN_ON.isoformat()
    assert released["2.0.0"] == "2024-11-04"
    assert released["3.0.0"] <= "2026-05-04" < released["3.1.0"] <= "2027-07-12"
    assert released["3.0.0"] == "2026-01-12"


def test_the_readme_names_each_file() -> None:
    readme = (SAMPLES / "README.md").read_text()
    files = [file.name for file in SAMPLES.rglob("*.yaml")]
    assert [name for name in files if f"`{name}`" not in readme] == []
