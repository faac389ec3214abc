# SPDX-License-Identifier: Apache-2.0
"""R10: a grant closes at the end of its last day in the zone, and is looked at again at that very instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.agent import AgentAssignmentStatus, AssignmentState
from eservice_operator.api.grant import GrantedVersionStatus, GrantState, WebServiceGrantStatus
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.granting import decide_grant
from eservice_operator.core.access.open_now import closed_now
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.worlds import GrantWorld
from tests.support import access, worlds

SECOND = timedelta(seconds=1)
ZONES = ("Europe/Riga", "Europe/Stockholm", "UTC", "Africa/Cairo", "America/Havana", "Pacific/Apia")


def valid_until(day: str) -> GrantCase:
    return access.case(access.grant(spec={"validUntil": day}))


def retired(day: str) -> GrantCase:
    contracts = [{"version": "v5", "endOfLife": day}]
    return access.case(offered=access.offer(access.web_service(spec={"contracts": contracts})))


def assigned_until(day: str) -> GrantCase:
    return access.case(
        access.grant(spec={"agent": {"assignment": access.AGENT}}),
        assigned=access.own_assignment(spec={"validUntil": day}),
    )


def assignment_ended_after(day: str) -> GrantCase:
    ended = {"at": str(date.fromisoformat(day) + timedelta(days=1)), "reason": "notice"}
    return access.case(
        access.grant(spec={"agent": {"assignment": access.AGENT}}),
        assigned=access.own_assignment(spec={"ended": ended}),
    )


def proof_revoked_after(day: str) -> GrantCase:
    revoked = {"at": str(date.fromisoformat(day) + timedelta(days=1)), "reason": "a mistake"}
    return access.case(tests=[access.connection_test(spec={"revoked": revoked})])


def proven_until(day: str) -> GrantCase:
    tested = access.case_in_test(access.grant_in_test(spec={"validUntil": day}))
    return access.case(tests=(), tested=(tested,))


def rest_retired(day: str) -> GrantCase:
    contracts = [{"version": "v0", "endOfLife": "2020-01-01"}, {"version": "v1", "endOfLife": day}]
    return access.rest_case(offered=access.offer(access.rest_service(spec={"contracts": contracts})))


ENDS: dict[str, Any] = {
    "validUntil": valid_until,
    "end of life": retired,
    "validUntil of the assignment": assigned_until,
    "end of the assignment": assignment_ended_after,
    "revocation of the proof": proof_revoked_after,
    "validUntil of the grant in Test": proven_until,
    "end of life of all of REST": rest_retired,
}
DAYS = {
    "the clocks go back": ("2026-10-25", "2026-10-25T22:00:00+00:00"),
    "the clocks go forward": ("2027-03-28", "2027-03-28T21:00:00+00:00"),
    "the last day of summer time's Saturday": ("2026-10-24", "2026-10-24T21:00:00+00:00"),
    "year end": ("2026-12-31", "2026-12-31T22:00:00+00:00"),
    "29 February": ("2028-02-29", "2028-02-29T22:00:00+00:00"),
}


def allowed(case: GrantCase, now: datetime, zone: str = "Europe/Riga") -> bool:
    decision = decide_grant(GrantWorld(case), now, replace(worlds.POLICY, zone=ZoneInfo(zone)))
    (standing,) = decision.standings
    return standing.allowed


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("end", ENDS)
def test_it_closes_exactly_at_the_end_of_its_last_day(end: str, day: str) -> None:
    last, text = DAYS[day]
    case, instant = ENDS[end](last), datetime.fromisoformat(text)
    assert allowed(case, instant - SECOND)
    assert not allowed(case, instant)
    decision = decide_grant(GrantWorld(case), instant - SECOND, worlds.POLICY)
    assert decision.next_at == instant
    assert str(decision.standings[0].ends_on) == last
    assert decide_grant(GrantWorld(case), instant, worlds.POLICY).actions == ()


def passes(case: GrantCase, written: datetime, now: datetime) -> bool:
    """Whether the authorizer lets a call pass, by a status that the operator wrote before."""
    (standing,) = decide_grant(GrantWorld(case), written, worlds.POLICY).standings
    entry = GrantedVersionStatus(
        version=standing.version, state=GrantState.ACTIVE, reason="Active", ends_on=standing.ends_on
    )
    grant = case.grant.model_copy(update={"status": WebServiceGrantStatus(contract_versions=(entry,))})
    pilot, assignment = access.PILOTS[0]["code"], case.assignment
    if assignment is not None:
        status = AgentAssignmentStatus(state=AssignmentState.ACTIVE, active_customers=(pilot,))
        assignment = assignment.model_copy(update={"status": status})
    assert case.offer is not None
    version = "v1" if standing.version == "*" else standing.version
    customer, times = None if assignment is None else pilot, Times(now, worlds.RIGA)
    return closed_now(grant, case.offer.web_service, assignment, version, customer, times) is None


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("end", ENDS)
def test_the_authorizer_closes_at_the_same_instant_by_itself(end: str, day: str) -> None:
    last, text = DAYS[day]
    case, instant = ENDS[end](last), datetime.fromisoformat(text)
    assert passes(case, worlds.NOW, instant - SECOND)
    assert not passes(case, worlds.NOW, instant)


@given(
    st.sampled_from(sorted(ENDS)),
    st.dates(date(2026, 11, 1), date(2031, 12, 30)),
    st.sampled_from(ZONES),
    st.integers(0, 2000 * 86_400).map(lambda seconds: worlds.NOW + timedelta(seconds=seconds)),
)
def test_following_the_instants_finds_every_change(end: str, last: date, zone: str, now: datetime) -> None:
    """From any instant on: between two looks that follow each other nothing changes."""
    case, policy = ENDS[end](str(last)), replace(worlds.POLICY, zone=ZoneInfo(zone))
    decision = decide_grant(GrantWorld(case), now, policy)
    if decision.next_at is None:
        assert not decision.standings[0].allowed, "it ends some day"
        return
    assert decision.next_at > now
    just_before = decide_grant(GrantWorld(case), decision.next_at - SECOND, policy)
    assert just_before.standings == decision.standings


def test_what_opens_on_a_day_opens_at_its_start() -> None:
    signed = {"number": "A-12", "signedAt": "2026-10-26", "document": access.DOCUMENT}
    case = access.case(
        access.grant(spec={"agent": {"assignment": access.AGENT}}),
        assigned=access.own_assignment(spec={"agreement": signed}),
    )
    start = datetime(2026, 10, 25, 22, tzinfo=UTC)
    assert decide_grant(GrantWorld(case), worlds.NOW, worlds.POLICY).next_at == start
    assert not allowed(case, start - SECOND)
    assert allowed(case, start)


def test_a_test_to_come_opens_when_it_is_passed() -> None:
    case = access.case(tests=[access.connection_test(spec={"passedAt": "2026-10-13T10:30:00Z"})])
    passed = datetime(2026, 10, 13, 10, 30, tzinfo=UTC)
    assert decide_grant(GrantWorld(case), worlds.NOW, worlds.POLICY).next_at == passed
    assert not allowed(case, passed - SECOND)
    assert allowed(case, passed)


def test_a_grant_without_dates_is_not_looked_at_again() -> None:
    assert decide_grant(GrantWorld(access.rest_case()), worlds.NOW, worlds.POLICY).next_at is None
