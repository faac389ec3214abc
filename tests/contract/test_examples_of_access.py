# SPDX-License-Identifier: Apache-2.0
"""The worked dates of R3, R9 and R10 in the documentation are those of the code."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.notices import NoticeKind
from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.assignments import (
    assignment_ends,
    assignment_finding,
    customer_finding,
)
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.ladder import STEPS, Term, next_climb
from eservice_operator.core.access.open_now import closed_now
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Answer, Standing, Times
from eservice_operator.core.dates import local_day
from tests.contract.test_docs import NEVER, examples
from tests.support import access
from tests.support.worlds import POLICY

CUSTOMER = "90000024455"
IN_FORCE = date(2026, 2, 1)
"""When everything that the examples presuppose is there: agreement, test, evidence."""


def noon(day: date) -> Times:
    """The middle of a local day."""
    return Times(datetime.combine(day, time(12), POLICY.zone), POLICY.zone)


def at(instant: str) -> Times:
    return Times(datetime.fromisoformat(instant).astimezone(UTC), POLICY.zone)


def dated(field: str, day: str) -> dict[str, str]:
    return {} if day == NEVER else {field: day}


def soap_until(end_of_life: str, **grant: Any) -> GrantCase:
    """A SOAP grant of v4 in Production in good order, with the ends of its contract version and its own."""
    contracts = [{"version": "v4"} | dated("endOfLife", end_of_life)]
    early = {"spec": {"passedAt": "2020-01-01T00:00:00Z"}}
    return access.case(
        access.grant(spec={"contractVersions": access.granted("v4"), **grant}),
        offered=access.offer(access.web_service(spec={"contracts": contracts})),
        tests=(access.connection_test("tested-v4", "v4", **early),),
    )


def standing(case: GrantCase, times: Times) -> Standing:
    (one,) = standings(case, times)
    return one


def through_agent(case: GrantCase, ended: str) -> GrantCase:
    """The same for an agent's application, whose assignment ends after a day."""
    body = case.grant.model_dump(mode="json", by_alias=True, exclude_none=True)
    body["spec"]["agent"] = {"assignment": access.AGENT}
    spec = dated("validUntil", ended) | {"agreement": {"signedAt": "2020-01-01"}}
    assigned = access.own_assignment(spec=spec)
    return access.case(
        body,
        offered=case.offer,
        tests=(access.connection_test("tested-v4", "v4", spec={"passedAt": "2020-01-01T00:00:00Z"}),),
        assigned=assigned,
    )


def test_examples_of_the_last_day() -> None:
    for row in examples("grant valid until"):
        plain = soap_until(row["contract ends"], **dated("validUntil", row["grant valid until"]))
        case = through_agent(plain, row["assignment ends"])
        last = row["last day"]
        if last == NEVER:
            assert standing(case, noon(date(2199, 1, 1))).ends_on is None
            continue
        day = date.fromisoformat(last)
        assert standing(case, noon(day)).answer is Answer.ALLOWED, row
        assert standing(case, noon(day)).ends_on == day
        assert standing(case, noon(day + timedelta(days=1))).answer is Answer.OVER, row


def test_examples_of_the_end_of_life() -> None:
    for row in examples("end of life"):
        case = soap_until(row["end of life"])
        assert standing(case, at(row["still served (UTC)"])).answer is Answer.ALLOWED, row
        if row["closed from (UTC)"] == NEVER:
            continue
        closed = at(row["closed from (UTC)"])
        assert standing(case, closed).reason is Reason.CONTRACT_RETIRED
        assert case.offer is not None
        found = closed_now(case.grant, case.offer.web_service, None, "v4", None, closed)
        assert found is not None
        assert found.reason is Reason.CONTRACT_RETIRED, "the authorizer closes it at the same instant"


def test_examples_of_the_warnings() -> None:
    for row in examples("last day of access"):
        term = Term(NoticeKind.CONTRACT_RETIRING, "v4", date.fromisoformat(row["last day of access"]))
        at = noon(date(2020, 1, 1))
        steps = []
        while (coming := next_climb([term], at)) is not None:
            steps.append(str(local_day(coming, POLICY.zone)))
            at = Times(coming, POLICY.zone)
        assert steps == [row[step] for step in STEPS]


def may_be_called_for(assignment: AgentAssignment, code: str, day: date) -> bool:
    times = noon(day)
    return (
        assignment_finding(assignment, times, production=True) is None
        and customer_finding(assignment, code, times) is None
    )


def test_examples_of_a_customer() -> None:
    for row in examples("since"):
        ended = (
            {} if row["ended on"] == NEVER else {"ended": {"at": row["ended on"], "reason": "Contract over"}}
        )
        pilot = row["since"] == "pilot"
        joined = [] if pilot else [{"name": "Ogre", "code": CUSTOMER, "since": row["since"]}]
        assignment = AgentAssignment.model_validate(access.assignment(spec={"customers": joined, **ended}))
        code = access.PILOTS[0]["code"] if pilot else CUSTOMER
        first = IN_FORCE if pilot else date.fromisoformat(row["first day"])
        assert may_be_called_for(assignment, code, first), row
        assert not may_be_called_for(assignment, code, first - timedelta(days=1)), row
        last = assignment_ends(assignment)
        assert str(last or NEVER) == row["last day"]
        if last is not None:
            assert may_be_called_for(assignment, code, last), row
            assert not may_be_called_for(assignment, code, last + timedelta(days=1)), row
