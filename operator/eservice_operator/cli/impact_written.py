# SPDX-License-Identifier: Apache-2.0
"""What an end would close, by the statuses in the holder's namespace: for those who may read no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Visibility
from eservice_operator.cli.dated import Days
from eservice_operator.cli.ending import End, end_of, ended
from eservice_operator.cli.impact import Asked
from eservice_operator.cli.impact_dated import ALL_VERSIONS, ended_by
from eservice_operator.cli.plain import part
from eservice_operator.core.access.assignments import PILOTS
from eservice_operator.core.actions import Manifest

Row = dict[str, Any]
Bodies = Sequence[Manifest]


def as_written(
    bodies: Bodies, asked: Asked, target: Manifest | None, days: Days
) -> tuple[list[Row], tuple[str, ...]]:
    """The rows of what is active and would end, and what is to be known of them.

    Raises:
        ClickException: there is no such version, or no such customer.
    """
    rows = [row for body in bodies if body["kind"] == "WebServiceGrant" for row in _direct(body)]
    rows += [row for body in bodies if body["kind"] == "AgentAssignment" for row in _customers(body, bodies)]
    if asked.at is not None:
        return list(ended_by(rows, bodies, str(asked.at))), ()
    if target is None:
        return [], ()
    after = ended(target, asked, days.today)
    notes: tuple[str, ...] = ()
    if asked.customer is not None and _too_few_pilots(after):
        notes = (f"with fewer than {PILOTS} pilots the whole assignment opens nothing",)
    found = [row for row in rows if _ends(row, asked, target, whole=bool(notes))]
    return [row | _told(row, asked, after, bodies) for row in found], notes


def _too_few_pilots(assignment: Manifest | None) -> bool:
    return assignment is not None and len(part(assignment, "spec", "pilotCustomers") or ()) < PILOTS


def _ends(row: Row, asked: Asked, target: Manifest, *, whole: bool) -> bool:
    namespace, name = (part(target, "metadata", of) for of in ("namespace", "name"))
    if asked.version is not None and not {asked.version, ALL_VERSIONS} & set(row["contractVersions"]):
        return False
    match target["kind"]:
        case "WebService":
            return bool(row["webService"] == {"namespace": namespace, "name": name})
        case "WebServiceGrant":
            return bool(row["grant"] == f"{namespace}/{name}")
        case _:
            return row["assignment"] == name and (whole or asked.customer in {None, row["code"]})


def _row(grant: Manifest, versions: list[str], ends: Any, **more: Any) -> Row:
    namespace = part(grant, "metadata", "namespace")
    consumer, seen = part(grant, "spec", "consumer") or {}, part(grant, "status", "consumer") or {}
    return {
        "namespace": consumer.get("namespace"),
        "eService": consumer.get("name"),
        "environment": seen.get("environment"),
        "public": None,
        "institution": seen.get("institution"),
        "code": seen.get("code"),
        "use": None,
        "webService": {"namespace": namespace, "name": part(grant, "spec", "webService")},
        "contractVersions": versions,
        "agent": None,
        "assignment": part(grant, "spec", "agent", "assignment"),
        "grant": f"{namespace}/{part(grant, 'metadata', 'name')}",
        "endsOn": ends,
        "binding": None,
        "reason": "",
        "message": "",
    } | more


def _told(row: Row, asked: Asked, after: Manifest | None, bodies: Bodies) -> Row:
    """Which contract versions a row loses, and what its consumer reads then."""
    gone = [asked.version] if asked.version else row["contractVersions"]
    left = set(row["contractVersions"]) - set(gone)
    reason = _left(row, asked, bodies) if asked.customer else _ended_with(row, asked, after, left)
    return {"contractVersions": gone, "reason": reason.value}


def _left(row: Row, asked: Asked, bodies: Bodies) -> Reason:
    """One that leaves is listed no more; to the others the assignment lacks a pilot."""
    if row["agent"] is None or row["code"] != asked.customer:
        return Reason.ASSIGNMENT_PENDING
    own = (body for body in bodies if body["kind"] == "WebService" and _place(body) == row["webService"])
    listed = any(part(body, "spec", "visibility") == Visibility.LISTED for body in own)
    return Reason.CUSTOMER_NOT_LISTED if listed else Reason.ACCESS_NOT_GRANTED


def _ended_with(row: Row, asked: Asked, after: Manifest | None, left: set[str]) -> Reason:
    match end_of(asked):
        case End.ASSIGNMENT_ENDED:
            return Reason.ASSIGNMENT_ENDED
        case End.DELETED if asked.is_of("WebService"):
            return Reason.WEB_SERVICE_UNKNOWN
        case _ if row["agent"] is not None and not left:
            return Reason.AGENT_NOT_CONNECTED
        case End.CONTRACT_RETIRED:
            return Reason.CONTRACT_RETIRED
        case _:
            return Reason.ACCESS_NOT_GRANTED if after is None else Reason.VERSION_NOT_GRANTED


def _place(body: Manifest) -> dict[str, Any]:
    return {of: part(body, "metadata", of) for of in ("namespace", "name")}


def _active(grant: Manifest) -> list[Mapping[str, Any]]:
    entries = part(grant, "status", "contractVersions") or ()
    return [one for one in entries if one.get("state") == "Active"]


def _direct(grant: Manifest) -> Iterator[Row]:
    """The consumer itself, once for each version that is active."""
    for entry in _active(grant):
        yield _row(grant, [str(entry["version"])], entry.get("endsOn"))


def _customers(assignment: Manifest, bodies: Bodies) -> Iterator[Row]:
    """Those for whom an agent calls."""
    name, namespace = (part(assignment, "metadata", of) for of in ("name", "namespace"))
    for grant in bodies:
        place = part(grant, "metadata", "namespace"), part(grant, "metadata", "name")
        if grant["kind"] != "WebServiceGrant" or place != (namespace, part(assignment, "status", "grant")):
            continue
        active = _active(grant)
        versions, ends = [str(one["version"]) for one in active], [one.get("endsOn") for one in active]
        longest = max(map(str, ends)) if all(ends) else None
        for customer in part(assignment, "status", "customers") or ():
            for service in customer.get("eServices") or () if customer.get("state") == "Active" else ():
                there, _, own = str(service).partition("/")
                more = {"namespace": there, "eService": own, "institution": customer.get("name")}
                more |= {"code": customer.get("code"), "agent": name, "assignment": name}
                yield _row(grant, versions, longest, **more)
