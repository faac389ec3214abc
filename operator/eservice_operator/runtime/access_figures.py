# SPDX-License-Identifier: Apache-2.0
"""What there is to tell of grants of web services and of web services (R3, R10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eservice_operator.api.grant import GrantState
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.webservice_status import RequestState
from eservice_operator.cluster.indexes import part
from eservice_operator.core.access.lacking import HINDRANCES
from eservice_operator.core.dates import parse_instant
from eservice_operator.runtime.exposition import Family
from eservice_operator.runtime.service_figures import WHO, Instant, Sample

WHOSE: Final = (*WHO, "web_service", "consumer_namespace", "consumer", "contract_version")

GRANT: Final = Family(
    "eservice_grant", "1 for each contract version of a grant, by its state.", (*WHOSE, "state")
)
HINDERED: Final = Family(
    "eservice_grant_hindered",
    "1 for each contract version that is granted and does not work, or not as it should, by why.",
    (*WHOSE, "reason"),
)
GRANT_ENDS: Final = Family(
    "eservice_grant_ends_timestamp_seconds",
    "The end of the last day of a contract version that a grant opens.",
    WHOSE,
)
END_OF_LIFE: Final = Family(
    "eservice_contract_end_of_life_timestamp_seconds",
    "The end of the last day of a contract version of a web service (R10).",
    (*WHO, "contract_version"),
)
CONSUMERS: Final = Family(
    "eservice_contract_consumers",
    "E-services that may call a contract version of a web service now.",
    (*WHO, "contract_version"),
)
CUSTOMERS: Final = Family(
    "eservice_contract_customers",
    "E-services that may call a contract version of a web service through agents now (R9).",
    (*WHO, "contract_version"),
)
REQUESTS: Final = Family(
    "eservice_access_requests_pending", "Requests for a web service that nobody has answered.", WHO
)
OLDEST_REQUEST: Final = Family(
    "eservice_access_request_oldest_timestamp_seconds",
    "Since when the oldest of the requests that nobody has answered waits.",
    WHO,
)
FOREIGN: Final = Family(
    "eservice_foreign_invokers",
    "1 while Roles or RoleBindings of others than the operator give the right to call a web service.",
    WHO,
)
ACCESS_FAMILIES: Final = (
    GRANT,
    HINDERED,
    GRANT_ENDS,
    END_OF_LIFE,
    CONSUMERS,
    CUSTOMERS,
    REQUESTS,
    OLDEST_REQUEST,
    FOREIGN,
)


def samples_of_grant(grant: Mapping[str, Any], instant: Instant) -> Iterator[Sample]:
    """All samples about a WebServiceGrant: one or two for each contract version, whatever it went through."""
    metadata, spec = grant["metadata"], grant["spec"]
    consumer = spec["consumer"]
    whose = (
        metadata["namespace"],
        metadata["name"],
        spec["webService"],
        consumer["namespace"],
        consumer["name"],
    )
    for entry in part(grant, "status", "contractVersions") or ():
        yield GRANT, (*whose, entry["version"], entry["state"]), 1
        reason = _hindrance(grant, entry)
        if reason is not None:
            yield HINDERED, (*whose, entry["version"], reason), 1
        if entry["state"] == GrantState.ACTIVE and "endsOn" in entry:
            yield GRANT_ENDS, (*whose, entry["version"]), instant(entry["endsOn"], True)  # noqa: FBT003 - its end


def _hindrance(grant: Mapping[str, Any], entry: Mapping[str, Any]) -> str | None:
    """Why what is granted does not work, or not as it should."""
    if entry["state"] == GrantState.PENDING and entry.get("reason") in HINDRANCES:
        return str(entry["reason"])
    if entry["state"] == GrantState.ACTIVE and entry.get("reason") == Reason.DRIFTED:
        return str(entry["reason"])
    for condition in part(grant, "status", "conditions") or ():
        if condition["type"] == ConditionType.CREDENTIALS_COPIED and condition["status"] == "False":
            return str(condition["reason"]) if entry["state"] == GrantState.ACTIVE else None
    return None


def samples_of_web_service(web_service: Mapping[str, Any], instant: Instant) -> Iterator[Sample]:
    """All samples about a WebService."""
    metadata, status = web_service["metadata"], web_service.get("status") or {}
    who = (metadata["namespace"], metadata["name"])
    for contract in status.get("contracts") or ():
        of = (*who, contract["version"])
        yield CONSUMERS, of, contract.get("consumerCount", 0)
        yield CUSTOMERS, of, contract.get("customerCount", 0)
        if "endOfLife" in contract:
            yield END_OF_LIFE, of, instant(contract["endOfLife"], True)  # noqa: FBT003 - the end of the day
    yield REQUESTS, who, status.get("waitingCount", 0)
    oldest = min(_waiting_since(status), default=None)
    if oldest is not None:
        yield OLDEST_REQUEST, who, oldest
    conditions = {entry["type"]: entry for entry in status.get("conditions") or ()}
    if part(conditions, ConditionType.FOREIGN_INVOKERS.value, "status") == "True":
        yield FOREIGN, who, 1


def _waiting_since(status: Mapping[str, Any]) -> Iterator[float]:
    for request in status.get("requests") or ():
        since = parse_instant(request.get("since") or "") if _waits(request) else None
        if since is not None:
            yield since.timestamp()


def _waits(request: Mapping[str, Any]) -> bool:
    return bool(request["state"] == RequestState.WAITING)
