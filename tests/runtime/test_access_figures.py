# SPDX-License-Identifier: Apache-2.0
"""The gauges about grants and web services say what their statuses say."""

from __future__ import annotations

from eservice_operator.core.actions import Manifest
from tests.runtime.test_figures import notice, samples, seen_of
from tests.support import access, worlds

WHO = {"namespace": access.HOLDER, "name": access.REGISTER}
GRANT = {
    "namespace": access.HOLDER,
    "name": worlds.NAME,
    "web_service": access.REGISTER,
    "consumer_namespace": worlds.NAMESPACE,
    "consumer": worlds.NAME,
}


def grant(**status: object) -> Manifest:
    return access.grant(status=status)


def test_each_contract_version_of_a_grant_has_its_state() -> None:
    versions = [{"version": "v4", "state": "Expired"}, {"version": "v5", "state": "Active"}]
    seen = seen_of(grant(contractVersions=versions))
    assert seen["eservice_grant"] == [
        (GRANT | {"contract_version": "v4", "state": "Expired"}, 1),
        (GRANT | {"contract_version": "v5", "state": "Active"}, 1),
    ]
    assert seen["eservice_grant_ends_timestamp_seconds"] == []
    assert seen_of(grant())["eservice_grant"] == [], "nobody has looked at it"


def test_what_is_granted_and_does_not_work_is_counted_by_why() -> None:
    versions = [
        {"version": "v3", "state": "Pending", "reason": "EvidenceMissing"},
        {"version": "v4", "state": "Pending", "reason": "NameCollision"},
        {"version": "v5", "state": "Active", "reason": "Active"},
    ]
    copied = {"type": "CredentialsCopied", "status": "False", "reason": "CredentialsMissing"}
    seen = seen_of(grant(contractVersions=versions, conditions=[copied]))
    assert seen["eservice_grant_hindered"] == [
        (GRANT | {"contract_version": "v4", "reason": "NameCollision"}, 1),
        (GRANT | {"contract_version": "v5", "reason": "CredentialsMissing"}, 1),
    ]
    seen = seen_of(grant(contractVersions=versions[2:], conditions=[copied | {"status": "True"}]))
    assert seen["eservice_grant_hindered"] == []


def test_what_is_open_and_not_as_it_should_be_is_counted_as_well() -> None:
    seen = seen_of(grant(contractVersions=[{"version": "v5", "state": "Active", "reason": "Drifted"}]))
    assert seen["eservice_grant_hindered"] == [(GRANT | {"contract_version": "v5", "reason": "Drifted"}, 1)]


def test_the_last_day_of_a_grant_ends_with_it_and_counts_while_it_is_active() -> None:
    versions = [
        {"version": "v4", "state": "Pending", "endsOn": "2027-10-30"},
        {"version": "v5", "state": "Active", "endsOn": "2027-10-31"},
    ]
    seen = seen_of(grant(contractVersions=versions))
    assert seen["eservice_grant_ends_timestamp_seconds"] == [
        (GRANT | {"contract_version": "v5"}, worlds.at("2027-11-01", "00:00").timestamp())
    ]


def test_a_web_service_tells_of_its_versions_and_of_who_waits() -> None:
    def request(state: str, since: str) -> dict[str, str]:
        return {"namespace": "a", "eService": "b", "state": state, "since": since}

    seen = seen_of(
        access.web_service(
            status={
                "contracts": [
                    {"version": "v4", "endOfLife": "2027-10-31", "consumerCount": 3, "customerCount": 7},
                    {"version": "v5", "consumerCount": 0},
                ],
                "waitingCount": 2,
                "requests": [
                    request("Waiting", "2026-10-02T10:00:00Z"),
                    request("Waiting", "2026-10-01T10:00:00Z"),
                    request("Granted", "2026-09-01T10:00:00Z"),
                ],
                "conditions": [worlds.condition("ForeignInvokers", "ForeignRoles")],
            }
        )
    )
    assert seen["eservice_contract_consumers"] == [
        (WHO | {"contract_version": "v4"}, 3),
        (WHO | {"contract_version": "v5"}, 0),
    ]
    assert seen["eservice_contract_customers"] == [
        (WHO | {"contract_version": "v4"}, 7),
        (WHO | {"contract_version": "v5"}, 0),
    ]
    assert seen["eservice_contract_end_of_life_timestamp_seconds"] == [
        (WHO | {"contract_version": "v4"}, worlds.at("2027-11-01", "00:00").timestamp())
    ]
    assert seen["eservice_access_requests_pending"] == [(WHO, 2)]
    assert seen["eservice_access_request_oldest_timestamp_seconds"] == [
        (WHO, worlds.at("2026-10-01", "13:00").timestamp())
    ]
    assert seen["eservice_foreign_invokers"] == [(WHO, 1)]


def test_a_web_service_of_which_nobody_asks_anything() -> None:
    seen = seen_of(access.web_service())
    assert seen["eservice_access_requests_pending"] == [(WHO, 0)]
    assert seen["eservice_access_request_oldest_timestamp_seconds"] == []
    assert seen["eservice_foreign_invokers"] == []


def test_the_notices_of_a_grant_are_counted() -> None:
    seen = seen_of(grant(notices=[notice("Failed")]))
    assert [labels["object"] for labels, _ in seen["eservice_notices_failed"]] == ["WebServiceGrant"]


def test_access_is_lost_where_the_condition_says_so() -> None:
    for reason, lost in (("AccessLost", 1), ("AccessNotGranted", 0), ("AccessGranted", 0)):
        seen = samples(conditions=[worlds.condition("AccessGranted", reason, "False")])
        assert len(seen["eservice_access_lost"]) == lost
