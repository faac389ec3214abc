# SPDX-License-Identifier: Apache-2.0
"""R3, R9: each reason for which a grant opens nothing is reached, and its message says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.case import Consumer, GrantCase
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Answer, Standing, Times
from tests.support import access, worlds
from tests.support.worlds import NAMESPACE, NOW, RIGA, at

Says = tuple[Callable[[], GrantCase], Answer, Reason, str]


def stand(case: GrantCase, day: str = "2026-10-13", clock: str = "12:00") -> Standing:
    """How the one version of a grant stands."""
    (found,) = standings(case, Times(at(day, clock), RIGA))
    return found


def granted_with(**spec: Any) -> GrantCase:
    return access.case(access.grant(spec=spec))


def offered_with(**spec: Any) -> GrantCase:
    return access.case(offered=access.offer(access.web_service(spec=spec)))


def registered_with(**patch: Any) -> GrantCase:
    return access.case(consumed=access.consumer(registered=worlds.registration(**patch)))


def leaving() -> Consumer:
    return access.consumer(service=worlds.eservice(metadata=DELETED["metadata"]))


def by_agent(**patch: Any) -> GrantCase:
    return access.case(access.grant(spec={"agent": {"assignment": access.AGENT}}), **patch)


def assigned(**spec: Any) -> GrantCase:
    return by_agent(assigned=access.own_assignment(spec=spec))


DELETED = {"metadata": {"deletionTimestamp": "2026-10-13T00:00:00Z"}}
ACCEPTANCE = worlds.eservice(spec={"environment": "Acceptance"})
PLACED = worlds.registration(
    spec={"namespaces": [{"environment": "Acceptance", "name": NAMESPACE}]},
    status={"namespaces": [{"environment": "Acceptance", "name": NAMESPACE, "state": "Ready"}]},
)
WITHOUT_EVIDENCE = [access.pilot("Rēzekne", "90000025465", None), access.PILOTS[1]]

UNKNOWN = (
    "EService pmlp-production/address-declaration does not ask for population-register in spec.uses, or has"
    " no registration that places it there"
)
"""All that is said of who does not ask, whether there is such an e-service or not."""

CASES: dict[str, Says] = {
    "refused": (
        lambda: granted_with(refused={"reason": "no legal ground"}),
        Answer.REFUSED,
        Reason.REFUSED,
        "no legal ground",
    ),
    "withdrawn": (
        lambda: access.case(access.grant(metadata=DELETED["metadata"])),
        Answer.OVER,
        Reason.CLOSING,
        "is being deleted",
    ),
    "expired": (
        lambda: granted_with(validUntil="2026-10-12"),
        Answer.OVER,
        Reason.EXPIRED,
        "the grant's last day was 2026-10-12",
    ),
    "unknown web service": (
        lambda: access.case(offered=None),
        Answer.WAITING,
        Reason.WEB_SERVICE_UNKNOWN,
        "WebService population-register does not exist",
    ),
    "unlabelled namespace": (
        lambda: access.case(offered=access.offer(namespace_labels={})),
        Answer.WAITING,
        Reason.HOLDER_NOT_CONFIRMED,
        "ur-production eservice.dev/institution=90000270634 eservice.dev/environment=production",
    ),
    "another institution's namespace": (
        lambda: access.case(
            offered=access.offer(
                namespace_labels={
                    "eservice.dev/institution": "90000054163",
                    "eservice.dev/environment": "production",
                }
            )
        ),
        Answer.WAITING,
        Reason.HOLDER_NOT_CONFIRMED,
        "is not known to be UR's",
    ),
    "a namespace of Test": (
        lambda: access.case(
            offered=access.offer(
                namespace_labels={
                    "eservice.dev/institution": access.HOLDER_CODE,
                    "eservice.dev/environment": "test",
                }
            )
        ),
        Answer.WAITING,
        Reason.HOLDER_NOT_CONFIRMED,
        "for Production",
    ),
    "SOAP without versions": (
        lambda: granted_with(contractVersions=None),
        Answer.WAITING,
        Reason.VERSIONS_NOT_NAMED,
        "name them in spec.contractVersions",
    ),
    "REST with versions": (
        lambda: access.rest_case(access.rest_grant(spec={"contractVersions": access.granted("v1")})),
        Answer.WAITING,
        Reason.VERSIONS_NOT_ALLOWED,
        "leave spec.contractVersions out",
    ),
    "REST that is retired as a whole": (
        lambda: access.rest_case(
            offered=access.offer(
                access.rest_service(
                    spec={
                        "contracts": [
                            {"version": "v1", "endOfLife": "2026-10-11"},
                            {"version": "v2", "endOfLife": "2026-10-12"},
                        ]
                    }
                )
            )
        ),
        Answer.OVER,
        Reason.CONTRACT_RETIRED,
        "their last day was 2026-10-12",
    ),
    "no such e-service": (
        lambda: access.case(consumed=None),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "an e-service that is being deleted": (
        lambda: access.case(consumed=leaving()),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "no registration": (
        lambda: access.case(consumed=access.consumer(registered=None)),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "a registration of another namespace": (
        lambda: registered_with(spec={"namespaces": [{"environment": "Production", "name": "elsewhere"}]}),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "a namespace that was not onboarded": (
        lambda: registered_with(status={"namespaces": []}),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "another stands for the registration": (
        lambda: access.case(
            consumed=access.consumer(senior=worlds.eservice(metadata={"name": "older", "uid": "uid-older"}))
        ),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "another environment": (
        lambda: access.case(consumed=access.consumer(service=ACCEPTANCE, registered=PLACED)),
        Answer.WAITING,
        Reason.ENVIRONMENT_MISMATCH,
        "is of Acceptance, the web service of Production",
    ),
    "no assignment": (by_agent, Answer.WAITING, Reason.ASSIGNMENT_NOT_FOUND, "no AgentAssignment evry"),
    "an assignment for another web service": (
        lambda: assigned(webService=access.ADDRESSES),
        Answer.WAITING,
        Reason.ASSIGNMENT_NOT_FOUND,
        "for population-register",
    ),
    "an assignment without agreement": (
        lambda: assigned(agreement=None),
        Answer.WAITING,
        Reason.ASSIGNMENT_PENDING,
        "AgentAssignment evry: the agent agreement is not signed",
    ),
    "an assignment with one pilot": (
        lambda: assigned(pilotCustomers=[access.PILOTS[0]]),
        Answer.WAITING,
        Reason.ASSIGNMENT_PENDING,
        "name them in spec.pilotCustomers",
    ),
    "a pilot without evidence": (
        lambda: assigned(pilotCustomers=WITHOUT_EVIDENCE),
        Answer.WAITING,
        Reason.ASSIGNMENT_PENDING,
        "missing of Rēzekne",
    ),
    "an assignment that ended": (
        lambda: assigned(ended={"at": "2026-10-13", "reason": "the agent gave notice"}),
        Answer.OVER,
        Reason.ASSIGNMENT_ENDED,
        "the agent gave notice",
    ),
    "no backend": (
        lambda: access.case(offered=access.offer(pods=None)),
        Answer.WAITING,
        Reason.BACKEND_NOT_FOUND,
        "Service population-register with port 8443",
    ),
    "no such contract version": (
        lambda: granted_with(contractVersions=access.granted("v6")),
        Answer.WAITING,
        Reason.CONTRACT_UNKNOWN,
        "has no contract version v6",
    ),
    "a retired contract version": (
        lambda: offered_with(contracts=[{"version": "v5", "endOfLife": "2026-10-12"}]),
        Answer.OVER,
        Reason.CONTRACT_RETIRED,
        "reached its end of life: its last day was 2026-10-12",
    ),
    "another e-service by the name of the one that was let in": (
        lambda: granted_with(consumer={"registration": "address-declaration-before"}),
        Answer.WAITING,
        Reason.OTHER_REGISTRATION,
        "is of registration address-declaration, the grant for address-declaration-before",
    ),
    "nobody asked": (
        lambda: access.case(consumed=access.consumer(access.use("v5", namespace="elsewhere"))),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "asked for another version": (
        lambda: access.case(consumed=access.consumer(access.use("v4"))),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        "population-register v5",
    ),
    "asked through an agent": (
        lambda: access.case(consumed=access.consumer(access.use(None, agent=access.AGENT))),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "granted as an agent, and asked for itself": (
        lambda: by_agent(consumed=access.consumer(), assigned=access.own_assignment()),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        "does not ask for population-register with asAgent: evry in spec.uses",
    ),
    "asked as an agent, and granted for itself": (
        lambda: access.case(consumed=access.consumer(access.use(as_agent=access.AGENT))),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        UNKNOWN,
    ),
    "an assignment for another agent": (
        lambda: by_agent(assigned=access.assignment()),
        Answer.WAITING,
        Reason.OTHER_AGENT,
        "AgentAssignment evry is for Evry, not for the consumer",
    ),
    "nobody asked for REST": (
        lambda: access.rest_case(consumed=access.consumer(access.use("v5"))),
        Answer.WAITING,
        Reason.NOT_REQUESTED,
        "does not ask for address-register in spec.uses, or has no registration",
    ),
    "no evidence": (
        lambda: granted_with(contractVersions=access.granted("v5", evidence=None)),
        Answer.WAITING,
        Reason.EVIDENCE_MISSING,
        "evidence.selfDeclaration and evidence.endToEnd",
    ),
    "half of the evidence": (
        lambda: granted_with(
            contractVersions=access.granted("v5", evidence={"selfDeclaration": access.DOCUMENT})
        ),
        Answer.WAITING,
        Reason.EVIDENCE_MISSING,
        "v5 lacks in Production: evidence.endToEnd",
    ),
    "no test": (
        lambda: access.case(tests=()),
        Answer.WAITING,
        Reason.TEST_MISSING,
        "needs an open grant of v5 at ur-test/population-register, or a ConnectionTest",
    ),
    "no test and no place for one": (
        lambda: access.case(offered=access.offer(access.web_service(spec={"testedAs": None})), tests=()),
        Answer.WAITING,
        Reason.TEST_MISSING,
        "needs a ConnectionTest of the Agency",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_keeps_a_grant_closed_is_said(name: str) -> None:
    made, answer, reason, message = CASES[name]
    found = stand(made())
    assert (found.answer, found.reason) == (answer, reason)
    assert message in found.message
    assert not found.allowed


ALLOWED: dict[str, Callable[[], GrantCase]] = {
    "in good order": access.case,
    "REST": access.rest_case,
    "the registration that is meant": lambda: granted_with(consumer={"registration": "address-declaration"}),
    "Test needs neither evidence nor test": access.case_in_test,
    "its last day": lambda: granted_with(validUntil="2026-10-13"),
    "the last day of its contract version": lambda: offered_with(
        contracts=[{"version": "v5", "endOfLife": "2026-10-13"}]
    ),
    "REST of which one version is left": lambda: access.rest_case(
        offered=access.offer(
            access.rest_service(
                spec={"contracts": [{"version": "v1", "endOfLife": "2020-01-01"}, {"version": "v2"}]}
            )
        )
    ),
    "an agent's application": assigned,
    "the last day of an assignment": lambda: assigned(validUntil="2026-10-13"),
    "the day before an assignment ends": lambda: assigned(ended={"at": "2026-10-14", "reason": "notice"}),
    "a suspended registration, whose e-services only leave the public route": lambda: registered_with(
        spec={"suspended": {"reason": "a breach"}}
    ),
    "an address outside": lambda: offered_with(backend={"service": None, "url": "https://api.ur.example"}),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_opens_is_open(name: str) -> None:
    found = stand(ALLOWED[name]())
    assert found.allowed, found


def test_without_its_web_service_a_grant_still_has_its_versions() -> None:
    both = access.case(access.grant(spec={"contractVersions": access.granted("v4", "v5")}), offered=None)
    assert [one.version for one in standings(both, Times(NOW, RIGA))] == ["v4", "v5"]


def test_the_holders_no_comes_before_everything_else() -> None:
    lacks_all = access.case(
        access.grant(spec={"refused": {"reason": "no"}, "validUntil": "2020-01-01"}),
        offered=None,
        consumed=None,
    )
    assert stand(lacks_all).reason is Reason.REFUSED


def test_the_last_day_is_the_first_of_all_ends() -> None:
    found = stand(
        access.case(
            access.grant(
                spec={
                    "contractVersions": access.granted("v4"),
                    "validUntil": "2027-12-31",
                    "agent": {"assignment": access.AGENT},
                }
            ),
            assigned=access.own_assignment(spec={"validUntil": "2028-01-01"}),
        )
    )
    assert str(found.ends_on) == "2027-10-31"
    assert found.message == "granted until 2027-10-31, that day included"


def test_the_last_day_of_rest_is_that_of_the_version_that_is_served_longest() -> None:
    contracts = [{"version": "v1", "endOfLife": "2027-01-31"}, {"version": "v2", "endOfLife": "2028-01-31"}]
    service = access.rest_service(spec={"contracts": contracts})
    assert str(stand(access.rest_case(offered=access.offer(service))).ends_on) == "2028-01-31"


EARLY, LATE = "2025-10-31", "2026-01-01"
RETIRED, EXPIRED, UNASSIGNED = Reason.CONTRACT_RETIRED, Reason.EXPIRED, Reason.ASSIGNMENT_ENDED


def soap_until(contract: str | None, grant: str | None, **assignment: Any) -> GrantCase:
    """A SOAP grant whose contract version, whose own term, and whose assignment ends on a day."""
    spec = {"validUntil": grant} | ({"agent": {"assignment": access.AGENT}} if assignment else {})
    served = access.web_service(spec={"contracts": [{"version": "v5", "endOfLife": contract}]})
    return access.case(
        access.grant(spec=spec),
        offered=access.offer(served),
        assigned=access.own_assignment(spec=assignment) if assignment else None,
    )


def rest_until(contract: str, grant: str) -> GrantCase:
    served = access.rest_service(spec={"contracts": [{"version": "v1", "endOfLife": contract}]})
    return access.rest_case(access.rest_grant(spec={"validUntil": grant}), offered=access.offer(served))


def ended(at: str) -> dict[str, str]:
    return {"at": at, "reason": "moved"}


BOTH_OVER: dict[str, tuple[GrantCase, Reason, str]] = {
    "contract first": (soap_until(EARLY, LATE), RETIRED, f"its last day was {EARLY}"),
    "grant first": (soap_until(LATE, EARLY), EXPIRED, f"the grant's last day was {EARLY}"),
    "on one day": (soap_until(EARLY, EARLY), EXPIRED, f"the grant's last day was {EARLY}"),
    "contract of REST first": (rest_until(EARLY, LATE), RETIRED, f"their last day was {EARLY}"),
    "grant of REST first": (rest_until(LATE, EARLY), EXPIRED, f"the grant's last day was {EARLY}"),
    "assignment first": (
        soap_until(LATE, LATE, validUntil=EARLY),
        UNASSIGNED,
        f"AgentAssignment {access.AGENT}: its last day was {EARLY}",
    ),
    "assignment last": (soap_until(LATE, EARLY, validUntil=LATE), EXPIRED, EARLY),
    "contract before assignment": (
        soap_until(EARLY, None, validUntil=LATE, agreement={"signedAt": "2025-02-01"}),
        RETIRED,
        EARLY,
    ),
    "assignment ended before its term": (
        soap_until(None, None, validUntil=LATE, ended=ended("2025-11-01")),
        UNASSIGNED,
        f"its last day was {EARLY}: moved",
    ),
    "assignment ended after its term": (
        soap_until(None, None, validUntil=EARLY, ended=ended(LATE)),
        UNASSIGNED,
        f"its last day was {EARLY}",
    ),
}


@pytest.mark.parametrize("name", BOTH_OVER)
def test_of_several_terms_that_are_over_the_earliest_counts(name: str) -> None:
    """What ended it stays what ended it, when a later term passes as well: reason, message and day."""
    case, reason, says = BOTH_OVER[name]
    first, both = stand(case, "2025-11-01"), stand(case, "2026-10-13")
    assert (first.answer, first.reason, str(first.ends_on)) == (Answer.OVER, reason, EARLY)
    assert first.message.endswith(says)
    assert both == first
    assert LATE not in both.message


def test_a_term_that_is_over_does_not_hide_a_no_that_came_before_it() -> None:
    """Only dated ends are compared with each other: a refusal, or what is not the holder's, is said first."""
    deleted = access.case(access.grant(spec={"validUntil": EARLY}, metadata=DELETED["metadata"]))
    assert stand(deleted).reason is Reason.CLOSING
    nobodys = access.case(
        offered=access.offer(
            access.web_service(spec={"contracts": [{"version": "v5", "endOfLife": EARLY}]}),
            namespace_labels={},
        )
    )
    assert stand(nobodys).reason is Reason.HOLDER_NOT_CONFIRMED
