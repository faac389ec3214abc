# SPDX-License-Identifier: Apache-2.0
"""What ends by itself until a day, by what was written into the statuses in the holder's namespace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from eservice_operator.api.reasons import Reason
from eservice_operator.cli.plain import part
from eservice_operator.cli.used import assignment_end
from eservice_operator.core.actions import Manifest

ALL_VERSIONS: Final = "*"
Row = dict[str, Any]
Bodies = Sequence[Manifest]


def ended_by(rows: Sequence[Row], bodies: Bodies, day: str) -> Iterator[Row]:
    """Of what is active what its dates end before a day, with what its consumer reads then."""
    for row in rows:
        grant = _beside(row, "WebServiceGrant", str(row["grant"]).rpartition("/")[2], bodies)
        days = {str(one["version"]): str(one.get("endsOn") or day) for one in _entries(grant)}
        gone = [version for version in row["contractVersions"] if days.get(version, day) < day]
        if gone:
            reason = _reason(row, grant, gone, bodies, day)
            ends = min(days[version] for version in gone)
            yield row | {"contractVersions": gone, "endsOn": ends, "reason": reason.value}
        elif row["contractVersions"] == [ALL_VERSIONS] and (retired := _retired(row, bodies, day)):
            versions, ends = sorted(retired), min(retired.values())
            yield row | {
                "contractVersions": versions,
                "endsOn": ends,
                "reason": Reason.CONTRACT_RETIRED.value,
            }


def _reason(row: Row, grant: Manifest, gone: Sequence[str], bodies: Bodies, day: str) -> Reason:
    """In the order in which the operator looks for one."""
    assignment = _beside(row, "AgentAssignment", str(row["assignment"]), bodies)
    ended, through = (assignment_end(assignment) or day) < day, row["agent"] is not None
    if through and ended:
        return Reason.ASSIGNMENT_ENDED
    if through:
        left = len(row["contractVersions"]) > len(gone)
        return Reason.CONTRACT_RETIRED if left else Reason.AGENT_NOT_CONNECTED
    if str(part(grant, "spec", "validUntil") or day) < day:
        return Reason.EXPIRED
    if ended:
        return Reason.ASSIGNMENT_ENDED
    ends = _ends_of_life(row, bodies)
    over = all(ends.get(version, day) < day for version in (ends if gone == [ALL_VERSIONS] else gone))
    return Reason.CONTRACT_RETIRED if over else Reason.TEST_MISSING


def _retired(row: Row, bodies: Bodies, day: str) -> dict[str, str]:
    """The contract versions of a web service that are open now and have ended by that day."""
    return {version: last for version, last in _ends_of_life(row, bodies).items() if last < day}


def _ends_of_life(row: Row, bodies: Bodies) -> dict[str, str]:
    """The last day of each contract version that is still served, where it has one."""
    web_service = _beside(row, "WebService", row["webService"]["name"], bodies)
    contracts = part(web_service, "status", "contracts") or ()
    return {
        str(one["version"]): str(one["endOfLife"])
        for one in contracts
        if one.get("state") != "Retired" and one.get("endOfLife")
    }


def _beside(row: Row, kind: str, name: str, bodies: Bodies) -> Manifest:
    """An object of the holder's; an empty one where it is not there."""
    place = (kind, row["webService"]["namespace"], name)
    for body in bodies:
        if (body["kind"], part(body, "metadata", "namespace"), part(body, "metadata", "name")) == place:
            return body
    return {}


def _entries(grant: Manifest) -> Sequence[Manifest]:
    return part(grant, "status", "contractVersions") or ()
