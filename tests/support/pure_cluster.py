# SPDX-License-Identifier: Apache-2.0
"""A cluster in memory, for life-cycle tests of the pure core.

It does what a decision asks, and what controllers and the gateway then do by themselves. It keeps
manifests as the API server would (JSON, with defaults and canonical quantities), and every world is read
back from them with the operator's own readers. What it does not do: admission, races, failures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, TypeVar, assert_never

from pydantic import ValidationError
from typing_extensions import override

from eservice_operator.api import names
from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.base import Model, Status
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.eservice import EService, EServiceStatus
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.reasons import ConditionType, Phase
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.actions import (
    Action,
    Create,
    Delete,
    DeleteNamed,
    Failure,
    Manifest,
    Outcome,
    SetFinalizer,
    SetLabels,
    SetStatus,
    Update,
    goes_on,
)
from eservice_operator.core.conditions import find
from eservice_operator.core.dates import instant
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.drivers import driver_of
from eservice_operator.core.faces import Face, face_of
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.notes import Note
from eservice_operator.core.owner import preview_name, route_name
from eservice_operator.core.policy import GatewayRef, Policy
from eservice_operator.core.report import report
from eservice_operator.core.sightings import Witnessed
from eservice_operator.core.templating import catalogue_of, template_status
from eservice_operator.core.transitions import notes
from eservice_operator.core.unread import last_known
from eservice_operator.core.world import HostClaim, Observed, TemplateWorld, World, no_fleet
from tests.support import worlds
from tests.support.status import assert_status_sound

M = TypeVar("M", bound=Model)
Place = tuple[str, str, str]
"""Kind, namespace and name."""

ROUNDS = 12
"""Rounds of deciding and acting before a cluster that does not become quiet fails the test."""

ROUTE_NAMES = (route_name, preview_name)

CHILD_KINDS = frozenset(
    {
        "ConfigMap",
        "ControllerRevision",
        "Deployment",
        "EndpointSlice",
        "HTTPRoute",
        "HorizontalPodAutoscaler",
        "Ingress",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ReferenceGrant",
        "Service",
        "ServiceAccount",
    }
)


@dataclass(repr=False)
class PureCluster:
    """One e-service and everything around it."""

    policy: Policy = worlds.POLICY
    objects: dict[Place, Manifest] = field(default_factory=dict)
    log: list[Action] = field(default_factory=list)
    """Every action carried out, the oldest first."""
    statuses: list[EServiceStatus] = field(default_factory=list)
    """Every status of the e-service that was written."""
    told: list[Note] = field(default_factory=list)
    """Every Event that went with them."""
    broken: set[str] = field(default_factory=set)
    """Images whose Pods never become ready."""
    pods_start: bool = True
    """Whether the Deployment controller does its work."""
    rejected: frozenset[str] = frozenset()
    """Kinds of which the API server takes no write, for good."""
    slices_follow: bool = True
    """Whether the EndpointSlice controller does its work."""
    gateway_answers: bool = True
    missing_gateways: frozenset[GatewayRef] = frozenset()
    """Gateways, and listeners of Gateways, that are not there."""
    missing_class: str = ""
    gateway_refuses: str = ""
    """Reason with which the gateway refuses routes, if it does."""
    preview_refused: str = ""
    """The same of the gateway of the previews."""
    sightings: Witnessed | None = None
    """What the operator has seen from outside."""
    senior: Manifest | None = None
    claims: tuple[tuple[str, str], ...] = ()
    contenders: tuple[HostClaim, ...] = ()
    fleet: Callable[[str], Fleet] = no_fleet
    """The e-services around this one, for the brake."""
    _uids: Iterator[int] = field(default_factory=lambda: count(1))
    _store: dict[Place, tuple[str, Manifest]] = field(default_factory=dict)
    _parsed: dict[Place, tuple[str, Model]] = field(default_factory=dict)

    @override
    def __repr__(self) -> str:
        """What is there, short enough to read in a failing example."""
        told = [
            f"{kind} {name} {json.dumps(_core_of(body))}" for (kind, _, name), body in self.objects.items()
        ]
        return "\n  ".join(["PureCluster:", *told, f"claims={self.claims} senior={self.senior is not None}"])

    def _repr_pretty_(self, printer: Any, cycle: object) -> None:
        """For Hypothesis, which would write all fields otherwise."""
        del cycle
        printer.text(repr(self))

    # what people do

    def put(self, *manifests: Manifest) -> None:
        """Create or replace objects as ``kubectl apply`` does; the generation counts changes of spec."""
        for manifest in manifests:
            place = place_of(manifest)
            old, new = self.objects.get(place), plain(manifest)
            if old is not None:
                changed = old["spec"] != new["spec"]
                new["metadata"] = old["metadata"] | {
                    "generation": old["metadata"]["generation"] + int(changed)
                }
                new["status"] = old["status"]
            self.objects[place] = new

    def edit(self, place: Place, **patch: Any) -> None:
        """Change an object of people, as ``kubectl patch`` does."""
        self.put(worlds.merged(self.objects[place], patch))

    def edit_service(self, **spec: Any) -> None:
        """Change the spec of the e-service."""
        self.edit(self.service_place, spec=spec)

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

    def vandalise(self, place: Place, **patch: Any) -> None:
        """Edit a child of ours behind our back, as another field manager."""
        child = worlds.merged(self.objects[place], patch)
        child["foreignManagers"] = ["kubectl-edit"]
        if "selector" in patch.get("spec", {}):
            child["foreignSelector"] = True
        child["metadata"]["generation"] = child["metadata"].get("generation", 0) + 1
        self.objects[place] = child

    def forget(self) -> None:
        """Start the records of what was done and told anew."""
        self.log.clear()
        self.statuses.clear()
        self.told.clear()

    # what there is

    @property
    def service_place(self) -> Place:
        """Where the one EService is."""
        return next(place for place in self.objects if place[0] == "EService")

    @property
    def service(self) -> EService:
        """The EService, read as the operator reads it."""
        return self._seen_service()[0]

    def _seen_service(self) -> tuple[EService, tuple[str, ...]]:
        """The EService, or as last known with what is wrong with it."""
        try:
            return self._read(EService, self.service_place), ()
        except ValidationError:
            body = self.objects[self.service_place]
        read = parse("EService", body)
        assert isinstance(read, InvalidObject), "what is wrong is the spec"
        known = last_known(body, worlds.snapshots_of(self._children_of(body["metadata"]["uid"])))
        assert known is not None, read
        return known, read.errors

    def _children_of(self, uid: str) -> list[Manifest]:
        return [
            self._seen(place)
            for place, body in self.objects.items()
            if place[0] in CHILD_KINDS and _owner_of(body) == uid
        ]

    @property
    def status(self) -> EServiceStatus:
        """Its status as last written."""
        return self.service.status

    def phase(self) -> Phase | None:
        """Where the e-service is in its life."""
        return self.status.phase

    def reason(self, kind: ConditionType) -> tuple[str, str] | None:
        """Status and reason of a condition."""
        condition = find(self.status.conditions, kind)
        return None if condition is None else (condition.status.value, condition.reason)

    def gates(self) -> list[str]:
        """The gates that are not passed."""
        return [entry.gate.value for entry in self.status.gates]

    def of_kind(self, kind: str) -> dict[str, Manifest]:
        """The objects of a kind by name."""
        return {place[2]: body for place, body in self.objects.items() if place[0] == kind}

    def one(self, kind: str) -> Manifest:
        """The only object of a kind."""
        (body,) = self.of_kind(kind).values()
        return body

    @property
    def decisions(self) -> tuple[UnpublishDecision, ...]:
        """All decisions by name."""
        return tuple(sorted(self._all(UnpublishDecision), key=lambda decision: decision.metadata.name))

    def replicas(self) -> dict[str, int]:
        """Replicas of each Deployment, by the letter of its image's digest."""
        found = {}
        for body in self.of_kind("Deployment").values():
            app = body["spec"]["template"]["spec"]["containers"][0]
            found[app["image"][-1]] = body["spec"]["replicas"]
        return found

    def public_letter(self) -> str | None:
        """The letter of the image that the public Service leads to."""
        service = self.of_kind("Service").get(worlds.NAME)
        if service is None:
            return None
        for body in self.of_kind("Deployment").values():
            if _selects(service["spec"]["selector"], body):
                return str(body["spec"]["template"]["spec"]["containers"][0]["image"][-1])
        return "?"

    def routed(self) -> bool:
        """Whether the public route serves the e-service."""
        return self.face() is Face.LIVE

    def face(self) -> Face:
        """What the public route shows."""
        route = self.public_route()
        return face_of(None if route is None else Observed(route))

    def public_route(self) -> Manifest | None:
        """The route that the public comes by; that of a candidate is another."""
        routes = self.of_kind(driver_of(self.policy).kind).values()
        return next((body for body in routes if not _is_preview(body)), None)

    def preview(self) -> Manifest | None:
        """The route that a candidate is looked at by."""
        return next((body for body in self.of_kind("HTTPRoute").values() if _is_preview(body)), None)

    def world(self) -> World:
        """What a decision about the e-service sees."""
        service, errors = self._seen_service()
        metadata = service.metadata
        children = self._children_of(metadata.uid)
        registered = "EServiceRegistration", "", service.spec.registration
        return World(
            service=service,
            sightings=self.sightings,
            templates=worlds.known(*self._all(EServiceTemplate)),
            registration=self._read(EServiceRegistration, registered) if registered in self.objects else None,
            acts=self._all(AcceptanceAct),
            verifications=self._all(ProductionVerification),
            deferrals=self._all(UnpublishDeferral),
            decisions=self.decisions,
            senior=None if self.senior is None else EService.model_validate(self.senior).metadata,
            claims=tuple(worlds.claim(host, owner) for host, owner in self.claims),
            contenders=self.contenders,
            missing_gateways=self.missing_gateways,
            missing_class=self.missing_class,
            children={(body["kind"], body["metadata"]["name"]): Observed(body) for body in children},
            leftovers=self._leftovers(metadata.uid),
            snapshots=worlds.snapshots_of(children),
            fleet=self.fleet,
            errors=errors,
        )

    def _all(self, model: type[M]) -> tuple[M, ...]:
        return tuple(self._read(model, place) for place in self.objects if place[0] == model.__name__)

    def _read(self, model: type[M], place: Place) -> M:
        """The object as the operator's model, read once for each of its states."""
        text = json.dumps(self.objects[place])
        known = self._parsed.get(place)
        if known is None or known[0] != text:
            known = self._parsed[place] = text, model.model_validate(json.loads(text))
        assert isinstance(known[1], model)
        return known[1]

    def _leftovers(self, uid: str) -> tuple[Observed, ...]:
        place = self.service.metadata.namespace, self.service.metadata.name
        routes = [("HTTPRoute", self.policy.routes_namespace, name(*place)) for name in ROUTE_NAMES]
        left = [one for one in routes if one in self.objects and _owner_of(self.objects[one]) != uid]
        return tuple(Observed(self._seen(one)) for one in left)

    def _seen(self, place: Place) -> Manifest:
        """A copy that nobody changes, and the same one until the object changes: as from a store."""
        text = json.dumps(self.objects[place])
        known = self._store.get(place)
        if known is None or known[0] != text:
            known = self._store[place] = text, json.loads(text)
        return known[1]

    # what happens

    def settle(self, now: datetime) -> Decision | None:
        """Let the operator, the controllers and the gateway work until nothing happens any more.

        Answers the last decision; None when the EService went away. Fails when it does not become quiet.
        """
        self._publish_dates(now)
        for _ in range(ROUNDS):
            before = len(self.log), len(self.statuses)
            decision = self.reconcile(now)
            if not self._controllers(now) and before == (len(self.log), len(self.statuses)):
                return decision
        raise AssertionError(f"not quiet after {ROUNDS} rounds: {self.last_steps()}")

    def advance(self, now: datetime, until: datetime) -> Decision | None:
        """Settle now and at every instant that a decision names, up to and including ``until``."""
        decision = self.settle(now)
        while decision is not None and decision.next_at is not None and decision.next_at <= until:
            assert decision.next_at > now, "next_at has to lie ahead"
            now = decision.next_at
            decision = self.settle(now)
        return decision

    def reconcile(self, now: datetime) -> Decision | None:
        """Decide and act until there is nothing to do, and write the status if it says anything new."""
        outcome = Outcome(())
        for _ in range(ROUNDS):
            if not self.of_kind("EService"):
                return None
            decision = decide(self.world(), now, self.policy)
            if not decision.actions or outcome.failure is not None:
                self._tell(decision, outcome)
                return decision
            outcome = outcome.then(self.run(decision.actions, now))
        raise AssertionError(f"still acting after {ROUNDS} rounds: {self.last_steps()}")

    def _tell(self, decision: Decision, outcome: Outcome) -> None:
        old, new = self.status, report(decision, outcome)
        if new != old:
            body = self.objects[self.service_place]
            body["status"] = status_body(new)
            assert_status_sound(body, before=old)
            assert self.status == new, "a status has to come back as it was written"
            self.statuses.append(new)
            self.told += notes(old, new)

    def _publish_dates(self, now: datetime) -> None:
        """What reconciling the templates does: publication dates that took effect are recorded."""
        for place in [place for place in self.objects if place[0] == "EServiceTemplate"]:
            template, body = self._read(EServiceTemplate, place), self.objects[place]
            status, _ = template_status(TemplateWorld(template, catalogue_of(template)), now, self.policy)
            body["status"] = status_body(status)
            assert_status_sound(body, before=template.status)

    def run(self, actions: tuple[Action, ...], now: datetime) -> Outcome:
        """Carry out actions in order; after one that failed, those that go on regardless."""
        done, failures = list[Action](), list[Failure]()
        for action in actions:
            if failures and not goes_on(action):
                continue
            failure = self._carry_out(action, now)
            if failure is not None:
                failures.append(failure)
                continue
            done.append(action)
            self.log.append(action)
        return Outcome(tuple(done), failures[0] if failures else None, tuple(failures[1:]))

    def _carry_out(self, action: Action, now: datetime) -> Failure | None:
        if isinstance(action, Create | Update) and action.manifest["kind"] in self.rejected:
            return Failure(action, "Invalid", "not like this", transient=False)
        match action:
            case Create():
                return self._create(action, now)
            case Update():
                self._update(action, now)
            case Delete():
                place = (action.ref.kind, action.ref.namespace, action.ref.name)
                assert self.objects[place]["metadata"]["uid"] == action.uid, (
                    "deletes the object that was seen"
                )
                self.remove(place)
            case DeleteNamed():
                place = (action.ref.kind, action.ref.namespace, action.ref.name)
                labels = self.objects.get(place, {}).get("metadata", {}).get("labels", {})
                if labels.get(names.OWNER_UID_LABEL) == action.owner_uid:
                    self.remove(place)
            case SetStatus():
                place = (action.ref.kind, action.ref.namespace, action.ref.name)
                self.objects[place]["status"] = plain(action.status)
                assert_status_sound(self.objects[place])
            case SetFinalizer():
                self._set_finalizer(action)
            case SetLabels():
                raise AssertionError("an e-service labels nothing")
            case _:
                assert_never(action)
        return None

    def _create(self, action: Create, now: datetime) -> Failure | None:
        manifest = plain(action.manifest)
        place = place_of(manifest)
        if place in self.objects:
            return Failure(action, "NameCollision", f"{place} exists and is not ours", transient=False)
        manifest["metadata"] |= {
            "uid": f"uid-{next(self._uids)}",
            "generation": 1,
            "creationTimestamp": instant(now),
        }
        if manifest["apiVersion"].startswith(names.GROUP):
            manifest["status"] = {"observedGeneration": -1}
        if manifest["kind"] == "HTTPRoute":
            manifest["writtenAt"] = instant(now)
        self.objects[place] = defaulted(manifest)
        return None

    def _update(self, action: Update, now: datetime) -> None:
        manifest = plain(action.manifest)
        place = place_of(manifest)
        old = self.objects[place]
        assert old["metadata"]["uid"] == action.uid, "updates the object that was seen"
        if old.get("foreignManagers"):
            assert action.take_over, "somebody else's fields have to become ours before they can go"
        new = defaulted(manifest)
        kept = {key: old["metadata"][key] for key in ("uid", "creationTimestamp", "generation")}
        changed = content(new) != content(old)
        new["metadata"] |= kept | {"generation": kept["generation"] + int(changed)}
        others = {
            key: value
            for key, value in (old["metadata"].get("annotations") or {}).items()
            if not key.startswith(names.GROUP) and key not in action.drop
        }
        new["metadata"]["annotations"] = others | new["metadata"].get("annotations", {})
        if "status" in old:
            new["status"] = old["status"]
        if manifest["kind"] == "HTTPRoute":
            new["writtenAt"] = instant(now)
        self.objects[place] = new

    def _set_finalizer(self, action: SetFinalizer) -> None:
        place = (action.ref.kind, action.ref.namespace, action.ref.name)
        metadata = self.objects[place]["metadata"]
        others = [name for name in metadata.get("finalizers") or () if name != names.FINALIZER]
        metadata["finalizers"] = [*others, *([names.FINALIZER] if action.present else [])]
        if not metadata["finalizers"] and "deletionTimestamp" in metadata:
            self.remove(place)

    # what the cluster does by itself

    def _controllers(self, now: datetime) -> bool:
        """One round of the controllers; whether anything changed."""
        changed = False
        if self.pods_start:
            for body in self.of_kind("Deployment").values():
                changed |= self._deploy(body, now)
        if self.slices_follow:
            changed |= self._slices()
        if self.gateway_answers:
            for body in self.of_kind("HTTPRoute").values():
                changed |= self._answer(body, now)
        return changed

    def _deploy(self, body: Manifest, now: datetime) -> bool:
        """One step: first the controller sees the Deployment, then its Pods come up."""
        wanted, old = body["spec"]["replicas"], body.get("status", {})
        app = body["spec"]["template"]["spec"]["containers"][0]
        seen = old.get("observedGeneration") == body["metadata"]["generation"] and old["replicas"] == wanted
        ready = wanted if seen else min(old.get("availableReplicas", 0), wanted)
        ready = 0 if app["image"] in self.broken else ready
        up = "True" if ready >= wanted else "False"
        available = next(iter(old.get("conditions", ())), None)
        same = available is not None and available["status"] == up
        since = available["lastTransitionTime"] if available and same else instant(now)
        body["status"] = {
            "observedGeneration": body["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "conditions": [{"type": "Available", "status": up, "lastTransitionTime": since}],
        }
        return bool(body["status"] != old)

    def _slices(self) -> bool:
        wanted = {}
        for name, service in self.of_kind("Service").items():
            metadata = service["metadata"]
            wanted["EndpointSlice", metadata["namespace"], f"{name}-x7k2p"] = {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": f"{name}-x7k2p",
                    "namespace": metadata["namespace"],
                    "uid": f"slice-of-{metadata['uid']}",
                    "labels": metadata["labels"] | {"kubernetes.io/service-name": name},
                },
                "endpoints": list(self._endpoints(service)),
            }
        old = {place: body for place, body in self.objects.items() if place[0] == "EndpointSlice"}
        for place in old:
            del self.objects[place]
        self.objects |= wanted
        return old != wanted

    def _endpoints(self, service: Manifest) -> Iterator[Manifest]:
        for name, deployment in sorted(self.of_kind("Deployment").items()):
            if _selects(service["spec"]["selector"], deployment):
                for number in range(deployment.get("status", {}).get("replicas", 0)):
                    yield {
                        "targetRef": {"kind": "Pod", "name": f"{name}-5d9c7b-{number}"},
                        "conditions": {"ready": True},
                    }

    def _answer(self, body: Manifest, now: datetime) -> bool:
        generation = body["metadata"]["generation"]
        refused = self.preview_refused if _is_preview(body) else self.gateway_refuses
        answers = [
            {
                "type": kind,
                "status": "False" if refused and kind == "Accepted" else "True",
                "reason": refused if refused and kind == "Accepted" else kind,
                "message": "",
                "observedGeneration": generation,
                "lastTransitionTime": instant(now),
            }
            for kind in ("Accepted", "ResolvedRefs")
        ]
        old = body.get("status", {}).get("parents", [{}])[0].get("conditions", [])
        if [_said(entry) for entry in old] == [_said(entry) for entry in answers]:
            return False
        parent = {
            "parentRef": (body["spec"].get("parentRefs") or [self.policy.gateway.parent_ref()])[0],
            "controllerName": "gateway.example/one",
            "conditions": answers,
        }
        body["status"] = {"parents": [parent]}
        return True

    # what was done

    def last_steps(self) -> list[str]:
        """The last writes and why, for a failure."""
        return [f"{_wording(action)}: {action.reason}" for action in self.log[-6:]]

    def writes(self) -> Counter[str]:
        """How often each kind was written, as ``verb Kind``."""
        return Counter(_wording(action) for action in self.log)


def _wording(action: Action) -> str:
    match action:
        case Create(manifest=manifest) | Update(manifest=manifest):
            return f"{type(action).__name__} {manifest['kind']}"
        case _:
            return f"{type(action).__name__} {action.ref.kind}"


def _core_of(body: Manifest) -> Manifest:
    """What tells an object apart in a failing example."""
    shown = () if body["kind"] in CHILD_KINDS else ("spec", "status")
    marks = ("deletionTimestamp", "finalizers")
    parts = {part: body[part] for part in (*shown, "foreignManagers", "foreignSelector") if part in body}
    return parts | {mark: body["metadata"][mark] for mark in marks if mark in body["metadata"]}


def _said(answer: Manifest) -> Manifest:
    """What a gateway's condition says, but for when."""
    return {key: value for key, value in answer.items() if key != "lastTransitionTime"}


def _owner_of(body: Manifest) -> str | None:
    labels: dict[str, str] = body["metadata"].get("labels") or {}
    return labels.get(names.OWNER_UID_LABEL)


def _is_preview(body: Manifest) -> bool:
    labels: dict[str, str] = body["metadata"].get("labels") or {}
    return labels.get(names.SHOWS_LABEL) == names.PREVIEW


def place_of(manifest: Manifest) -> Place:
    """Where an object is."""
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def plain(value: Manifest) -> Manifest:
    """The value as JSON carries it; fails on anything that JSON does not know."""
    return dict(json.loads(json.dumps(value)))


def content(manifest: Manifest) -> Manifest:
    """What counts for the generation."""
    return {
        key: value
        for key, value in manifest.items()
        if key not in ("metadata", "status", "foreignManagers", "foreignSelector", "writtenAt")
    }


def status_body(status: Status) -> Manifest:
    """A status as it is sent: without what is absent or empty."""
    return _filled(status.model_dump(mode="json", by_alias=True, exclude_none=True))


def _filled(values: Mapping[str, Any]) -> Manifest:
    filled = {key: _filled(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    return {key: value for key, value in filled.items() if value not in ({}, [])}


def _selects(selector: Mapping[str, str], deployment: Manifest) -> bool:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    return all(labels.get(key) == value for key, value in selector.items())


def defaulted(manifest: Manifest) -> Manifest:
    """The object with some of the API server's defaults and rewritings: these are no difference."""
    kind = manifest["kind"]
    if kind == "Service":
        manifest["spec"] = {"clusterIP": "10.96.0.7", "sessionAffinity": "None"} | manifest["spec"]
    if kind == "Deployment":
        pod = manifest["spec"]["template"]["spec"]
        pod |= {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst"} | pod
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            container.setdefault("imagePullPolicy", "IfNotPresent")
            container.setdefault("terminationMessagePath", "/dev/termination-log")
            for amounts in container.get("resources", {}).values():
                for resource, amount in amounts.items():
                    amounts[resource] = {"0.5": "500m", 1: "1"}.get(amount, amount)
    if kind == "HTTPRoute":
        for rule in manifest["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                backend.setdefault("weight", 1)
    return manifest
