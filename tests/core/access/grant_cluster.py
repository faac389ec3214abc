# SPDX-License-Identifier: Apache-2.0
"""A cluster in memory for the life of grants: people's objects, and what the operator makes of them.

Every round decides about each grant on what is there, carries that out, and writes the status. The consumers'
side (bindings) is done by the test in the place of the EService's own decision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.eservice import EService
from eservice_operator.api.grant import GrantState, WebServiceGrant, WebServiceGrantStatus
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.case import Consumer, GrantCase, Offer, Pods
from eservice_operator.core.access.granting import GrantDecision, decide_grant, grant_status
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Standing, Times
from eservice_operator.core.access.walls import versions_in
from eservice_operator.core.access.worlds import Copied, GrantWorld
from eservice_operator.core.actions import Action, Create, Delete, Manifest, Outcome, SetFinalizer, Update
from eservice_operator.core.dates import instant
from eservice_operator.core.policy import Policy
from eservice_operator.core.world import Observed
from tests.support import access, worlds
from tests.support.pure_cluster import Place, place_of, plain, status_body
from tests.support.status import assert_status_sound

ROUNDS = 8
CHILDREN = ("NetworkPolicy", "Role", "RoleBinding")


@dataclass
class GrantCluster:
    """Everything that grants depend on, and what they made."""

    objects: dict[Place, Manifest] = field(default_factory=dict)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    pods: dict[str, Pods] = field(default_factory=dict)
    """By the place of the WebService."""
    log: list[Action] = field(default_factory=list)
    bindings_follow: bool = True
    """Whether the consumer's side does its part."""
    copied: Copied | None = None
    policy: Policy = worlds.POLICY
    _uids: Iterator[int] = field(default_factory=lambda: count(1))

    # what people do

    def put(self, *manifests: Manifest) -> None:
        """Create or replace objects; the generation counts changes of spec."""
        for manifest in manifests:
            place, new = place_of(manifest), plain(manifest)
            old = self.objects.get(place)
            if old is not None:
                moved = int(old["spec"] != new["spec"])
                new["metadata"] = old["metadata"] | {"generation": old["metadata"]["generation"] + moved}
                new["status"] = old["status"]
            self.objects[place] = new
            if manifest["kind"] == "WebService":
                namespace, name = place[1], place[2]
                self.namespaces.setdefault(namespace, access.labels(manifest))
                self.pods.setdefault(f"{namespace}/{name}", replace(access.PODS, namespace=namespace))

    def edit(self, place: Place, **patch: Any) -> None:
        """Change an object, as ``kubectl patch`` does."""
        self.put(worlds.merged(self.objects[place], patch))

    def remove(self, place: Place) -> None:
        """Delete an object; one with finalizers waits for them, and its dependents go with it."""
        body = self.objects[place]
        if body["metadata"].get("finalizers"):
            body["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
            return
        del self.objects[place]
        for other, dependent in list(self.objects.items()):
            owners = dependent["metadata"].get("ownerReferences") or ()
            if any(owner["uid"] == body["metadata"]["uid"] for owner in owners):
                self.remove(other)

    # what there is

    def of_kind(self, kind: str) -> dict[Place, Manifest]:
        """All objects of a kind, by place."""
        return {place: body for place, body in sorted(self.objects.items()) if place[0] == kind}

    def offer(self, namespace: str, name: str) -> Offer | None:
        body = self.objects.get(("WebService", namespace, name))
        if body is None:
            return None
        found = self.pods.get(f"{namespace}/{name}")
        outside = "url" in body["spec"]["backend"]
        labels = self.namespaces.get(namespace, {})
        return Offer(WebService.model_validate(body), labels, None if outside else found)

    def consumer(self, namespace: str, name: str) -> Consumer | None:
        body = self.objects.get(("EService", namespace, name))
        if body is None:
            return None
        registered = self.objects.get(("EServiceRegistration", "", body["spec"]["registration"]))
        return Consumer(
            EService.model_validate(body),
            None if registered is None else EServiceRegistration.model_validate(registered),
            uses=tuple(Use.model_validate(entry) for entry in body["spec"].get("uses") or ()),
        )

    def case(self, place: Place, *, deep: bool = True) -> GrantCase:
        """What a decision about the grant sees."""
        grant = WebServiceGrant.model_validate(self.objects[place])
        offer, named = self.offer(place[1], grant.spec.web_service), grant.spec.consumer
        at = None if offer is None else offer.web_service.spec.tested_as
        tested = [
            self.case(other, deep=False)
            for other, body in self.of_kind("WebServiceGrant").items()
            if at and deep and (other[1], body["spec"]["webService"]) == (at.namespace, at.name)
        ]
        agent = grant.spec.agent
        assigned = self.objects.get(("AgentAssignment", place[1], agent.assignment)) if agent else None
        return GrantCase(
            grant=grant,
            offer=offer,
            consumer=self.consumer(named.namespace, named.name),
            tests=tuple(
                ConnectionTest.model_validate(body) for body in self.of_kind("ConnectionTest").values()
            ),
            tested=tuple(tested),
            assignment=None if assigned is None else AgentAssignment.model_validate(assigned),
            opened=self._opened(place, grant),
        )

    def _opened(self, place: Place, grant: WebServiceGrant) -> frozenset[str]:
        """The contract versions that its Role gives the right to."""
        role = self.objects.get(("Role", place[1], f"grant.{place[2]}"))
        named = [entry.version for entry in grant.spec.contract_versions] or ["*"]
        return frozenset() if role is None else frozenset(versions_in(Observed(role), named))

    def world(self, place: Place) -> GrantWorld:
        """One grant and everything that its decision depends on."""
        uid = self.objects[place]["metadata"]["uid"]
        own = [
            body
            for body in self.objects.values()
            if body["kind"] in CHILDREN
            and _owner_of(body) == uid
            and body["metadata"]["namespace"] == place[1]
        ]
        named = f"{place[1]}/{place[2]}"
        bindings = [
            body
            for body in self.of_kind("ConfigMap").values()
            if body["metadata"]["annotations"].get(names.GRANT_ANNOTATION) == named
        ]
        return GrantWorld(
            case=self.case(place),
            children={(body["kind"], body["metadata"]["name"]): Observed(body) for body in own},
            bindings=tuple(Observed(body) for body in bindings),
            copied=self.copied,
        )

    def status(self, place: Place) -> WebServiceGrantStatus:
        return WebServiceGrant.model_validate(self.objects[place]).status

    def states(self, place: Place) -> dict[str, GrantState]:
        """The state of each contract version."""
        return {entry.version: entry.state for entry in self.status(place).contract_versions}

    def standings(self, place: Place, now: datetime) -> tuple[Standing, ...]:
        return standings(self.case(place), Times(now, worlds.RIGA))

    def may_call(self, place: Place) -> set[str]:
        """The resources that the consumer of a grant may invoke by what RBAC says, whoever bound it."""
        spec = self.objects[place]["spec"]
        me = {"kind": "ServiceAccount", **spec["consumer"]}
        roles = {
            body["roleRef"]["name"]
            for body in self.of_kind("RoleBinding").values()
            if body["metadata"]["namespace"] == place[1] and me in body["subjects"]
        }
        return {
            resource
            for (_, namespace, name), body in self.of_kind("Role").items()
            if namespace == place[1] and name in roles
            for rule in body["rules"]
            for resource in rule["resources"]
        }

    # what the operator does

    def decide(self, place: Place, now: datetime) -> GrantDecision:
        return decide_grant(self.world(place), now, self.policy)

    def settle(self, now: datetime) -> None:
        """Rounds of deciding and acting until nothing is left to do."""
        for _ in range(ROUNDS):
            if not any([*self._round(now), self._bindings(now)]):
                return
        raise AssertionError(f"does not come to rest: {self.log[-6:]}")

    def _round(self, now: datetime) -> Iterator[bool]:
        for place in list(self.of_kind("WebServiceGrant")):
            decision = self.decide(place, now)
            for action in decision.actions:
                self.carry_out(action, now)
            yield bool(decision.actions)
            if place in self.objects:
                yield self.report(place, now)

    def report(self, place: Place, now: datetime, outcome: Outcome | None = None) -> bool:
        """Write the status, if it differs; whether it did."""
        decision = self.decide(place, now)
        before = decision.world.case.grant.status
        status = grant_status(decision, outcome or Outcome(()), now)
        body = self.objects[place]
        assert_status_sound(body | {"status": status_body(status)}, before=before)
        body["status"] = status_body(status)
        return status != before

    def carry_out(self, action: Action, now: datetime) -> None:
        self.log.append(action)
        match action:
            case Create():
                manifest = plain(action.manifest)
                place = place_of(manifest)
                assert place not in self.objects, f"{place} is there"
                made = {"uid": f"uid-{next(self._uids)}", "generation": 1, "creationTimestamp": instant(now)}
                manifest["metadata"] |= made
                if manifest["kind"] == "ConnectionTest":
                    manifest["status"] = {"observedGeneration": -1}
                self.objects[place] = manifest
            case Update():
                manifest = plain(action.manifest)
                old = self.objects[place_of(manifest)]
                assert old["metadata"]["uid"] == action.uid
                assert manifest["kind"] != "RoleBinding" or manifest["roleRef"] == old["roleRef"], "immutable"
                kept = {key: old["metadata"][key] for key in ("uid", "generation", "creationTimestamp")}
                manifest["metadata"] |= kept
                self.objects[place_of(manifest)] = manifest
            case Delete():
                place = action.ref.kind, action.ref.namespace, action.ref.name
                assert self.objects[place]["metadata"]["uid"] == action.uid
                self.remove(place)
            case SetFinalizer():
                place = action.ref.kind, action.ref.namespace, action.ref.name
                metadata = self.objects[place]["metadata"]
                assert not (action.present and "deletionTimestamp" in metadata), "the API server refuses that"
                others = [one for one in metadata.get("finalizers") or () if one != action.finalizer]
                metadata["finalizers"] = [*others, *([action.finalizer] if action.present else [])]
                if not metadata["finalizers"] and "deletionTimestamp" in metadata:
                    self.remove(place)
            case _:
                raise AssertionError(f"no business of a grant: {action}")

    def _bindings(self, now: datetime) -> bool:
        """The consumers' side: a ConfigMap for each version that is allowed, and none else."""
        if not self.bindings_follow:
            return False
        wanted = {}
        for place in self.of_kind("WebServiceGrant"):
            for standing in self.standings(place, now):
                if standing.allowed:
                    body = binding(self.case(place), standing.version)
                    wanted[place_of(body)] = body
        old = self.of_kind("ConfigMap")
        for place in old:
            del self.objects[place]
        self.objects |= wanted
        return old != wanted


def binding(case: GrantCase, version: str) -> Manifest:
    """The ConfigMap with which the consumer's EService answers a grant."""
    assert case.consumer is not None
    service, grant = case.consumer.service.metadata, case.grant.metadata
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{service.name}-{grant.namespace}-{grant.name}-{'all' if version == '*' else version}",
            "namespace": service.namespace,
            "uid": f"uid-binding-{grant.uid}-{version}",
            "labels": {names.MANAGED_BY_LABEL: names.MANAGER, names.OWNER_UID_LABEL: service.uid},
            "annotations": {names.GRANT_ANNOTATION: f"{grant.namespace}/{grant.name}"},
        },
        "data": {} if version == "*" else {"contract-version": version},
    }


def _owner_of(body: Manifest) -> str | None:
    labels: dict[str, str] = body["metadata"].get("labels") or {}
    return labels.get(names.OWNER_UID_LABEL)


GRANT: Place = ("WebServiceGrant", access.HOLDER, worlds.NAME)
TEST_GRANT: Place = ("WebServiceGrant", access.HOLDER_IN_TEST, worlds.NAME)


def in_good_order(*versions: str) -> GrantCluster:
    """The e-service in Test and in Production asks for versions (v5 by itself), and has a grant in both."""
    cluster, wanted = GrantCluster(), versions or ("v5",)
    uses = [access.use(one, name=f"persons-{one}") for one in wanted]
    in_test = [access.use(one, name=f"persons-{one}", namespace=access.HOLDER_IN_TEST) for one in wanted]
    cluster.put(
        worlds.registration(),
        worlds.eservice(spec={"uses": uses}),
        worlds.eservice_in_test(spec={"uses": in_test}),
        access.web_service(),
        access.web_service_in_test(),
        access.grant(spec={"contractVersions": access.granted(*wanted)}),
        access.grant_in_test(spec={"contractVersions": access.granted(*wanted, evidence=None)}),
    )
    return cluster
