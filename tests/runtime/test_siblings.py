# SPDX-License-Identifier: Apache-2.0
"""What one of many costs others: who may write one object may write hundreds, and each as often as they like.

In counts, not times: a change wakes as few of 300 as of 5, and a look at one takes the same among them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import pytest

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.decide import decide
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.world import World
from eservice_operator.runtime.triggers import triggers_for
from tests.support import access, holders, worlds
from tests.support.holders import HOLDER, REGISTER
from tests.support.steps import steps
from tests.support.worlds import HOST, NAME, NAMESPACE, NOW, POLICY, merged

FEW, MANY = 5, 300
SOME = 16
"""Keys that a change may wake, however many there are; what an EService of few uses names besides."""
USES = 4

keys_for = triggers_for((POLICY.gateway,))
VICTIM = ObjectKey("EService", NAMESPACE, NAME)


class Crowd:
    """A store with an e-service and what it needs, and as many others of something as there are to be."""

    def __init__(self, *others: Manifest) -> None:
        self.store = Store(INDEXES)
        self._versions = count(1)
        around = (worlds.template(), worlds.act(), worlds.verification())
        for body in (*holders.granted(), *around, *others):
            self.put(body)
        self.observer = Observer(self.store, POLICY)

    def put(self, body: Manifest) -> set[ObjectKey]:
        """Create or change an object, and answer whom that wakes."""
        return self._woken(self.store.upsert(slim(self._newer(body))))

    def drop(self, key: ObjectKey) -> set[ObjectKey]:
        body = self.store.get(*key)
        assert body is not None
        return self._woken(self.store.delete(self._newer(body)))

    def edit(self, key: ObjectKey, patch: Manifest) -> set[ObjectKey]:
        body = self.store.get(*key)
        assert body is not None
        return self.put(merged(body, patch))

    def look(self, key: ObjectKey) -> object:
        match key.kind:
            case "EService":
                world = self.observer.eservice(key)
                assert isinstance(world, World)
                return decide(world, NOW, POLICY)
            case "ProductionVerification":
                return self.observer.record(key)
            case _:
                return self.observer.access.grant(key)

    def cost(self, key: ObjectKey) -> int:
        """Of a look at one, once everything is known that is remembered."""
        self.look(key)
        return steps(lambda: self.look(key))

    def _newer(self, body: Manifest) -> Manifest:
        return dict(merged(body, {"metadata": {"resourceVersion": str(next(self._versions))}}))

    def _woken(self, change: Change | None) -> set[ObjectKey]:
        assert change is not None, "something changed"
        return set(keys_for(change, self.store))


def second(number: int) -> str:
    """An instant, so much later than the first of them."""
    return f"2026-10-12T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"


def sibling(number: int, namespace: str = "evil", created: str = "") -> Manifest:
    """One that names the same registration and the same host, and asks for web services of its own."""
    uses = [
        {"name": f"use-{use}", "webService": {"namespace": f"holder-{number}", "name": f"service-{use}"}}
        for use in range(USES)
    ]
    metadata = {"name": f"sibling-{number:03}", "namespace": namespace, "uid": f"uid-{namespace}-{number}"}
    metadata["creationTimestamp"] = created or second(number)
    return worlds.eservice(metadata=metadata, spec={"uses": uses})


def strangers(number: int) -> Crowd:
    """They are in a namespace of somebody who has no part in the registration."""
    return Crowd(*(sibling(each) for each in range(number)))


def juniors(number: int) -> Crowd:
    """They are where the registration places one, which is there already."""
    return Crowd(*(sibling(each, NAMESPACE) for each in range(number)))


def verified(number: int) -> Crowd:
    """They are verifications of the same release."""
    return Crowd(*(verification(each) for each in range(number)))


def verification(number: int) -> Manifest:
    return worlds.verification(f"again-{number:03}", metadata={"creationTimestamp": second(number)})


def granted(number: int) -> Crowd:
    """They are grants that name the e-service as their consumer, of web services that it does not ask for."""
    return Crowd(*(grant(each) for each in range(number)))


def grant(number: int) -> Manifest:
    return access.grant(f"again-{number:03}", spec={"webService": f"service-{number:03}"})


def of(kind: str, number: int, namespace: str) -> ObjectKey:
    names = {"EService": "sibling", "ProductionVerification": "again", "WebServiceGrant": "again"}
    return ObjectKey(kind, namespace, f"{names[kind]}-{number:03}")


NOTE = {"metadata": {"annotations": {"note": "touched"}}}
SAYS = {"status": {"phase": "Pending"}}
CONFIGURED = {"spec": {"workload": {"replicas": 3}}}
ASKS = {"spec": {"uses": [holders.USE]}}
LEAVES = {"metadata": {"deletionTimestamp": "2026-10-13T08:00:00Z"}}
UNPLACED = {"status": {"namespaces": [{"environment": "Production", "name": NAMESPACE, "state": "Conflict"}]}}
INGRESS = worlds.own_object("Ingress", "shop", "evil", "2026-10-13T08:00:00Z") | {
    "apiVersion": "networking.k8s.io/v1",
    "spec": {"rules": [{"host": HOST}]},
}
DECISION = ObjectKey("UnpublishDecision", "", str(worlds.decision()["metadata"]["name"]))
REGISTRATION = ObjectKey("EServiceRegistration", "", NAME)


class Lever(NamedTuple):
    """An edit that somebody makes among many, and whom it is to wake at least."""

    crowd: Callable[[int], Crowd]
    act: Callable[[Crowd, int], set[ObjectKey]]
    wakes: tuple[ObjectKey, ...] = ()


def edits(kind: str, namespace: str, patch: Manifest) -> Callable[[Crowd, int], set[ObjectKey]]:
    """An edit of the last of them."""
    return lambda crowd, number: crowd.edit(of(kind, number - 1, namespace), patch)


def decided(crowd: Crowd, _: int) -> set[ObjectKey]:
    crowd.put(worlds.decision())
    return crowd.edit(DECISION, {"status": {"state": "Scheduled"}})


LEVERS = {
    "a note on one elsewhere": Lever(strangers, edits("EService", "evil", NOTE)),
    "a status of one elsewhere": Lever(strangers, edits("EService", "evil", SAYS)),
    "how one elsewhere runs": Lever(strangers, edits("EService", "evil", CONFIGURED)),
    "what one elsewhere asks for": Lever(strangers, edits("EService", "evil", ASKS)),
    "the hosts of one elsewhere": Lever(
        strangers, edits("EService", "evil", {"spec": {"publication": {"hosts": ["other.example.lv"]}}})
    ),
    "another one elsewhere": Lever(strangers, lambda crowd, number: crowd.put(sibling(number))),
    "one elsewhere that leaves": Lever(strangers, edits("EService", "evil", LEAVES)),
    "the first elsewhere goes": Lever(
        strangers, lambda crowd, _: crowd.drop(of("EService", 0, "evil")), (of("EService", 1, "evil"),)
    ),
    "a note on the real one": Lever(strangers, lambda crowd, _: crowd.edit(VICTIM, NOTE)),
    "the real one begins to go": Lever(juniors, lambda crowd, _: crowd.edit(VICTIM, LEAVES)),
    "a note on a junior": Lever(juniors, edits("EService", NAMESPACE, NOTE)),
    "a status of a junior": Lever(juniors, edits("EService", NAMESPACE, SAYS)),
    "how a junior runs": Lever(juniors, edits("EService", NAMESPACE, CONFIGURED)),
    "the hosts of the real one": Lever(
        juniors,
        lambda crowd, _: crowd.edit(VICTIM, {"spec": {"publication": {"hosts": [HOST, "other.example.lv"]}}}),
    ),
    "another junior": Lever(juniors, lambda crowd, number: crowd.put(sibling(number, NAMESPACE))),
    "the real one goes": Lever(
        juniors, lambda crowd, _: crowd.drop(VICTIM), (of("EService", 0, NAMESPACE), VICTIM)
    ),
    "how a namespace of theirs stands": Lever(
        juniors, lambda crowd, _: crowd.edit(REGISTRATION, UNPLACED), (VICTIM, REGISTRATION)
    ),
    "a note on the registration": Lever(juniors, lambda crowd, _: crowd.edit(REGISTRATION, NOTE)),
    "a decision about the real one": Lever(juniors, decided, (VICTIM,)),
    "an Ingress for their host": Lever(strangers, lambda crowd, _: crowd.put(INGRESS), (VICTIM,)),
    "a note on a verification": Lever(verified, edits("ProductionVerification", NAMESPACE, NOTE)),
    "a status of a verification": Lever(verified, edits("ProductionVerification", NAMESPACE, SAYS)),
    "another verification": Lever(verified, lambda crowd, number: crowd.put(verification(number)), (VICTIM,)),
    "the newest verification goes": Lever(
        verified,
        lambda crowd, number: crowd.drop(of("ProductionVerification", number - 1, NAMESPACE)),
        (VICTIM,),
    ),
    "how what is verified runs": Lever(verified, lambda crowd, _: crowd.edit(VICTIM, CONFIGURED)),
    "what is said of what is verified": Lever(verified, lambda crowd, _: crowd.edit(VICTIM, SAYS)),
    "how a consumer of many runs": Lever(granted, lambda crowd, _: crowd.edit(VICTIM, CONFIGURED)),
    "what a consumer of many asks for": Lever(
        granted,
        lambda crowd, _: crowd.edit(VICTIM, {"spec": {"uses": []}}),
        (ObjectKey("WebServiceGrant", HOLDER, "address"), ObjectKey("WebService", HOLDER, REGISTER)),
    ),
    "a note on one of many grants": Lever(granted, edits("WebServiceGrant", HOLDER, NOTE)),
}


@pytest.mark.parametrize("lever", LEVERS.values(), ids=LEVERS)
def test_a_change_of_one_of_many_wakes_a_few(lever: Lever) -> None:
    few, many = (lever.act(lever.crowd(number), number) for number in (FEW, MANY))
    assert len(many) == len(few) <= SOME, sorted(many)
    assert many >= set(lever.wakes), "those whom it does concern"


@pytest.mark.parametrize("lever", LEVERS.values(), ids=LEVERS)
def test_whom_it_concerns_is_found_without_going_through_them(lever: Lever) -> None:
    """Not even the keys of those whom it does not wake are made."""

    def cost(number: int) -> int:
        crowd = lever.crowd(number)
        lever.act(crowd, number)  # what is kept beside the store is made when it is first asked for
        crowd = lever.crowd(number)
        crowd.edit(VICTIM, {"metadata": {"labels": {"looked": "at"}}})
        return steps(lambda: lever.act(crowd, number))

    assert cost(MANY) <= 1.1 * cost(FEW)


@pytest.mark.parametrize(
    "crowd, key",
    [
        (strangers, VICTIM),
        (strangers, of("EService", FEW - 1, "evil")),
        (strangers, ObjectKey("WebServiceGrant", HOLDER, "address")),
        (juniors, VICTIM),
        (juniors, of("EService", FEW - 1, NAMESPACE)),
        (juniors, ObjectKey("WebServiceGrant", HOLDER, "address")),
        (verified, ObjectKey("ProductionVerification", NAMESPACE, "verified-1")),
        (verified, of("ProductionVerification", FEW - 1, NAMESPACE)),
        (granted, VICTIM),
        (granted, of("WebServiceGrant", FEW - 1, HOLDER)),
    ],
)
def test_a_look_at_one_takes_the_same_among_many(crowd: Callable[[int], Crowd], key: ObjectKey) -> None:
    few, many = (crowd(number).cost(key) for number in (FEW, MANY))
    assert many <= 1.05 * few


def test_the_brake_does_not_count_them_one_by_one() -> None:
    """Each look at the template, which every one of them wakes."""

    def cost(number: int) -> int:
        crowd = strangers(number)
        crowd.observer.template(ObjectKey("EServiceTemplate", "", worlds.TEMPLATE))
        crowd.edit(
            of("EService", 0, "evil"), {"status": {"release": {"public": {"template": {"name": "x"}}}}}
        )
        key = ObjectKey("EServiceTemplate", "", worlds.TEMPLATE)
        return steps(lambda: crowd.observer.template(key))

    assert cost(MANY) <= 1.05 * cost(FEW)
