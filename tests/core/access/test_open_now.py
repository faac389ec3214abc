# SPDX-License-Identifier: Apache-2.0
"""R3, R9: what the authorizer asks of the objects that it watches itself, whatever the operator wrote."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.open_now import closed_now
from eservice_operator.core.access.terms import Times
from eservice_operator.core.actions import Manifest
from tests.support import access
from tests.support.worlds import NOW, RIGA, merged

CUSTOMER = access.PILOTS[0]["code"]
ACTIVE = {
    "observedGeneration": 1,
    "state": "Active",
    "contractVersions": [{"version": "v5", "state": "Active", "reason": "Active"}],
}
IN_FORCE = {"observedGeneration": 1, "state": "Active", "activeCustomers": [CUSTOMER, "90000000009"]}


def grant(**patch: Any) -> Manifest:
    return access.grant(**merged({"status": ACTIVE}, patch))


def rest(**patch: Any) -> Manifest:
    whole = {
        "status": ACTIVE | {"contractVersions": [{"version": "*", "state": "Active", "reason": "Active"}]}
    }
    return access.rest_grant(**merged(whole, patch))


def agents(**patch: Any) -> Manifest:
    return grant(**merged({"spec": {"agent": {"assignment": access.AGENT}}}, patch))


def assigned(**patch: Any) -> Manifest:
    return access.assignment(**merged({"status": IN_FORCE}, patch))


def asked(
    body: Manifest,
    service: Manifest | None = None,
    *,
    version: str = "v5",
    assignment: Manifest | None = None,
    customer: str | None = None,
) -> Reason | None:
    found = closed_now(
        WebServiceGrant.model_validate(body),
        WebService.model_validate(access.web_service() if service is None else service),
        None if assignment is None else AgentAssignment.model_validate(assignment),
        version,
        customer,
        Times(NOW, RIGA),
    )
    return None if found is None else found.reason


def test_what_is_active_passes() -> None:
    assert asked(grant()) is None
    assert asked(rest(), access.rest_service(), version="v1") is None
    assert asked(rest(), access.rest_service(), version="") is None
    assert asked(agents(), assignment=assigned(), customer=CUSTOMER) is None


REFUSED: dict[str, tuple[Manifest, str, Reason]] = {
    "in deletion": (grant(metadata={"deletionTimestamp": "2026-10-13T08:00:00Z"}), "v5", Reason.CLOSING),
    "refused since": (grant(spec={"refused": {"reason": "no"}}), "v5", Reason.REFUSED),
    "past its last day": (grant(spec={"validUntil": "2026-10-12"}), "v5", Reason.EXPIRED),
    "another version": (grant(), "v4", Reason.VERSION_NOT_GRANTED),
    "a version that there is not": (grant(), "v9", Reason.CONTRACT_UNKNOWN),
    "no version for SOAP": (grant(), "", Reason.CONTRACT_UNKNOWN),
    "a version that left the grant": (
        grant(spec={"contractVersions": access.granted("v4")}),
        "v5",
        Reason.VERSION_NOT_GRANTED,
    ),
    "nothing written yet": (access.grant(), "v5", Reason.ACCESS_NOT_GRANTED),
    "a version that is only pending": (
        grant(status={"contractVersions": [{"version": "v5", "state": "Pending", "reason": "Opening"}]}),
        "v5",
        Reason.ACCESS_NOT_GRANTED,
    ),
    "past the last day of what it rests on": (
        grant(
            status={"contractVersions": [ACTIVE["contractVersions"][0] | {"endsOn": "2026-10-12"}]}  # type: ignore[index]
        ),
        "v5",
        Reason.EXPIRED,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_ended_does_not_pass_whatever_was_written_before(name: str) -> None:
    body, version, reason = REFUSED[name]
    assert asked(body, version=version) is reason


def test_a_retired_contract_version_does_not_pass() -> None:
    contracts = [{"version": "v5", "endOfLife": "2026-10-12"}]
    assert asked(grant(), access.web_service(spec={"contracts": contracts})) is Reason.CONTRACT_RETIRED
    retired = access.rest_service(spec={"contracts": [*contracts, {"version": "v6"}]})
    assert asked(rest(), retired, version="v5") is Reason.CONTRACT_RETIRED
    assert asked(rest(), retired, version="v6") is None


def test_rest_that_names_versions_does_not_pass() -> None:
    body = rest(spec={"contractVersions": access.granted("v1")})
    assert asked(body, access.rest_service(), version="v1") is Reason.VERSION_NOT_GRANTED


@pytest.mark.parametrize(
    "assignment, customer, reason",
    [
        (None, CUSTOMER, Reason.ASSIGNMENT_NOT_FOUND),
        (assigned(spec={"webService": "other"}), CUSTOMER, Reason.ASSIGNMENT_NOT_FOUND),
        (assigned(spec={"validUntil": "2026-10-12"}), CUSTOMER, Reason.ASSIGNMENT_ENDED),
        (assigned(spec={"ended": {"at": "2026-10-13", "reason": "x"}}), CUSTOMER, Reason.ASSIGNMENT_ENDED),
        (assigned(spec={"agreement": None}), CUSTOMER, Reason.AGREEMENT_MISSING),
        (assigned(status={"state": "Pending"}), CUSTOMER, Reason.ASSIGNMENT_PENDING),
        (assigned(), None, Reason.CUSTOMER_NOT_LISTED),
        (assigned(), "", Reason.CUSTOMER_NOT_LISTED),
        (assigned(), "90000000001", Reason.CUSTOMER_NOT_LISTED),
        (
            assigned(),
            "90000000009",
            Reason.CUSTOMER_NOT_LISTED,
        ),  # active by the status, and not listed any more
        (assigned(status={"activeCustomers": []}), CUSTOMER, Reason.CUSTOMER_NOT_LISTED),
    ],
)
def test_an_agent_calls_for_its_customers_and_for_nobody_else(
    assignment: Manifest | None, customer: str | None, reason: Reason
) -> None:
    assert asked(agents(), assignment=assignment, customer=customer) is reason


def test_who_is_no_agent_calls_for_nobody_else() -> None:
    assert asked(grant(), customer=CUSTOMER) is Reason.CUSTOMER_NOT_LISTED
    assert asked(grant(), assignment=assigned(), customer=CUSTOMER) is Reason.CUSTOMER_NOT_LISTED


def test_a_customer_passes_from_its_first_day() -> None:
    listed = {"name": "Ogre", "code": "90000000009", "since": "2026-10-14"}
    assignment = assigned(spec={"customers": [listed]})
    assert asked(agents(), assignment=assignment, customer="90000000009") is Reason.CUSTOMER_NOT_LISTED
    assignment = assigned(spec={"customers": [listed | {"since": "2026-10-13"}]})
    assert asked(agents(), assignment=assignment, customer="90000000009") is None
