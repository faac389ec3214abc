# SPDX-License-Identifier: Apache-2.0
"""A register with many consumers, and an agent with many customers, in a store as the operator has them.

Every consumer is an e-service of an institution of its own, with a twin in Test where it tested, a grant on
both sides, all that the grant in Production has opened, and its binding; the store is at rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from eservice_operator.api import names
from eservice_operator.api.base import Status
from eservice_operator.api.eservice import EService
from eservice_operator.api.uses import Use
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.access.assigning import assignment_status
from eservice_operator.core.access.granting import decide_grant, grant_status
from eservice_operator.core.access.holding import decide_web_service, web_service_status
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.access.worlds import AssignmentWorld, GrantWorld, WebServiceWorld
from eservice_operator.core.actions import Action, Create, Manifest, Outcome, SetFinalizer
from eservice_operator.core.decide import decide
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import Owner
from eservice_operator.core.report import report
from eservice_operator.core.world import World
from eservice_operator.runtime.triggers import triggers_for
from tests.support import asking, holders, worlds
from tests.support.holders import HOLDER, HOLDER_TEST, REGISTER
from tests.support.worlds import NOW, POLICY, merged

WEB_SERVICE: Final = ObjectKey("WebService", HOLDER, REGISTER)
ASSIGNMENT: Final = ObjectKey("AgentAssignment", HOLDER, "evry")
CONNECTION: Final = ObjectKey("WebServiceGrant", HOLDER, "evry-connection")
"""The grant by which the agent's application is let in."""
APPLICATION: Final = ObjectKey("EService", asking.AGENT, "gateway")
NEWCOMER: Final = 90_000
"""The number of one who was not there before."""
ROUNDS: Final = 4
KEYS_FOR: Final = triggers_for((POLICY.gateway,))


def town(number: int) -> str:
    """What a consumer and all that is its own are called."""
    return f"town-{number:05}"


def service_key(number: int) -> ObjectKey:
    """The e-service of a consumer, in Production."""
    return ObjectKey("EService", f"{town(number)}-production", town(number))


def grant_key(number: int) -> ObjectKey:
    """Its grant in Production."""
    return ObjectKey("WebServiceGrant", HOLDER, town(number))


def code(number: int) -> str:
    """The code of its institution."""
    return f"9{number:010}"


def eservice(number: int, *uses: Manifest, environment: str = "Production") -> Manifest:
    """An e-service of that institution."""
    name = town(number)
    place = f"{name}-{environment.lower()}"
    body = worlds.eservice(
        metadata={"name": name, "namespace": place, "uid": f"uid-eservice-{place}"},
        spec={
            "registration": name,
            "environment": environment,
            "uses": list(uses),
            "publication": {"hosts": [f"{name}.example.lv"]},
        },
    )
    return dict(merged(body, {"spec": {"productionRequest": None}}) if environment == "Test" else body)


def registration(number: int) -> Manifest:
    """The registration of the institution, with its namespaces in place."""
    name = town(number)
    places = [
        {"environment": environment, "name": f"{name}-{environment.lower()}"}
        for environment in ("Test", "Production")
    ]
    return worlds.registration(
        metadata={"name": name, "uid": f"uid-registration-{name}"},
        spec={"institution": {"name": name.title(), "code": code(number)}, "namespaces": places},
        status={"namespaces": [place | {"state": "Ready"} for place in places]},
    )


def binding(number: int, grant: ObjectKey, use: Manifest) -> Manifest:
    """What the Pods of its e-service are given by a grant; what it says is a matter of its own."""
    body = eservice(number, use)
    owner = Owner.of(EService.model_validate(body).metadata)
    named = binding_of(owner.name, Use.model_validate(use))
    said = {"contract-versions" if "agent" in use else "contract-version": "v5"}
    marks = {names.GRANT_ANNOTATION: f"{grant.namespace}/{grant.name}"}
    made = owner.child("v1", "ConfigMap", named, {"data": said}, annotations=marks)
    return dict(merged(made, {"metadata": {"uid": f"uid-binding-{owner.namespace}"}}))


def grant(number: int, environment: str = "Production") -> Manifest:
    """The holder's answer to it."""
    name = town(number)
    consumer = {"namespace": f"{name}-{environment.lower()}", "name": name}
    place = HOLDER if environment == "Production" else HOLDER_TEST
    return holders.grant(name, place, spec={"consumer": consumer})


def consumer(number: int) -> Iterator[Manifest]:
    """Everything that there is of one consumer but its grant in Production."""
    yield registration(number)
    yield eservice(number, holders.USE)
    yield eservice(number, holders.USE_IN_TEST, environment="Test")
    yield grant(number, "Test")
    yield binding(number, grant_key(number), holders.USE)


def customer(number: int) -> Iterator[Manifest]:
    """A customer of the agent, who orders through it."""
    yield registration(number)
    yield eservice(number, asking.through())


def bound(number: int) -> Manifest:
    """The binding of a customer, once it is let in."""
    return binding(number, CONNECTION, asking.through())


def listed(number: int) -> Manifest:
    """A customer as the assignment lists it."""
    return {"name": town(number).title(), "code": code(number), "since": "2026-09-01"}


def assigned(customers: int) -> Manifest:
    """The assignment of an agent that calls for so many."""
    return holders.assignment(spec={"customers": [listed(number) for number in range(customers)]})


class Clientele:
    """A store at rest with so many consumers of a register, or customers of an agent."""

    def __init__(self, *, consumers: int = 0, customers: int = 0) -> None:
        self.store = Store(INDEXES)
        self.observer = Observer(self.store, POLICY)
        self._version = count(2)
        around = [one for one in holders.granted() if one["kind"] in ("Namespace", "Service", "WebService")]
        self.put(worlds.template(), *around)
        for number in range(consumers):
            self.put(*consumer(number), grant(number))
        if customers:
            self.put(*asking.agent_in_order(APPLICATION.name), assigned(customers))
        for number in range(customers):
            self.put(*customer(number), bound(number))
        self.settle()

    def put(self, *objects: Manifest) -> tuple[Change, ...]:
        """Objects as they are now; what changed by them."""
        found = (self.store.upsert(slim(merged(one, self._newer()))) for one in objects)
        return tuple(change for change in found if change is not None)

    def woken(self, *objects: Manifest) -> set[ObjectKey]:
        """Whom it wakes that these objects are as they are now."""
        return {key for change in self.put(*objects) for key in KEYS_FOR(change, self.store)}

    def asks_anew(self) -> set[ObjectKey]:
        """Whom it wakes that an e-service asks for the register which did not before."""
        newcomer = registration(NEWCOMER), eservice(NEWCOMER)
        self.put(*newcomer)
        return self.woken(merged(newcomer[1], {"spec": {"uses": [holders.USE]}}))

    def ends(self, number: int) -> set[ObjectKey]:
        """Whom it wakes that the holder ends one grant."""
        body = self.store.get(*grant_key(number))
        return self.woken(merged(body, {"spec": {"validUntil": "2026-10-12"}}))

    def joins(self) -> set[ObjectKey]:
        """Whom it wakes that the holder lists one more customer, who orders already."""
        self.put(*customer(NEWCOMER))
        before = self.store.get(*ASSIGNMENT)
        assert before is not None
        return self.woken(
            merged(before, {"spec": {"customers": [*before["spec"]["customers"], listed(NEWCOMER)]}})
        )

    def is_let_in(self) -> set[ObjectKey]:
        """Whom it wakes that one more customer has its binding."""
        self.put(*customer(NEWCOMER))
        return self.woken(bound(NEWCOMER))

    def _newer(self) -> Manifest:
        return {"metadata": {"resourceVersion": str(next(self._version))}}

    def settle(self) -> None:
        """Let everything that access is about come to rest."""
        for kind in ("WebServiceGrant", "WebService", "AgentAssignment"):
            for body in self.store.all(kind):
                for _ in range(ROUNDS):
                    if not self._step(key_of(body)):
                        break
                else:
                    raise AssertionError(f"{key_of(body)} does not come to rest")

    def _step(self, key: ObjectKey) -> Sequence[Action]:
        actions, status = self.look(key)
        for action in actions:
            self._do(action)
        told = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        self.put(merged(self.store.get(*key), {"status": told}))
        return actions

    def look(self, key: ObjectKey) -> tuple[Sequence[Action], Status]:
        """One look at an object: what is to be done, and the status that comes of it."""
        match key.kind:
            case "WebServiceGrant":
                grant = self.observer.access.grant(key)
                assert isinstance(grant, GrantWorld)
                granting = decide_grant(grant, NOW, POLICY)
                return granting.actions, grant_status(granting, Outcome(()), NOW)
            case "WebService":
                offered = self.observer.access.web_service(key)
                assert isinstance(offered, WebServiceWorld)
                holding = decide_web_service(offered, NOW, POLICY)
                return holding.actions, web_service_status(holding, Outcome(()), NOW, POLICY)
            case "AgentAssignment":
                assignment = self.observer.access.assignment(key)
                assert isinstance(assignment, AssignmentWorld)
                return (), assignment_status(assignment, NOW, POLICY)
            case _:
                world = self.observer.eservice(key)
                assert isinstance(world, World)
                decision = decide(world, NOW, POLICY)
                return decision.actions, report(decision, Outcome(()))

    def _do(self, action: Action) -> None:
        """Nothing else is to be done on the way to the first rest."""
        if isinstance(action, SetFinalizer):
            ref = action.ref
            body = self.store.get(ref.kind, ref.namespace, ref.name)
            self.put(merged(body, {"metadata": {"finalizers": [action.finalizer]}}))
            return
        assert isinstance(action, Create)
        metadata = action.manifest["metadata"]
        uid = {"metadata": {"uid": f"uid-{action.manifest['kind']}-{metadata['name']}"}}
        self.put(merged(action.manifest, uid))
