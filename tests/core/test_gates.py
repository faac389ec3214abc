# SPDX-License-Identifier: Apache-2.0
"""Every gate and every reason, one fact changed at a time (the table in product.md)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from eservice_operator.api.delivery import DocumentKind
from eservice_operator.api.gates import GateOwner
from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.core.facts import Facts
from eservice_operator.core.gates import GATES_IN_PRODUCTION, blocks_install, check_all
from eservice_operator.core.hosts import host_matches
from eservice_operator.core.releases import snapshot_of
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Blocks, Unmet
from eservice_operator.core.world import World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import HOST, NAME, NAMESPACE, NOW, SECOND, TEMPLATE, act, at, image, verification

INSTALLED_BELOW = {Gate.INSTALLED}
"""What a world without children lacks."""
OURS = {"namespace": NAMESPACE, "name": NAME}
TWO = {"template": {"version": "2.0.0"}}


def unmet(world: World, now: datetime = NOW) -> dict[Gate, Unmet]:
    """The gates that the release of the spec does not pass, but for Installed."""
    facts = Facts(world, now, worlds.POLICY)
    found = check_all(facts, Subject(snapshot_of(world.service), wanted=True))
    return {entry.gate: entry for entry in found if entry.gate is not Gate.INSTALLED}


def only(world: World, now: datetime = NOW) -> tuple[Gate, Reason]:
    """The one gate that is not passed, and why."""
    (entry,) = unmet(world, now).values()
    assert entry.message
    return entry.gate, entry.reason


def service(**spec: Any) -> dict[str, Any]:
    return worlds.eservice(spec=spec)


def registered(**patch: Any) -> dict[str, Any]:
    return worlds.registration(**patch)


def test_an_e_service_in_order_lacks_nothing() -> None:
    assert not unmet(worlds.world())


def test_every_gate_of_production_is_reported_in_its_order() -> None:
    bare = worlds.eservice(
        spec={
            "release": {"source": None},
            "productionRequest": None,
            "uses": [{"name": "persons", "webService": {"namespace": "ur", "name": "register"}}],
            "publication": {"hosts": ["elsewhere.example"], "support": None},
        }
    )
    world = worlds.world(bare, templates=[], registered=False, acts=[], verifications=[])
    found = check_all(Facts(world, NOW, worlds.POLICY), Subject(snapshot_of(world.service), wanted=True))
    assert [entry.gate for entry in found] == [
        gate for gate in Gate if gate is not Gate.TEMPLATE_WITHIN_LIMIT
    ]
    assert len(GATES_IN_PRODUCTION) == len(Gate)
    assert blocks_install(found)
    published = [entry.gate for entry in found if entry.blocks is Blocks.PUBLISH]
    assert published == [Gate.INSTALLED, Gate.HOST_ALLOWED, Gate.CATALOGUED, Gate.VERIFIED]


# Registered (R1)

REGISTERED_TRUE = worlds.condition("Registered", "Registered")
REGISTERED_FALSE = worlds.condition("Registered", "IdentifierTaken", "False", "EP-000001 is taken")
READY_PLACE = {"environment": "Production", "name": NAMESPACE, "state": "Ready"}


@pytest.mark.parametrize(
    "registration,reason",
    [
        (False, Reason.REGISTRATION_NOT_FOUND),
        (registered(spec={"namespaces": []}), Reason.NAMESPACE_NOT_REGISTERED),
        (
            registered(spec={"namespaces": [{"environment": "Production", "name": "other"}]}),
            Reason.NAMESPACE_NOT_REGISTERED,
        ),
        (
            registered(spec={"namespaces": [{"environment": "Test", "name": NAMESPACE}]}),
            Reason.NAMESPACE_NOT_REGISTERED,
        ),
        (registered(status={"conditions": []}), Reason.REGISTRATION_NOT_READY),
        (registered(status={"conditions": [REGISTERED_FALSE]}), Reason.REGISTRATION_NOT_READY),
        (registered(status={"namespaces": []}), Reason.NAMESPACE_NOT_ONBOARDED),
        (
            registered(status={"namespaces": [READY_PLACE | {"state": "NotOnboarded", "message": "wait"}]}),
            Reason.NAMESPACE_NOT_ONBOARDED,
        ),
        (
            registered(status={"namespaces": [READY_PLACE | {"state": "Terminating"}]}),
            Reason.NAMESPACE_NOT_ONBOARDED,
        ),
        (
            registered(status={"namespaces": [READY_PLACE | {"name": "what-it-was-before"}]}),
            Reason.NAMESPACE_NOT_ONBOARDED,
        ),
    ],
)
def test_registered(registration: dict[str, Any] | bool, reason: Reason) -> None:
    world = worlds.world(registered=registration)
    found = unmet(world)
    assert found[Gate.REGISTERED].reason is reason
    assert found[Gate.REGISTERED].owner is GateOwner.AGENCY
    assert set(found) <= {Gate.REGISTERED, Gate.HOST_ALLOWED}


def test_registered_reads_the_domain_condition_and_never_ready() -> None:
    not_ready = worlds.condition("Ready", "Progressing", "False", "another namespace is being made")
    assert not unmet(worlds.world(registered=registered(status={"conditions": [not_ready, REGISTERED_TRUE]})))


def test_one_e_service_stands_for_a_registration_and_an_environment() -> None:
    senior = worlds.eservice(metadata={"name": "first", "uid": "first"})
    world = worlds.world(senior=senior)
    assert only(world) == (Gate.REGISTERED, Reason.ALREADY_TAKEN)
    assert f"{NAMESPACE}/first" in unmet(world)[Gate.REGISTERED].message


# TemplateSupported (R7, R8)


def with_versions(*more: dict[str, Any], **lifecycle: Any) -> list[dict[str, Any]]:
    return [worlds.template((*worlds.VERSIONS, *more), lifecycle=lifecycle)]


def on(version: str, **more: Any) -> World:
    """The e-service on another version, with the act and the verification that belong to it."""
    spec = {"template": {"version": version}}
    templates = more.pop("templates", None) or with_versions()
    return worlds.world(
        worlds.eservice(spec=spec),
        templates=templates,
        acts=[act(spec=spec)],
        verifications=[verification(spec=spec)],
        **more,
    )


@pytest.mark.parametrize(
    "version,templates,reason",
    [
        ("3.0.0", [worlds.template(metadata={"name": "another"})], Reason.TEMPLATE_UNKNOWN),
        ("9.9.9", with_versions(), Reason.TEMPLATE_VERSION_UNKNOWN),
        ("2.0.0", with_versions(), Reason.TEMPLATE_OVERDUE),
        (
            "3.1.0",
            with_versions(worlds.version("3.1.0", "2026-01-01", "2026-01-01", at="2026-10-13")),
            Reason.TEMPLATE_VERSION_WITHDRAWN,
        ),
        (
            "3.1.0-rc.1",
            with_versions(worlds.version("3.1.0-rc.1", "2026-01-01")),
            Reason.TEMPLATE_VERSION_PRERELEASE,
        ),
    ],
)
def test_template_supported(version: str, templates: list[dict[str, Any]], reason: Reason) -> None:
    assert only(on(version, templates=templates)) == (Gate.TEMPLATE_SUPPORTED, reason)


@pytest.mark.parametrize(
    "version,templates",
    [
        ("2.0.0", with_versions(enforcement="Warn")),
        ("2.0.0", with_versions(enforcement="Observe")),
        ("2.0.0", with_versions(enforceFrom="2026-10-14")),
        ("2.0.0", with_versions(maximumLag="P20M")),
        ("3.1.0", with_versions(worlds.version("3.1.0", "2026-01-01", "2026-01-01", at="2026-10-14"))),
        ("3.1.0", with_versions(worlds.version("3.1.0", "2026-01-01"))),
    ],
    ids=[
        "warn",
        "observe",
        "enforced tomorrow",
        "exactly the maximum",
        "withdrawn tomorrow",
        "no instruction",
    ],
)
def test_template_supported_is_passed(version: str, templates: list[dict[str, Any]]) -> None:
    assert Gate.TEMPLATE_SUPPORTED not in unmet(on(version, templates=templates))


def test_enforcement_begins_with_its_day() -> None:
    world = on("2.0.0", templates=with_versions(enforceFrom="2026-10-14"))
    assert Gate.TEMPLATE_SUPPORTED not in unmet(world, at("2026-10-14", "00:00") - SECOND)
    assert Gate.TEMPLATE_SUPPORTED in unmet(world, at("2026-10-14", "00:00"))


def test_the_test_environment_takes_pre_releases_and_overdue_versions_and_nothing_withdrawn() -> None:
    more = (
        worlds.version("3.1.0-rc.1", "2026-01-01"),
        worlds.version("3.2.0", "2026-01-01", "2026-01-01", at="2026-10-13"),
    )
    verdicts = {}
    for version in ("2.0.0", "3.1.0-rc.1", "3.2.0"):
        body = worlds.eservice_in_test(spec={"template": {"version": version}})
        verdicts[version] = set(unmet(worlds.world(body, templates=with_versions(*more))))
    assert verdicts == {"2.0.0": set(), "3.1.0-rc.1": set(), "3.2.0": {Gate.TEMPLATE_SUPPORTED}}


def test_a_security_fix_on_the_overdue_version_in_public_use_goes_out() -> None:
    cluster = PureCluster()
    cluster.put(worlds.template(lifecycle={"enforcement": "Warn"}), registered(), service(**TWO))
    cluster.put(act(spec=TWO), verification(spec=TWO))
    cluster.settle(NOW)
    fix = {"release": {"image": image("b")}}
    cluster.edit_service(**fix)
    cluster.put(act("act-b", spec=TWO | {"image": image("b")}))
    cluster.edit(
        ("EServiceTemplate", "", TEMPLATE),
        spec={"lifecycle": {"enforcement": "Enforce", "enforceFrom": "2026-10-14"}},
    )
    cluster.put(worlds.deferral("2026-11-30"))
    cluster.settle(at("2026-10-20"))
    assert cluster.gates() == [Gate.VERIFIED], "the same template version as the public one"
    assert cluster.replicas() == {"a": 2, "b": 1}
    cluster.put(verification("passed-b", spec=TWO | {"image": image("b")}))
    cluster.settle(at("2026-10-20"))
    assert cluster.public_letter() == "b"
    assert cluster.routed()


# DeliveryComplete (R4)

DOCUMENTS = worlds.eservice()["spec"]["release"]["documents"]


@pytest.mark.parametrize(
    "release,missing",
    [
        ({"source": None}, "source with revision"),
        ({"image": "registry.example/pmlp/address:1.0"}, "image by digest"),
        *(
            (
                {"documents": [document for document in DOCUMENTS if document["kind"] != kind.value]},
                f"document {kind.value}",
            )
            for kind in DocumentKind
        ),
        (
            {"webServices": [{"name": "check", "documents": [DOCUMENTS[4]]}]},
            "RequirementsSpecification of web service check",
        ),
        (
            {"webServices": [{"name": "check", "documents": [DOCUMENTS[3]]}]},
            "DesignDescription of web service check",
        ),
    ],
)
def test_delivery_complete(release: dict[str, Any], missing: str) -> None:
    found = unmet(worlds.world(service(release=release)))[Gate.DELIVERY_COMPLETE]
    assert found.reason is Reason.DELIVERY_INCOMPLETE
    assert found.message.endswith(f"lacks: {missing}")


def test_a_web_service_made_within_needs_its_own_two_documents_and_no_more() -> None:
    delivered = {"webServices": [{"name": "check", "documents": DOCUMENTS[3:]}]}
    assert not unmet(worlds.world(service(release=delivered)))


# Accepted (R2)


def revoked(day: str) -> dict[str, Any]:
    return {"revoked": {"at": day, "reason": "a mistake"}}


@pytest.mark.parametrize(
    "acts,reason",
    [
        ([], Reason.AWAITING_ACCEPTANCE),
        ([act(spec={"image": image("b")})], Reason.AWAITING_ACCEPTANCE),
        ([act(spec={"template": {"version": "2.0.0"}})], Reason.AWAITING_ACCEPTANCE),
        ([act(spec={"template": {"name": "another"}})], Reason.AWAITING_ACCEPTANCE),
        ([act(spec={"eService": OURS | {"name": "another"}})], Reason.AWAITING_ACCEPTANCE),
        ([act(spec={"eService": OURS | {"namespace": "another"}})], Reason.AWAITING_ACCEPTANCE),
        ([act(spec=revoked("2026-10-13"))], Reason.ACT_REVOKED),
        ([act(spec=revoked("2020-01-01"))], Reason.ACT_REVOKED),
    ],
)
def test_accepted(acts: list[dict[str, Any]], reason: Reason) -> None:
    assert only(worlds.world(acts=acts)) == (Gate.ACCEPTED, reason)


@pytest.mark.parametrize(
    "acts",
    [
        [act(spec={"image": image("a", "mirror.example:5000/moved/elsewhere")})],
        [act(spec=revoked("2026-10-14"))],
        [act("revoked", spec=revoked("2026-10-02")), act("anew", spec={"signedAt": "2026-10-03"})],
        [act("anew"), act("revoked", spec=revoked("2026-10-02"))],
    ],
    ids=["moved repository", "revoked tomorrow", "signed anew", "in any order"],
)
def test_accepted_is_passed(acts: list[dict[str, Any]]) -> None:
    assert not unmet(worlds.world(acts=acts))


def test_a_revocation_begins_with_its_day() -> None:
    world = worlds.world(acts=[act(spec=revoked("2026-10-14"))])
    assert not unmet(world, at("2026-10-14", "00:00") - SECOND)
    assert only(world, at("2026-10-14", "00:00")) == (Gate.ACCEPTED, Reason.ACT_REVOKED)


# Requested (R4)


def test_requested() -> None:
    assert only(worlds.world(service(productionRequest=None))) == (Gate.REQUESTED, Reason.REQUEST_MISSING)
    early = service(productionRequest={"requestedAt": "2026-09-30"})
    assert only(worlds.world(early)) == (Gate.REQUESTED, Reason.REQUEST_BEFORE_ACT)


def test_requested_on_the_day_of_the_signature_is_passed() -> None:
    same_day = service(productionRequest={"requestedAt": "2026-10-01"})
    assert not unmet(worlds.world(same_day))


def test_an_act_signed_again_later_does_not_undo_a_request_that_was_in_time() -> None:
    later = act(
        "later",
        metadata={"creationTimestamp": "2026-10-10T08:00:00Z"},
        spec={"signedAt": "2026-10-10"},
    )
    assert not unmet(worlds.world(acts=[act(), later]))


# AccessGranted (R3)


@pytest.mark.parametrize("environment", ["Production", "Test"])
def test_nothing_is_granted_before_grants_exist(environment: str) -> None:
    use = {"name": "persons", "webService": {"namespace": "ur", "name": "register"}, "contractVersion": "v5"}
    body = (
        service(uses=[use]) if environment == "Production" else worlds.eservice_in_test(spec={"uses": [use]})
    )
    world = worlds.world(body)
    assert only(world) == (Gate.ACCESS_GRANTED, Reason.ACCESS_NOT_GRANTED)
    assert unmet(world)[Gate.ACCESS_GRANTED].owner is GateOwner.HOLDER
    assert "ur/register v5" in unmet(world)[Gate.ACCESS_GRANTED].message


# Installed (R5)


@pytest.mark.parametrize(
    "status,reason",
    [
        (None, Reason.AWAITING_INSTALLATION),
        ({}, Reason.AWAITING_PODS),
        (
            {"availableReplicas": 1, "conditions": [{"type": "Available", "status": "False"}]},
            Reason.AWAITING_PODS,
        ),
        (
            {"availableReplicas": 0, "conditions": [{"type": "Available", "status": "True"}]},
            Reason.AWAITING_PODS,
        ),
        (
            {
                "observedGeneration": 1,
                "conditions": [
                    {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
                ],
            },
            Reason.ROLLOUT_FAILED,
        ),
        (
            {
                "observedGeneration": 0,
                "conditions": [
                    {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
                ],
            },
            Reason.AWAITING_PODS,
        ),
        ({"availableReplicas": 1, "conditions": [{"type": "Available", "status": "True"}]}, None),
    ],
)
def test_installed(status: dict[str, Any] | None, reason: Reason | None) -> None:
    world = worlds.world()
    children = [] if status is None else [worlds.deployment_of(world.service, status=status)]
    facts = Facts(worlds.world(children=children), NOW, worlds.POLICY)
    found = check_all(facts, Subject(facts.wanted, wanted=True))
    assert [entry.reason for entry in found] == ([] if reason is None else [reason])


# HostAllowed (R1)


def hosts(*patterns: str, environment: str = "Production") -> dict[str, Any]:
    return registered(spec={"hosts": [{"environment": environment, "host": pattern} for pattern in patterns]})


@pytest.mark.parametrize(
    "registration,passed",
    [
        (hosts(HOST), True),
        (hosts("*.latvija.example"), True),
        (hosts("other.example", HOST), True),
        (hosts(), False),
        (hosts("*.lv.example"), False),
        (hosts("latvija.example"), False),
        (hosts("*.address.latvija.example"), False),
        (hosts(HOST, environment="Test"), False),
    ],
)
def test_host_allowed(registration: dict[str, Any], passed: bool) -> None:
    found = unmet(worlds.world(registered=registration))
    assert set(found) == (set() if passed else {Gate.HOST_ALLOWED})
    assert passed or found[Gate.HOST_ALLOWED].reason is Reason.HOST_NOT_REGISTERED


@pytest.mark.parametrize(
    "pattern,host,covered",
    [
        ("a.example.lv", "a.example.lv", True),
        ("*.example.lv", "a.example.lv", True),
        ("*.example.lv", "b.a.example.lv", False),
        ("*.example.lv", "example.lv", False),
        ("*.example.lv", ".example.lv", False),
        ("*.example.lv", "aexample.lv", False),
        ("example.lv", "a.example.lv", False),
    ],
)
def test_a_wildcard_stands_for_exactly_one_label(pattern: str, host: str, covered: bool) -> None:
    assert host_matches(pattern, host) is covered


def test_every_host_has_to_be_allowed() -> None:
    both = service(publication={"hosts": [HOST, "second.latvija.example"]})
    assert only(worlds.world(both)) == (Gate.HOST_ALLOWED, Reason.HOST_NOT_REGISTERED)


def test_a_host_that_somebody_else_serves_is_reported() -> None:
    world = worlds.world(claims=[(HOST, "HTTPRoute elsewhere/route")])
    assert only(world) == (Gate.HOST_ALLOWED, Reason.HOST_CONFLICT)
    assert unmet(world)[Gate.HOST_ALLOWED].message == f"{HOST} is served by HTTPRoute elsewhere/route"
    assert not unmet(worlds.world(claims=[("another.example", "HTTPRoute elsewhere/route")]))


# Catalogued (R4)


@pytest.mark.parametrize(
    "publication,missing",
    [
        ({"catalogue": {"url": None}}, "catalogue.url"),
        ({"catalogue": {"title": {"lv": None, "en": "Declaration"}}}, "catalogue.title.lv"),
        ({"catalogue": {"description": None}}, "catalogue.description.lv"),
        ({"support": None}, "support.email or support.phone"),
    ],
)
def test_catalogued(publication: dict[str, Any], missing: str) -> None:
    found = unmet(worlds.world(service(publication=publication)))[Gate.CATALOGUED]
    assert found.reason is Reason.CATALOGUE_INCOMPLETE
    assert found.message.endswith(f"lacks: {missing}")


def test_a_telephone_number_is_a_support_contact() -> None:
    assert not unmet(worlds.world(service(publication={"support": {"email": None, "phone": "+371 1"}})))


# Verified (R6)


def checked(name: str, created: str, outcome: str = "Passed", **spec: Any) -> dict[str, Any]:
    return verification(name, metadata={"creationTimestamp": created}, spec={"outcome": outcome} | spec)


OLDER, NEWER = "2026-10-12T08:00:00Z", "2026-10-12T09:00:00Z"


@pytest.mark.parametrize(
    "verifications,reason",
    [
        ([], Reason.AWAITING_VERIFICATION),
        ([checked("v", OLDER, image=image("b"))], Reason.AWAITING_VERIFICATION),
        ([checked("v", OLDER, template={"version": "2.0.0"})], Reason.AWAITING_VERIFICATION),
        ([checked("v", OLDER, eService="another")], Reason.AWAITING_VERIFICATION),
        ([checked("v", OLDER, "Failed")], Reason.VERIFICATION_FAILED),
        ([checked("v", OLDER), checked("w", NEWER, "Failed")], Reason.VERIFICATION_FAILED),
        ([checked("w", NEWER, "Failed"), checked("v", OLDER)], Reason.VERIFICATION_FAILED),
        ([checked("a", OLDER), checked("b", OLDER, "Failed")], Reason.VERIFICATION_FAILED),
        ([checked("v", OLDER, verifiedAt="2026-10-13T09:00:01Z")], Reason.VERIFICATION_NOT_VALID),
        ([checked("v", OLDER, verifiedAt="2026-10-04T20:59:59Z")], Reason.VERIFICATION_NOT_VALID),
    ],
)
def test_verified(verifications: list[dict[str, Any]], reason: Reason) -> None:
    assert only(worlds.world(verifications=verifications)) == (Gate.VERIFIED, reason)


@pytest.mark.parametrize(
    "verifications",
    [
        [checked("v", OLDER, image=image("a", "mirror.example/moved"))],
        [checked("v", OLDER, "Failed"), checked("w", NEWER)],
        [checked("b", OLDER), checked("a", OLDER, "Failed")],
        [checked("v", OLDER), checked("w", NEWER, "Failed", verifiedAt="2026-10-13T09:00:01Z")],
        [checked("v", OLDER), checked("w", NEWER, "Failed", verifiedAt="2026-10-04T20:59:59Z")],
        [checked("v", OLDER), checked("w", NEWER, "Failed", image=image("b"))],
        [checked("v", OLDER, verifiedAt="2026-10-13T09:00:00Z")],
        [checked("v", OLDER, verifiedAt="2026-10-04T21:00:00Z")],
    ],
    ids=[
        "moved repository",
        "the newest counts",
        "then the name",
        "in the future does not count",
        "before the request does not count",
        "another release",
        "this very second",
        "the first instant of the day of the request",
    ],
)
def test_verified_is_passed(verifications: list[dict[str, Any]]) -> None:
    assert not unmet(worlds.world(verifications=verifications))


def test_for_a_release_that_the_spec_does_not_name_any_request_is_past() -> None:
    world = worlds.world(verifications=[checked("v", OLDER, verifiedAt="2025-01-01T00:00:00Z")])
    facts = Facts(world, NOW, worlds.POLICY)
    verdicts = [check_all(facts, Subject(facts.wanted, wanted=wanted)) for wanted in (True, False)]
    assert [Gate.VERIFIED in {entry.gate for entry in found} for found in verdicts] == [True, False]


# TemplateWithinLimit (R8)


@pytest.mark.parametrize(
    "status,blocked",
    [
        ({"state": "Effective"}, True),
        ({"state": "Scheduled"}, True),
        ({"state": "Held"}, True),
        ({"state": "Closed"}, False),
    ],
)
def test_template_within_limit(status: dict[str, str], blocked: bool) -> None:
    due = worlds.decision(spec={"effectiveAt": "2026-10-12T21:00:00Z"}, status=status)
    found = unmet(on("2.0.0", decisions=[due]))
    assert (Gate.TEMPLATE_WITHIN_LIMIT in found) is blocked
    assert Gate.TEMPLATE_WITHIN_LIMIT not in unmet(worlds.world(decisions=[due])), "another version is free"


def test_a_decision_that_is_not_due_blocks_nothing() -> None:
    world = on("2.0.0", decisions=[worlds.decision()])
    due = at("2026-11-01", "00:00")
    assert Gate.TEMPLATE_WITHIN_LIMIT not in unmet(world, due - SECOND)
    assert Gate.TEMPLATE_WITHIN_LIMIT in unmet(world, due)


def test_the_test_environment_asks_for_five_gates_only() -> None:
    bare = worlds.eservice_in_test(spec={"registration": NAME})
    assert not unmet(worlds.world(bare, acts=[], verifications=[]))
