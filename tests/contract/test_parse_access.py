# SPDX-License-Identifier: Apache-2.0
"""Reading web services, grants, assignments and tests: what is wrong comes in words, whatever its status."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.agent import AgentAssignment, AssignmentState
from eservice_operator.api.grant import GrantState, WebServiceGrant
from eservice_operator.api.parse import InvalidObject, parse, read
from eservice_operator.api.webservice import WebService
from tests.contract.manifests import changed, example
from tests.contract.test_parse import INSTANT

VERSION = "is not accepted, write a contract version of a-z, 0-9, - and ., such as v5"
URL = (
    "is not accepted, write an address such as https://api.vzd.example/v2, with an IPv4 address or a full"
    " host name in lower case that is none of the Pod or the cluster (.localhost, .local, .internal, .svc),"
    " and without a user"
)
NETWORK = (
    "is not accepted, write a network such as 198.51.100.0/28 or 2001:db8::/32: /8 at the widest (IPv6: /16),"
    " with no bits beyond its prefix, without unspecified, loopback,"
    " link-local, multicast and reserved addresses"
)
DAY = "is not a day of the calendar, write it as YYYY-MM-DD"


@pytest.mark.parametrize(
    "kind,path,value,error",
    [
        ("WebService", "protocol", "GraphQL", '"GraphQL" is not known, write SOAP or REST'),
        ("WebService", "isolation", "Off", '"Off" is not known, write Enforce or Observe'),
        ("WebService", "visibility", "Hidden", '"Hidden" is not known, write Listed or Unlisted'),
        ("WebService", "contracts", [], "has too few entries, write at least 1"),
        ("WebService", "contracts[0].version", 5, "5 is not text, write it in quotes"),
        ("WebService", "contracts[0].version", "V5", f'"V5" {VERSION}'),
        ("WebService", "contracts[0].endOfLife", "2024-06-31", f'"2024-06-31" {DAY}'),
        ("WebService", "backend.service.port", 0, "0 is too low, write 1 or more"),
        ("WebService", "backend.service.scheme", "tcp", '"tcp" is not known, write http or https'),
        ("WebService", "backend.url", "https://u:p@api.vzd.example", f'"https://u:p@api.vzd.example" {URL}'),
        ("WebService", "backend.url", "http://api.localhost/", f'"http://api.localhost/" {URL}'),
        ("WebService", "backend.networks", ["0.0.0.0/0"], f'"0.0.0.0/0" {NETWORK}'),
        ("WebService", "backend.networks", ["fe80::/10"], f'"fe80::/10" {NETWORK}'),
        ("WebService", "holder.code", None, "is missing, write it"),
        ("WebServiceGrant", "contractVersions", "v5", '"v5" is not a list, write one'),
        ("WebServiceGrant", "contractVersions", ["v5"], '"v5" is not a map, write its fields'),
        ("WebServiceGrant", "validUntil", "2028", f'"2028" {DAY}'),
        ("WebServiceGrant", "agent", "tilts", '"tilts" is not a map, write its fields'),
        ("WebServiceGrant", "refused", {}, "is missing, write it"),
        ("AgentAssignment", "customers[0].since", "soon", f'"soon" {DAY}'),
        ("AgentAssignment", "pilotCustomers[1].code", None, "is missing, write it"),
        ("ConnectionTest", "passedAt", "2026-10-21", f'"2026-10-21" {INSTANT}'),
    ],
)
def test_an_error_names_the_field_and_what_to_write(kind: str, path: str, value: Any, error: str) -> None:
    found = parse(kind, changed(example(kind), {f"spec.{path}": value}))
    assert isinstance(found, InvalidObject)
    assert len(found.errors) == 1
    place, _, said = found.errors[0].partition(": ")
    assert place.startswith(f"spec.{path}")
    assert said == error


def test_what_can_be_read_of_a_status_is_kept() -> None:
    """A newer operator may know more states; what was told stays told."""
    entry = {"version": "v5", "state": "Active", "reason": "Active"}
    status = {
        "state": "Dormant",
        "reason": "Active",
        "contractVersions": [entry, entry | {"version": "v6", "state": "Dormant"}],
        "endsOn": "soon",
        "consumer": {"institution": "SIA Tilts"},
    }
    grant = read(WebServiceGrant, example("WebServiceGrant") | {"status": status})
    assert isinstance(grant, WebServiceGrant)
    assert (grant.status.state, grant.status.reason, grant.status.ends_on) == (None, "Active", None)
    assert [(one.version, one.state) for one in grant.status.contract_versions] == [("v5", GrantState.ACTIVE)]
    assert grant.status.consumer is None


@pytest.mark.parametrize("status", [None, 3, "x", [], {"conditions": 1}, {"requests": [{}], "contracts": 1}])
def test_no_status_makes_a_web_service_unreadable(status: Any) -> None:
    service = read(WebService, example("WebService") | {"status": status})
    assert isinstance(service, WebService)
    assert service.status.requests == ()


def test_customers_of_a_status_that_cannot_be_read_are_none() -> None:
    """The authorizer lets pass for whom this list names."""
    status = {"state": "Active", "activeCustomers": ["90000025465", "no code!", 7]}
    assignment = read(AgentAssignment, example("AgentAssignment") | {"status": status})
    assert isinstance(assignment, AgentAssignment)
    assert assignment.status.state is AssignmentState.ACTIVE
    assert set(assignment.status.active_customers) <= {"90000025465"}
