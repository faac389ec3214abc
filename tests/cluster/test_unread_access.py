# SPDX-License-Identifier: Apache-2.0
"""What cannot be read, as after half an upgrade: no new access comes of it, and none is taken for it."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.api.agent import AgentAssignmentStatus
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.access.assigning import assignment_status
from eservice_operator.core.access.granting import GrantDecision, decide_grant, grant_status
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.worlds import AssignmentWorld, GrantWorld, WebServiceWorld
from eservice_operator.core.actions import Action, Create, Delete, Manifest, Outcome, SetFinalizer
from eservice_operator.core.keys import ObjectKey
from tests.support import holders
from tests.support.holders import CONSUMER, HOLDER, REGISTER
from tests.support.worlds import NAME, NOW, POLICY, RIGA, merged

GRANT = ObjectKey("WebServiceGrant", HOLDER, "address")
DELETED = {"metadata": {"deletionTimestamp": "2026-10-13T07:59:00Z"}}
BOUND = {"finalizers": [names.GRANT_FINALIZER]}
Place = tuple[str, str, str]


def as_agent() -> tuple[Manifest, ...]:
    """The same grant, to an e-service that is an agent's application."""
    return (
        holders.grant(metadata=BOUND, spec={"agent": {"assignment": "evry"}}),
        holders.assignment(spec={"agent": {"name": "PMLP", "code": "90000054163"}}),
        holders.asking(spec={"uses": [holders.AS_AGENT]}),
    )


class Shelf:
    """A grant that was opened, with all that it rests on; then some of it changes."""

    def __init__(self, *more: Manifest, opened: bool = True) -> None:
        self.objects: dict[Place, Manifest] = {}
        grant = holders.grant(metadata=BOUND)
        self.put(*holders.granted(), grant, holders.connection_test(), *more)
        if opened:
            self.carry_out(self.decide().actions)
            assert not self.decide().actions

    def put(self, *bodies: Manifest) -> None:
        for body in bodies:
            metadata = body["metadata"]
            self.objects[body["kind"], metadata.get("namespace", ""), metadata["name"]] = body

    def edit(self, kind: str, namespace: str, name: str, patch: Any) -> None:
        self.put(dict(merged(self.objects[kind, namespace, name], patch)))

    def carry_out(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, Create):
                metadata = action.manifest["metadata"]
                given = {"uid": f"uid-{action.manifest['kind']}-{metadata['name']}", "resourceVersion": "1"}
                self.put(action.manifest | {"metadata": metadata | given})

    @property
    def observer(self) -> Observer:
        store = Store(INDEXES)
        for body in self.objects.values():
            store.upsert(slim(body))
        return Observer(store, POLICY)

    def world(self) -> GrantWorld:
        world = self.observer.access.grant(GRANT)
        assert isinstance(world, GrantWorld)
        return world

    def decide(self) -> GrantDecision:
        return decide_grant(self.world(), NOW, POLICY)

    def closed(self) -> set[str]:
        return {one.ref.kind for one in self.decide().actions if isinstance(one, Delete)}

    def reason(self) -> str:
        (found,) = standings(self.world().case, Times(NOW, RIGA))
        return found.reason.value


UNREAD: dict[str, tuple[str, str, str, Any]] = {
    "its web service": ("WebService", HOLDER, REGISTER, {"spec": {"contracts": 7}}),
    "its consumer": ("EService", CONSUMER, NAME, {"spec": {"registration": 7}}),
    "the registration": ("EServiceRegistration", "", NAME, {"spec": {"institution": 7}}),
    "the test": ("ConnectionTest", "", "passed", {"spec": {"passedAt": 7}}),
}


def without_test_grant(shelf: Shelf) -> Shelf:
    """Nothing but the ConnectionTest proves the test."""
    del shelf.objects["WebServiceGrant", holders.HOLDER_TEST, "address"]
    return shelf


@pytest.mark.parametrize("what", UNREAD)
def test_what_is_open_stays_as_it_is(what: str) -> None:
    shelf = without_test_grant(Shelf())
    shelf.edit(*UNREAD[what])
    decision = shelf.decide()
    assert not decision.actions
    assert shelf.reason() == "Unreadable"
    status = grant_status(decision, Outcome(()), NOW)
    assert (status.state, status.reason) == ("Active", "Unreadable")
    said = {one.type: (one.status, one.reason) for one in status.conditions}
    assert said["Active"] == said["Ready"] == ("True", "Unreadable")


@pytest.mark.parametrize("what", UNREAD)
def test_nothing_new_opens(what: str) -> None:
    shelf = without_test_grant(Shelf(opened=False))
    shelf.edit(*UNREAD[what])
    decision = shelf.decide()
    assert not [one for one in decision.actions if isinstance(one, Create)]
    assert not any(one.allowed for one in decision.standings)


@pytest.mark.parametrize("what", UNREAD)
@pytest.mark.parametrize(
    "end",
    [
        {"spec": {"refused": {"reason": "no ground"}}},
        {"spec": {"validUntil": "2026-10-01"}},
        DELETED,
    ],
)
def test_what_ends_a_grant_ends_it_all_the_same(what: str, end: Any) -> None:
    shelf = without_test_grant(Shelf())
    shelf.edit(*UNREAD[what])
    shelf.edit("WebServiceGrant", HOLDER, "address", end)
    assert shelf.closed() == {"NetworkPolicy", "Role", "RoleBinding"}


@pytest.mark.parametrize("kind", ["WebService", "EService", "EServiceRegistration"])
def test_what_is_gone_is_not_unread(kind: str) -> None:
    shelf = Shelf()
    gone = [place for place in shelf.objects if place[0] == kind and place[1] != holders.HOLDER_TEST]
    for place in gone:
        del shelf.objects[place]
    assert "Role" in shelf.closed()


def test_a_test_that_was_revoked_proves_nothing_however_it_reads() -> None:
    shelf = without_test_grant(Shelf())
    shelf.edit("ConnectionTest", "", "passed", {"spec": {"passedAt": 7, "revoked": {"at": "2026-10-01"}}})
    assert shelf.reason() == "TestMissing"
    assert "Role" in shelf.closed()


def test_a_role_of_somebody_elses_making_opens_nothing() -> None:
    """It has to be the grant's, and what is known has to allow it: evidence and test, too."""
    shelf = without_test_grant(Shelf())
    shelf.edit("WebService", HOLDER, REGISTER, {"spec": {"contracts": 7}})
    del shelf.objects["ConnectionTest", "", "passed"]
    assert shelf.reason() == "TestMissing"
    shelf = Shelf()
    shelf.edit("WebService", HOLDER, REGISTER, {"spec": {"contracts": 7}})
    shelf.edit("Role", HOLDER, "grant.address", {"metadata": {"ownerReferences": []}})
    assert not any(one.allowed for one in shelf.decide().standings)


def test_an_assignment_that_cannot_be_read_disconnects_no_agent() -> None:
    shelf = Shelf(*as_agent())
    shelf.edit("AgentAssignment", HOLDER, "evry", {"spec": {"customers": 7}})
    assert shelf.reason() == "Unreadable"
    assert not shelf.decide().actions
    del shelf.objects["AgentAssignment", HOLDER, "evry"]
    assert "Role" in shelf.closed()


def test_an_assignment_goes_on_while_its_web_service_cannot_be_read() -> None:
    shelf = Shelf(*as_agent())
    key = ObjectKey("AgentAssignment", HOLDER, "evry")

    def status() -> AgentAssignmentStatus:
        world = shelf.observer.access.assignment(key)
        assert isinstance(world, AssignmentWorld)
        return assignment_status(world, NOW, POLICY)

    before = status()
    assert (before.state, before.grant) == ("Active", "address")
    shelf.edit("WebService", HOLDER, REGISTER, {"spec": {"contracts": 7}})
    assert status() == before.model_copy(
        update={"message": status().message, "conditions": status().conditions}
    )
    del shelf.objects["WebService", HOLDER, REGISTER]
    assert status().state == "Pending"


# the Service behind it is away


def test_a_service_that_is_made_anew_ends_nothing() -> None:
    shelf = Shelf()
    service = shelf.objects.pop(("Service", HOLDER, REGISTER))
    decision = shelf.decide()
    assert not decision.actions
    status = grant_status(decision, Outcome(()), NOW)
    assert (status.state, status.reason) == ("Active", "BackendNotFound")
    shelf.edit("WebService", HOLDER, REGISTER, {"spec": {"isolation": "Observe"}})
    assert shelf.closed() == {"NetworkPolicy"}, "the holder said so"
    shelf.edit("WebService", HOLDER, REGISTER, {"spec": {"isolation": "Enforce"}})
    shelf.put(dict(merged(service, {"spec": {"selector": {"app": "another"}}})))
    assert {type(one).__name__ for one in shelf.decide().actions} == {"Update"}


def test_nothing_opens_without_a_service() -> None:
    shelf = Shelf(opened=False)
    del shelf.objects["Service", HOLDER, REGISTER]
    assert shelf.reason() == "BackendNotFound"
    assert not [one for one in shelf.decide().actions if isinstance(one, Create)]


# the grant itself

ILLEGIBLE = {"spec": {"contractVersions": [{"version": "v5", "evidence": 7}]}}


def test_a_grant_that_cannot_be_read_still_answers_for_what_it_opened() -> None:
    shelf = Shelf()
    shelf.edit("WebServiceGrant", HOLDER, "address", ILLEGIBLE)
    world = shelf.observer.access.web_service(ObjectKey("WebService", HOLDER, REGISTER))
    assert isinstance(world, WebServiceWorld)
    assert not world.foreign_roles
    (case,) = world.grants
    (found,) = standings(case, Times(NOW, RIGA))
    assert (found.version, found.held, found.reason.value) == ("v5", True, "Unreadable")
    del shelf.objects["Role", HOLDER, "grant.address"]
    world = shelf.observer.access.web_service(ObjectKey("WebService", HOLDER, REGISTER))
    assert isinstance(world, WebServiceWorld)
    assert not any(one.allowed for one in standings(world.grants[0], Times(NOW, RIGA)))


@pytest.mark.parametrize("broken", [ILLEGIBLE, {"spec": {"webService": 7, "consumer": 7}}, {"spec": None}])
def test_a_grant_that_cannot_be_read_leaves_when_it_is_deleted(broken: Any) -> None:
    shelf = Shelf()
    shelf.edit("WebServiceGrant", HOLDER, "address", merged(broken, DELETED))
    assert shelf.closed() == {"NetworkPolicy", "Role", "RoleBinding"}
    for kind in ("NetworkPolicy", "Role", "RoleBinding"):
        del shelf.objects[kind, HOLDER, "grant.address"]
    (last,) = shelf.decide().actions
    assert isinstance(last, SetFinalizer)
    assert not last.present
    grant_status(shelf.decide(), Outcome(()), NOW)
