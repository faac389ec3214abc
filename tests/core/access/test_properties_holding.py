# SPDX-License-Identifier: Apache-2.0
"""R3, R9: what holds in every register of web services, for consumers, holders and agents alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.agent import AgentAssignment, AssignmentState
from eservice_operator.api.base import Environment
from eservice_operator.api.grant import GrantedVersionStatus, GrantState, WebServiceGrant
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Isolation, WebService
from eservice_operator.api.webservice_status import WebServiceStatus
from eservice_operator.core.access.assigning import assignment_next, assignment_status
from eservice_operator.core.access.connections import connection_of
from eservice_operator.core.access.holding import (
    WebServiceDecision,
    build_wall,
    decide_web_service,
    web_service_status,
)
from eservice_operator.core.access.open_now import closed_now
from eservice_operator.core.access.requesting import request_state, requests_of, shown
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.actions import Create, Delete, Outcome, Update
from tests.core.access.register import CODES, Register, children, times
from tests.core.access.strategies_register import PLACES, SERVICES, any_registers, good_registers, instants
from tests.support import access
from tests.support.pure_cluster import status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import POLICY

DONE = Outcome(())
EVER = timedelta(days=3_000)
"""Beyond every date of these worlds."""
Read = dict[tuple[tuple[str, str], str], UseStanding]


def read(there: Register, now: datetime) -> Read:
    """What every e-service reads of each of its uses, by place and name of the use."""
    return {(place, found.use.name): found for place in PLACES for found in there.standings(place, now)}


def worlds_of(there: Register) -> list[WebServiceWorld]:
    return [there.web_service(name=offer.web_service.metadata.name) for offer in there.offers]


def unlisted(there: Register, name: str) -> Register:
    """The same with that web service unlisted."""

    def hidden(web_service: WebService) -> WebService:
        body = web_service.model_dump(mode="json", by_alias=True, exclude_none=True)
        body["spec"]["visibility"] = "Unlisted"
        return WebService.model_validate(body)

    return there.but(
        offers=tuple(
            replace(offer, web_service=hidden(offer.web_service))
            if offer.web_service.metadata.name == name
            else offer
            for offer in there.offers
        )
    )


def without(assignment: AgentAssignment, code: str) -> AgentAssignment:
    """The assignment without that institution."""
    spec = assignment.spec
    kept = {
        "pilot_customers": tuple(one for one in spec.pilot_customers if one.code != code),
        "customers": tuple(one for one in spec.customers if one.code != code),
    }
    return assignment.model_copy(update={"spec": spec.model_copy(update=kept)})


# nothing leaks


@given(any_registers, instants(), st.sampled_from(PLACES), st.sampled_from(SERVICES))
def test_a_web_service_that_one_may_not_know_reads_as_none(
    there: Register, now: datetime, place: tuple[str, str], name: str
) -> None:
    there = unlisted(there, name)
    asking = there.consumer(*place)
    assert asking is not None
    placed = place != PLACES[-1]
    there = there.but(
        grants=tuple(
            one
            for one in there.grants
            if (one.spec.consumer.namespace, one.spec.web_service) != (place[0], name)
        ),
        assignments=tuple(
            without(one, asking.code or "") if placed and one.spec.web_service == name else one
            for one in there.assignments
        ),
    )
    none_such = there.but(
        offers=tuple(one for one in there.offers if one.web_service.metadata.name != name),
        grants=tuple(one for one in there.grants if one.spec.web_service != name),
        assignments=tuple(one for one in there.assignments if one.spec.web_service != name),
    )
    for one, other in zip(there.standings(place, now), none_such.standings(place, now), strict=True):
        if one.use.web_service.name == name:
            assert one == other
            assert repr(one) == repr(other)


# both sides read the same


@given(any_registers, instants())
def test_holder_and_consumer_read_the_same(there: Register, now: datetime) -> None:
    for world in worlds_of(there):
        spec, name = world.offer.web_service.spec, world.offer.web_service.metadata.name
        told = {
            (one.namespace, one.contract_version, one.agent, one.as_agent): one
            for one in map(shown, requests_of(world, times(now)))
        }
        asked = {}
        for place in PLACES[:-1]:
            for found in there.standings(place, now):
                same = spec.environment is Environment.PRODUCTION
                if found.use.web_service.name == name and same:
                    use = found.use
                    asked[place[0], use.contract_version, use.agent, use.as_agent] = found
        assert told.keys() == asked.keys(), "all that have a place, each once, and nobody else"
        for key, standing in asked.items():
            request = told[key]
            assert request.state is request_state(standing)
            if standing.reason is not Reason.ACCESS_NOT_GRANTED:
                assert request.message == standing.message
            else:
                assert request.message == "no grant yet", "what it may know of its own web service"
            assert request.grant == (standing.grant and standing.grant.grant.metadata.name)


@given(any_registers, instants())
def test_the_authorizer_lets_pass_whom_the_agents_status_names(there: Register, now: datetime) -> None:
    for assignment in there.assignments:
        world = there.assigned(name=assignment.metadata.name)
        if world.agent.offer is None:
            continue
        status = assignment_status(world, now, POLICY)
        told = assignment.model_copy(update={"status": status})
        connection = connection_of(world.agent, times(now))
        open_versions = {one.version for one in connection.allowed} if connection else set()
        assert bool(status.active_customers) <= (status.state is AssignmentState.ACTIVE)
        for case in world.agent.connections if connection else ():
            if case.grant.spec.consumer != connection.grant.grant.spec.consumer:  # type: ignore[union-attr]
                continue
            granted = _told(case.grant, now, there)
            for version in [one.version for one in case.grant.spec.contract_versions]:
                for code in CODES.values():
                    closed = closed_now(
                        granted, world.agent.offer.web_service, told, version, code, times(now)
                    )
                    passes = code in status.active_customers
                    assert (closed is None) <= (passes and version in open_versions)


def _told(grant: WebServiceGrant, now: datetime, there: Register) -> WebServiceGrant:
    """The grant once its status says how it stands."""
    versions = tuple(
        GrantedVersionStatus(
            version=one.version,
            state=GrantState.ACTIVE if one.allowed else GrantState.PENDING,
            reason=one.reason.value,
        )
        for one in standings(there.case(grant), times(now))
    )
    status = grant.status.model_copy(update={"contract_versions": versions})
    return grant.model_copy(update={"status": status})


@given(any_registers, instants())
def test_the_customers_that_are_active_are_those_that_read_that_they_may_call(
    there: Register, now: datetime
) -> None:
    standing = read(there, now)
    for assignment in there.assignments:
        name = assignment.metadata.name
        status = assignment_status(there.assigned(name=name), now, POLICY)
        expected = set()
        for (place, _), found in standing.items():
            asking = there.consumer(*place)
            through = found.use.agent == name and found.use.web_service.name == assignment.spec.web_service
            if through and found.allowed and asking is not None:
                expected.add(asking.code)
        assert set(status.active_customers) == expected


# joining, leaving, ending


@given(good_registers(), instants(), st.sampled_from(sorted(CODES.values())))
def test_who_leaves_an_agent_takes_nobody_along(there: Register, now: datetime, code: str) -> None:
    less = there.but(assignments=tuple(without(one, code) for one in there.assignments))
    # two pilots are needed: with fewer, nobody calls
    if any(len(one.spec.pilot_customers) < 2 for one in less.assignments):
        return
    before, after = read(there, now), read(less, now)
    for (place, use), standing in before.items():
        asking = there.consumer(*place)
        through = standing.use.agent is not None
        if through and asking is not None and asking.code == code:
            assert not after[place, use].allowed
        else:
            assert (after[place, use].allowed, after[place, use].message) == (
                standing.allowed,
                standing.message,
            )


@given(good_registers(), instants())
def test_ending_an_assignment_ends_what_came_through_it_and_no_more(there: Register, now: datetime) -> None:
    before, after = read(there, now), read(there.but(assignments=()), now)
    for key, standing in before.items():
        through = standing.use.agent is not None
        by_agent = standing.grant is not None and standing.grant.grant.spec.agent is not None
        if through:
            assert not after[key].allowed
        elif not by_agent:
            assert (after[key].allowed, after[key].message) == (standing.allowed, standing.message)


# statuses: sound, bounded, in any order, at rest


def soundly(world: WebServiceWorld, decision: WebServiceDecision, now: datetime) -> dict[str, object]:
    found = web_service_status(decision, DONE, now, POLICY)
    metadata = {"name": "it", "generation": 1}
    body = {"kind": "WebService", "metadata": metadata, "status": status_body(found)}
    assert_status_sound(body, before=world.offer.web_service.status)
    return body["status"]  # type: ignore[return-value]


@given(any_registers, instants(), st.randoms(use_true_random=False))
def test_statuses_do_not_depend_on_the_order_of_the_store(
    there: Register, now: datetime, random: Random
) -> None:
    mixed = there.but(
        consumers=tuple(random.sample(there.consumers, len(there.consumers))),
        assignments=tuple(random.sample(there.assignments, len(there.assignments))),
        tests=tuple(random.sample(there.tests, len(there.tests))),
    )
    for one, other in zip(worlds_of(there), worlds_of(mixed), strict=True):
        said = [soundly(world, decide_web_service(world, now, POLICY), now) for world in (one, other)]
        assert said[0] == said[1]
    for assignment in there.assignments:
        name = assignment.metadata.name
        assert assignment_status(there.assigned(name=name), now, POLICY) == assignment_status(
            mixed.assigned(name=name), now, POLICY
        )


@given(any_registers, instants())
def test_a_web_service_comes_to_rest(there: Register, now: datetime) -> None:
    for world in worlds_of(there):
        decision = decide_web_service(world, now, POLICY)
        written = [one.manifest for one in decision.actions if isinstance(one, Create | Update)]
        assert not any(isinstance(one, Delete) for one in decision.actions)
        after = replace(world, children=children(*written))
        again = decide_web_service(after, now, POLICY)
        assert again.actions == ()
        status = web_service_status(again, DONE, now, POLICY)
        rested = saying(after, status)
        assert web_service_status(decide_web_service(rested, now, POLICY), DONE, now, POLICY) == status


@given(any_registers, instants())
def test_a_wall_goes_only_where_none_is_meant_to_be(there: Register, now: datetime) -> None:
    for world in worlds_of(there):
        spec = world.offer.web_service.spec
        walled = replace(world, children=children(build_wall(world.offer.web_service, access.PODS)))
        gone = [one for one in decide_web_service(walled, now, POLICY).actions if isinstance(one, Delete)]
        assert bool(gone) == (spec.isolation is Isolation.OBSERVE or spec.backend.service is None)


@given(any_registers, instants(), st.floats(0, 0.999999))
def test_between_the_instants_that_are_named_no_status_changes(
    there: Register, now: datetime, part: float
) -> None:
    for world in worlds_of(there):
        decision = decide_web_service(world, now, POLICY)
        later = now + ((decision.next_at or now + EVER) - now) * part
        at_first = web_service_status(decision, DONE, now, POLICY)
        rested = saying(world, at_first)
        then = web_service_status(decide_web_service(rested, later, POLICY), DONE, later, POLICY)
        assert _untold(then) == _untold(at_first)
    for assignment in there.assignments:
        asked = there.assigned(name=assignment.metadata.name)
        later = now + ((assignment_next(asked, now, POLICY) or now + EVER) - now) * part
        first = assignment_status(asked, now, POLICY)
        told = asked.agent.assignment.model_copy(update={"status": first})
        rested_agent = replace(asked, agent=replace(asked.agent, assignment=told))
        assert assignment_status(rested_agent, later, POLICY) == first


def saying(world: WebServiceWorld, status: WebServiceStatus) -> WebServiceWorld:
    """The world once that is its status."""
    web_service = world.offer.web_service.model_copy(update={"status": status})
    return replace(world, offer=replace(world.offer, web_service=web_service))


def _untold(status: WebServiceStatus) -> WebServiceStatus:
    """Without the ledger, which has instants of its own."""
    return status.model_copy(update={"notices": (), "warned": ()})
