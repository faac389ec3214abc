# SPDX-License-Identifier: Apache-2.0
"""Whatever holders do, in whatever order: no Pod restarts, an end takes everything, and then it is quiet."""

from __future__ import annotations

import copy
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.api import names
from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.webservice_status import RequestState
from eservice_operator.core.access.naming import access_policy, binding_of
from eservice_operator.core.actions import Manifest, Update, target_of
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.heard import AGAIN
from eservice_operator.core.opened import open_access
from tests.core.access.bound import application
from tests.support import holders
from tests.support.asking import (
    ADDRESS_USE,
    ADDRESSES,
    AskingCluster,
    agent_in_order,
    asking,
    customer,
    elsewhere,
    holder_in_order,
    registered,
    rest_grant,
    rest_service,
    through,
)
from tests.support.holders import HOLDER, REGISTER
from tests.support.worlds import NAME, NAMESPACE, NOW, merged

DAY = timedelta(days=1)
PMLP = {"name": "PMLP", "code": "90000054163"}
days = st.integers(-3, 12).map(lambda offset: (NOW + offset * DAY).date())
few = settings(max_examples=25, deadline=None)


def _listed(since: date | None) -> list[Manifest]:
    return [] if since is None else [PMLP | {"since": str(since)}]


def _put(body: Manifest) -> Any:
    return lambda cluster: cluster.answer(body)


def _gone(kind: str, name: str) -> Any:
    return lambda cluster: cluster.around.pop((kind, HOLDER, name), None)


def _leaves(body: Manifest) -> Any:
    """An e-service that is being deleted, and that its tenant holds."""
    return _put(
        merged(body, {"metadata": {"deletionTimestamp": LEFT, "finalizers": ["tenant.example/hold"]}})
    )


LEFT = "2026-10-01T00:00:00Z"
AGENTS = next(one for one in agent_in_order() if one["kind"] == "EService")
edits = st.one_of(
    days.map(lambda day: _put(holders.grant(spec={"validUntil": str(day)}))),
    days.map(lambda day: _put(rest_grant(spec={"validUntil": str(day)}))),
    days.map(lambda day: _put(holders.assignment(spec={"customers": _listed(day)}))),
    days.map(
        lambda day: _put(holders.assignment(spec={"customers": _listed(NOW.date()), "validUntil": str(day)}))
    ),
    days.map(
        lambda day: _put(holders.web_service(spec={"contracts": [{"version": "v5", "endOfLife": str(day)}]}))
    ),
    st.sampled_from(
        [
            _put(holders.grant()),
            _put(holders.grant(spec={"refused": {"reason": "no"}})),
            _put(holders.grant(spec={"credentials": {"secretName": "key"}})),
            _put(holders.grant(spec={"agent": {"assignment": "evry"}})),
            _put(holders.web_service()),
            _put(holders.backend(spec={"ports": [{"port": 8443, "targetPort": 9443}]})),
            _put(holders.backend(spec={"selector": None})),
            _put(holders.namespace(metadata={"labels": None})),
            _put(holders.namespace()),
            _put(rest_grant()),
            _put(rest_service(spec={"backend": {"url": "http://addresses.ur.example"}})),
            _put(holders.assignment(spec={"customers": _listed(None)})),
            _gone("WebServiceGrant", "address"),
            _gone("WebServiceGrant", "addresses"),
            _gone("WebServiceGrant", "evry-connection"),
            _gone("WebService", REGISTER),
            _gone("WebService", ADDRESSES),
            _gone("AgentAssignment", "evry"),
            _put(AGENTS),
            _leaves(AGENTS),
            _leaves(customer()[0]),
        ]
    ),
)


def everything() -> AskingCluster:
    """A SOAP, a REST and an agent's web service, granted; another institution orders through the agent."""
    cluster = asking(holders.USE, ADDRESS_USE, through() | {"name": "citizens"})
    cluster.answer(*holder_in_order(), *agent_in_order(), *customer())
    cluster.answer(holders.assignment(spec={"customers": _listed(NOW.date())}))
    cluster.settle(NOW)
    assert cluster.routed()
    return cluster


BEGIN = everything()


def begin() -> AskingCluster:
    """A cluster of its own that has all of it."""
    return AskingCluster(objects=copy.deepcopy(BEGIN.objects), around=copy.deepcopy(BEGIN.around))


def _what_is_there(cluster: AskingCluster) -> tuple[set[str], list[Any]]:
    """Names of the bindings, and the rules of the policy."""
    policy = cluster.objects.get(("NetworkPolicy", NAMESPACE, access_policy(NAME)), {}).get("spec", {})
    return set(cluster.of_kind("ConfigMap")), [*policy.get("egress", ()), *policy.get("ingress", ())]


def _allowed(decision: Decision) -> set[str]:
    facts = decision.facts
    return {binding_of(NAME, use) for use in facts.wanted.uses if facts.standing(use).allowed}


@few
@given(st.lists(st.tuples(edits, st.integers(0, 3)), max_size=8))
def test_what_is_open_is_what_is_allowed_and_no_pod_restarts(steps: list[tuple[Any, int]]) -> None:
    cluster, now = begin(), NOW
    pods = copy.deepcopy(cluster.one("Deployment")["spec"])
    for edit, later in steps:
        edit(cluster)
        now += later * DAY
        cluster.forget()
        decision = cluster.settle(now)
        assert decision is not None
        bindings, rules = _what_is_there(cluster)
        assert bindings == _allowed(decision)
        assert bool(rules) <= bool(bindings)
        assert cluster.one("Deployment")["spec"] == pods
        assert cluster.routed(), "no end takes a running e-service down"
        lost = cluster.reason(ConditionType.ACCESS_GRANTED) != ("True", "AccessGranted")
        assert lost is (len(bindings) < 3)
        cluster.forget()
        cluster.settle(now)
        assert not cluster.log, "and then it is quiet"
        assert not cluster.statuses


@few
@given(st.lists(edits, max_size=6), st.booleans())
def test_what_takes_needs_no_spec_that_can_be_read_and_gives_nothing(steps: list[Any], back: bool) -> None:
    cluster = begin()
    cluster.objects[cluster.service_place]["spec"]["workload"]["port"] = "http"
    for edit in [*steps, *([_put(holders.grant())] if back else [])]:
        before, _ = _what_is_there(cluster)
        edit(cluster)
        cluster.settle(NOW)
        world = cluster.world()
        decision = decide(world, NOW, cluster.policy)
        assert world.errors
        after, _ = _what_is_there(cluster)
        assert after == before & _allowed(decision), "what is allowed stays, and nothing comes"


@few
@given(st.lists(edits, max_size=6))
def test_nothing_changes_by_itself_before_the_instant_that_is_named(steps: list[Any]) -> None:
    cluster, now = begin(), NOW
    for edit in steps:
        edit(cluster)
    decision = cluster.settle(now)
    assert decision is not None
    world, opened = cluster.world(), open_access(decision.facts, decision.rollout)
    for hour in range(1, 24 * 14):
        at: datetime = now + timedelta(hours=hour)
        later = decide(world, at, cluster.policy)
        if decision.next_at is not None and at >= decision.next_at:
            break
        assert open_access(later.facts, later.rollout) == opened
        assert later.rollout.gates == decision.rollout.gates


@few
@given(st.lists(st.tuples(edits, st.integers(0, 90)), max_size=8))
def test_in_the_end_the_institution_has_heard_of_every_end(steps: list[tuple[Any, int]]) -> None:
    cluster, now = begin(), NOW
    for edit, minutes in steps:
        edit(cluster)
        now += timedelta(minutes=minutes)
        cluster.settle(now)
    cluster.forget()
    cluster.advance(now, now + AGAIN)
    assert cluster.told or not cluster.statuses
    for entry in cluster.status.uses:
        granted = entry.state is RequestState.GRANTED
        assert not (entry.told is RequestState.GRANTED and not granted), "of the end it has heard"
        assert granted is (entry.ended is None), "all were granted once"


@few
@given(st.lists(edits, max_size=6))
def test_only_bindings_and_the_policy_of_access_are_written(steps: list[Any]) -> None:
    cluster = begin()
    cluster.forget()
    for edit in steps:
        edit(cluster)
        cluster.settle(NOW)
    for action in cluster.log:
        target = target_of(action)
        assert target.namespace == NAMESPACE
        assert (target.kind, target.name) == ("NetworkPolicy", access_policy(NAME)) or (
            target.kind in ("ConfigMap", "Secret") and target.name.startswith(f"{NAME}-")
        )
        if isinstance(action, Update) and target.kind == "ConfigMap":
            assert action.manifest["metadata"]["annotations"][names.GRANT_ANNOTATION]


@few
@given(st.lists(edits, max_size=3), st.lists(edits, max_size=3))
def test_one_that_is_being_deleted_has_nothing_open_whatever_happens(
    before: list[Any], after: list[Any]
) -> None:
    cluster = begin()
    for edit in before:
        edit(cluster)
        cluster.settle(NOW)
    metadata = cluster.objects[cluster.service_place]["metadata"]
    metadata["finalizers"] = ["tenant.example/hold", names.FINALIZER]
    cluster.remove(cluster.service_place)
    for edit in [lambda _: None, *after]:
        edit(cluster)
        cluster.settle(NOW)
        assert _what_is_there(cluster) == (set(), [])
        assert metadata["finalizers"] == ["tenant.example/hold"]


STRANGERS = (
    _put(customer()[0]),
    _leaves(customer()[0]),
    _leaves(elsewhere("cesis", "cesis-production", through())),
    _put(elsewhere("ogre", "cesis-production", through())),
    _put(elsewhere("squat", "squat-production", through())),
    _put(merged(elsewhere("squat", "squat-production", through()), {"spec": {"registration": "ogre"}})),
    _put(registered("squat", "squat-production", "Squat", "90000099999")),
    _put(registered("ogre", "ogre-production", "Ogre", "90000099999")),
    _put(registered("ogre", "squat-production", "Ogre", "90000024455")),
    _put(customer()[1]),
)


@few
@given(st.lists(st.sampled_from(STRANGERS), max_size=6))
def test_an_application_lets_in_whom_the_holder_lists_and_who_stays(steps: list[Any]) -> None:
    """Judged in another way: who is of a listed institution, where that is placed, and not leaving."""
    cluster = application()
    for edit in steps:
        edit(cluster)
    cluster.settle(NOW)
    expected = {place for place in _ordering(cluster) if _may(cluster, *place)}
    _, rules = _what_is_there(cluster)
    let_in = {
        (
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
            peer["podSelector"]["matchLabels"]["eservice.dev/eservice"],
        )
        for rule in rules
        for peer in rule.get("from", ())
    }
    assert let_in == expected


def _ordering(cluster: AskingCluster) -> list[tuple[str, str]]:
    return [(place[1], place[2]) for place in cluster.around if place[0] == "EService" and place[1] != HOLDER]


def _may(cluster: AskingCluster, namespace: str, name: str) -> bool:
    body = cluster.around["EService", namespace, name]
    stands_for = body["spec"]["registration"]
    registration = cluster.around.get(("EServiceRegistration", "", stands_for))
    if registration is None or "deletionTimestamp" in body["metadata"]:
        return False
    listed = registration["spec"]["institution"]["code"] in {"90000024455", "90000031048"}
    placed = namespace in [one["name"] for one in registration["spec"]["namespaces"]]
    return listed and placed and any(use.get("agent") == "evry" for use in body["spec"]["uses"])
