# SPDX-License-Identifier: Apache-2.0
"""While the clock is not trusted no date ends what is open, and none opens anything: see ADR 0032."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.agent import AgentAssignmentStatus, AssignmentState
from eservice_operator.api.grant import GrantState
from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.webservice_status import ContractState, ContractStatus, WebServiceStatus
from eservice_operator.core import conditions as c
from eservice_operator.core.access.assigning import assignment_status
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.connections import connection_of
from eservice_operator.core.access.holding import decide_web_service, web_service_status
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.worlds import AssignmentWorld, WebServiceWorld
from eservice_operator.core.actions import Manifest, Outcome
from eservice_operator.core.policy import Policy
from tests.core.access.grant_cluster import GRANT, TEST_GRANT, GrantCluster, in_good_order
from tests.core.access.register import Register, agents_register, granted, joined
from tests.core.access.register import consumer as caller
from tests.core.access.strategies_grants import CONSUMER, SERVICE, Edit, edits, moments
from tests.core.access.test_grant_properties import lived
from tests.core.access.test_unclear import PERSONS, THROUGH, change, consumer
from tests.support import access
from tests.support.asking import AskingCluster
from tests.support.holders import HOLDER
from tests.support.worlds import DAY, NAME, NAMESPACE, NOW, POLICY, RIGA

UNTRUSTED = replace(POLICY, clock_trusted=False)
DECADE = timedelta(days=3650)
ASTRAY = (NOW - DECADE, NOW - 60 * DAY, NOW, NOW + 60 * DAY, NOW + DECADE)
"""What a clock may say that is not trusted."""
histories = st.lists(st.tuples(edits, st.booleans()), max_size=8)


def doubted(cluster: GrantCluster) -> GrantCluster:
    """From now on the clock is not trusted."""
    cluster.policy = replace(cluster.policy, clock_trusted=False)
    cluster.log.clear()
    return cluster


def reason(cluster: GrantCluster) -> tuple[str, str]:
    """What the grant says of being open."""
    found = c.find(cluster.status(GRANT).conditions, ConditionType.ACTIVE)
    assert found is not None
    return found.status.value, found.reason


@given(histories, moments, st.sampled_from(ASTRAY))
def test_whatever_it_says_nothing_is_written_for_a_date(
    history: list[tuple[Edit, bool]], times: list[datetime], astray: datetime
) -> None:
    cluster = lived(history, times, [])
    cluster.settle(times[-1])
    doubted(cluster).settle(astray)
    assert not cluster.log


ENDS: dict[str, tuple[Any, Manifest]] = {
    "the grant": (GRANT, {"validUntil": str((NOW + 30 * DAY).date())}),
    "the contract version": (SERVICE, {"contracts": [{"version": "v5", "endOfLife": "2027-01-31"}]}),
}


@pytest.mark.parametrize("what", ENDS)
def test_what_is_open_stays_until_the_clock_is_trusted(what: str) -> None:
    cluster, (place, spec) = in_good_order(), ENDS[what]
    cluster.edit(place, spec=spec)
    cluster.settle(NOW)
    doubted(cluster).settle(NOW + DAY)
    assert reason(cluster) == ("True", "Active"), "by either clock it goes on"
    cluster.settle(NOW + DECADE)
    assert not cluster.log
    assert reason(cluster) == ("True", "ClockSkew")
    (entry,) = cluster.status(GRANT).contract_versions
    assert "as far as one can tell: the clocks of operator and API server differ" in entry.message
    cluster.policy = POLICY
    cluster.settle(NOW + DAY)
    assert reason(cluster) == ("True", "Active")
    cluster.settle(NOW + DECADE)
    assert cluster.states(GRANT) == {"v5": GrantState.EXPIRED}


def test_what_needs_no_date_ends_it_all_the_same() -> None:
    for place, patch in (
        (GRANT, {"refused": {"reason": "no legal ground"}}),
        (CONSUMER, {"uses": []}),
    ):
        cluster = in_good_order()
        cluster.edit(GRANT, spec={"validUntil": "2026-12-31"})
        cluster.settle(NOW)
        cluster.edit(place, spec=patch)
        doubted(cluster).settle(NOW + DECADE)
        assert not cluster.may_call(GRANT), patch


def test_nothing_opens_by_a_date_and_what_has_none_does() -> None:
    cluster = doubted(in_good_order())
    cluster.edit(TEST_GRANT, spec={"validUntil": "2027-12-31"})
    cluster.settle(NOW)
    assert not cluster.may_call(TEST_GRANT)
    assert reason(cluster) == ("False", "ClockSkew")
    cluster.edit(TEST_GRANT, spec={"validUntil": None})
    cluster.settle(NOW)
    assert cluster.may_call(TEST_GRANT), "it has no date"
    assert not cluster.may_call(GRANT), "its test would be put on record with the date"
    assert not cluster.of_kind("ConnectionTest")
    cluster.policy = POLICY
    cluster.settle(NOW)
    assert cluster.may_call(GRANT)
    assert cluster.of_kind("ConnectionTest")


def untouched(cluster: AskingCluster) -> bool:
    """Whether nothing of access was written."""
    return not [one for one in cluster.log if "ConfigMap" in str(one) or "access." in str(one)]


@pytest.mark.parametrize("astray", ASTRAY)
def test_an_e_service_keeps_what_it_has_of_its_own_and_through_an_agent(astray: datetime) -> None:
    cluster = consumer()
    change(cluster, "WebServiceGrant", HOLDER, "address", {"spec": {"validUntil": "2026-12-31"}})
    change(cluster, "AgentAssignment", HOLDER, "evry", {"spec": {"validUntil": "2026-12-31"}})
    cluster.settle(NOW)
    cluster.forget()
    cluster.policy = replace(cluster.policy, clock_trusted=False)
    cluster.settle(astray)
    assert untouched(cluster)
    assert set(cluster.of_kind("ConfigMap")) == {PERSONS, THROUGH}
    change(cluster, "AgentAssignment", HOLDER, "evry", {"spec": {"customers": []}})
    cluster.settle(astray)
    assert set(cluster.of_kind("ConfigMap")) == {PERSONS}, "whom the holder takes off the list"
    cluster.policy = POLICY
    cluster.settle(NOW + DECADE)
    assert not cluster.of_kind("ConfigMap")


def test_nobody_becomes_a_customer_on_a_day_that_nobody_knows() -> None:
    cluster = consumer()
    cluster.policy = replace(cluster.policy, clock_trusted=False)
    listed = {"name": "PMLP", "code": "90000054163", "since": "2027-06-01"}
    change(cluster, "AgentAssignment", HOLDER, "evry", {"spec": {"customers": []}})
    cluster.settle(NOW)
    change(cluster, "AgentAssignment", HOLDER, "evry", {"spec": {"customers": [listed]}})
    cluster.settle(NOW + DECADE)
    assert set(cluster.of_kind("ConfigMap")) == {PERSONS}


def opened(world: AssignmentWorld) -> AssignmentWorld:
    """The same where its application and its customers were let in."""
    agent = world.agent
    connections = tuple(replace(one, opened=frozenset({"v5"})) for one in agent.connections)
    orders = tuple(replace(one, bound=True) for one in agent.orders)
    return AssignmentWorld(replace(agent, connections=connections, orders=orders))


def said(world: AssignmentWorld, now: datetime) -> AgentAssignmentStatus:
    return assignment_status(world, now, UNTRUSTED)


@pytest.mark.parametrize("astray", ASTRAY)
def test_an_assignment_goes_on_for_those_who_were_let_in(astray: datetime) -> None:
    """The authorizer goes by this status."""
    spec = {"customers": [joined("Ogre")], "validUntil": "2026-12-31"}
    world = agents_register(access.assignment(spec=spec)).assigned()
    before = assignment_status(world, NOW, POLICY)
    found = said(opened(world), astray)
    assert (found.state, found.active_customers) == (AssignmentState.ACTIVE, before.active_customers)
    assert said(world, astray).active_customers == (), "nobody was let in, and nobody is now"


def test_an_assignment_that_ended_by_hand_has_ended() -> None:
    leaving = access.assignment(metadata={"deletionTimestamp": "2026-10-13T08:00:00Z"})
    world = opened(agents_register(leaving).assigned())
    assert said(world, NOW + DECADE).state is AssignmentState.ENDED
    assert connection_of(world.agent, Times(NOW, RIGA, trusted=False)) is None


ENDING = [
    {"version": "v3", "endOfLife": "2024-05-31"},
    {"version": "v4", "endOfLife": "2026-11-30"},
    {"version": "v5", "endOfLife": "2026-12-31"},
]


def shown(world: WebServiceWorld, now: datetime, policy: Policy) -> WebServiceStatus:
    return web_service_status(decide_web_service(world, now, policy), Outcome(()), now, policy)


def counted(status: WebServiceStatus) -> dict[str, tuple[ContractState, int, int]]:
    def of(one: ContractStatus) -> tuple[ContractState, int, int]:
        return one.state, one.consumer_count, one.customer_count

    return {one.version: of(one) for one in status.contracts}


def ending(world: WebServiceWorld, status: WebServiceStatus, *versions: str) -> WebServiceWorld:
    """The same with that status, where all that is allowed was let in."""

    def let_in(grant: GrantCase) -> GrantCase:
        return replace(grant, opened=frozenset(versions))

    told = world.offer.web_service.model_copy(update={"status": status})
    offer = replace(world.offer, web_service=told)
    return replace(
        world,
        offer=offer,
        grants=tuple(let_in(replace(one, offer=offer)) for one in world.grants),
        orders=tuple(replace(one, bound=True) for one in world.orders),
        agents=tuple(
            replace(
                one, offer=offer, connections=tuple(let_in(replace(c, offer=offer)) for c in one.connections)
            )
            for one in world.agents
        ),
    )


@pytest.mark.parametrize("astray", ASTRAY)
def test_whoever_is_still_let_in_is_counted_and_no_version_retires(astray: datetime) -> None:
    offer = access.offer(access.web_service(spec={"contracts": ENDING}))
    world = replace(agents_register(), offers=(offer,)).web_service()
    before = shown(world, NOW, POLICY)
    assert counted(before) == {
        "v3": (ContractState.RETIRED, 0, 0),
        "v4": (ContractState.RETIRING, 0, 0),
        "v5": (ContractState.RETIRING, 1, 3),
    }
    found = shown(ending(world, before, "v5"), astray, UNTRUSTED)
    assert counted(found) == counted(before)
    assert (found.consumer_count, found.next_end) == (before.consumer_count, before.next_end)
    after = shown(ending(world, before, "v5"), NOW + DECADE, POLICY)
    assert set(counted(after).values()) == {(ContractState.RETIRED, 0, 0)}
    unseen = shown(ending(world, WebServiceStatus(), "v5"), astray, UNTRUSTED)
    assert counted(unseen)["v5"] == counted(before)["v5"], "nobody has said yet that it retired"


@pytest.mark.parametrize("astray", ASTRAY)
def test_of_rest_they_are_on_what_had_not_retired(astray: datetime) -> None:
    there = Register(
        offers=(access.offer(access.rest_service(spec={"contracts": ENDING})),),
        grants=granted(access.rest_grant()),
        consumers=(caller((NAMESPACE, NAME), access.use(None, web_service=access.ADDRESSES)),),
    )
    world = there.web_service(name=access.ADDRESSES)
    before = shown(world, NOW, POLICY)
    assert [one.consumer_count for one in before.contracts] == [0, 1, 1]
    assert counted(shown(ending(world, before, "*"), astray, UNTRUSTED)) == counted(before)
