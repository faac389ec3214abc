# SPDX-License-Identifier: Apache-2.0
"""What answers the requests of one e-service: grants, further versions of a grant, customers of agents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from eservice_operator.cli.answering import CODE, Body, Place, grant_of, with_customer, with_versions
from eservice_operator.cli.dossier import resource
from eservice_operator.cli.kubectl import Kubectl, Query
from eservice_operator.cli.plain import part

Request = Mapping[str, Any]
ANSWERED: Final = frozenset({"Granted", "Refused"})


@dataclass
class Answers:
    """The objects to write, and what to know of them."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def answers(kubectl: Kubectl, found: Sequence[Request], today: date) -> Answers:
    """What answers these requests of one e-service, read beside the web services that they are for.

    Raises:
        KubectlError: the grants of the holder cannot be read.
    """
    made = Answers()
    for namespace in dict.fromkeys(str(one["webService"]["namespace"]) for one in found):
        here = [one for one in found if one["webService"]["namespace"] == namespace]
        beside = _beside(kubectl, namespace)
        codes = _codes(kubectl, here)
        taken = {str(part(one, "metadata", "name")) for one in beside if one.get("kind") == "WebServiceGrant"}
        live = [body for body in beside if not _is_over(body, today)]
        for note, body in (*_grants(here, live, taken), *_customers(here, live, codes, today)):
            made.notes += [note] if note else []
            made.objects += [body] if body else []
    return made


def _beside(kubectl: Kubectl, namespace: str) -> tuple[Body, ...]:
    """The grants and the assignments of the holder."""
    query = Query((resource("webservicegrants"), resource("agentassignments")), namespace)
    (listing,) = kubectl.get(query)
    if listing.refused:
        raise listing.refused[0].error()
    return listing.items


def _is_over(body: Body, today: date) -> bool:
    """Whether it has ended for good, or by its own last day: nothing that is added to it opens anything."""
    until, at = part(body, "spec", "validUntil"), part(body, "spec", "ended", "at")
    deleted = part(body, "metadata", "deletionTimestamp")
    return bool(deleted or (until and str(until) < str(today)) or (at and str(at) <= str(today)))


def _codes(kubectl: Kubectl, found: Sequence[Request]) -> dict[str, str]:
    """The institutions' codes by registration, where agents are asked for and the person may read them."""
    wanted = list(dict.fromkeys(str(one.get("registration")) for one in found if one.get("agent")))
    listings = kubectl.get(*(Query((resource("eserviceregistrations"),), name=name) for name in wanted))
    return {
        name: str(part(listing.items[0], "spec", "institution", "code"))
        for name, listing in zip(wanted, listings, strict=True)
        if listing.items
    }


Made = tuple[str, dict[str, Any] | None]
"""A sentence and an object; either may be missing."""


def _grants(found: Sequence[Request], beside: Sequence[Body], taken: set[str]) -> Iterator[Made]:
    """One grant for each web service that is asked for directly, and for each assignment as its agent.

    ``taken`` are the names of all grants, also of those that are over and not among ``beside``.
    """
    direct = [one for one in found if not one.get("agent")]
    for connection in dict.fromkeys(map(_connection, direct)):
        asked = [one for one in direct if _connection(one) == connection]
        consumer = str(asked[0].get("namespace")), str(asked[0].get("eService"))
        there = _grant(beside, connection, consumer, asked[0].get("registration"))
        missing = [one for one in asked if _is_open(one) and not _names(there, one)]
        for one in asked:
            if one not in missing:
                yield f"{_title(one)}: {one.get('state')}{_why(one)}{_instead(one)}", None
        if missing:
            note, made = _grant_for(missing, consumer, there, taken)
            taken |= set() if made is None else {made["metadata"]["name"]}
            yield note, made


def _is_open(request: Request) -> bool:
    """Whether a grant would answer: what has ended can be granted anew, but not with its assignment."""
    over = request.get("state") == "Ended" and request.get("asAgent")
    return request.get("state") not in ANSWERED and not over


def _grant_for(
    missing: Sequence[Request], consumer: Place, there: Body | None, taken: Collection[str]
) -> Made:
    first = missing[0]
    versions = [str(one["contractVersion"]) for one in missing if one.get("contractVersion")]
    soap = first.get("protocol") == "SOAP"
    evidence = soap and first.get("environment") == "Production"
    needs = (
        "fill in the evidence of each version: without both documents it stays Pending" if evidence else ""
    )
    if there is not None:
        name = part(there, "metadata", "name")
        text = f"adds {', '.join(versions)} to WebServiceGrant {name}: write it into the file of that"
        return "; ".join(filter(None, (text, needs))), with_versions(there, versions, evidence=evidence)
    if soap and not versions:
        return f"{_title(first)}: it names no contract version, ask the consumer which one", None
    place = str(first["webService"]["namespace"]), str(first["webService"]["name"])
    granted = versions if soap else []
    as_agent = first.get("asAgent")
    made = grant_of(
        place,
        consumer,
        granted,
        evidence=evidence,
        registration=first.get("registration"),
        as_agent=as_agent,
        taken=taken,
    )
    return needs, made


def _customers(
    found: Sequence[Request], beside: Sequence[Body], codes: Mapping[str, str], today: date
) -> Iterator[Made]:
    """The assignments of the agents through whom it asks, with it as a customer."""
    for one in found:
        agent = one.get("agent")
        if not agent:
            continue
        if one.get("state") != "Waiting":
            yield f"{_title(one)}: {one.get('state')}{_why(one)}", None
            continue
        named = (body for body in beside if body.get("kind") == "AgentAssignment")
        assignment = next((body for body in named if part(body, "metadata", "name") == agent), None)
        if assignment is None:
            yield f"{_title(one)}: there is no AgentAssignment {agent} that has not ended", None
            continue
        code = codes.get(str(one.get("registration")), CODE)
        text = f"adds a customer to AgentAssignment {agent}: write it into the file of that"
        yield text, with_customer(assignment, str(one.get("institution")), code, today)


Connection = tuple[str, str]
"""A web service, and the assignment whose agent's application asks for it; empty for its own connection."""


def _connection(request: Request) -> Connection:
    return str(request["webService"]["name"]), str(request.get("asAgent") or "")


def _grant(
    beside: Sequence[Body], connection: Connection, consumer: Place, registration: str | None
) -> Body | None:
    """The grant that there is for a consumer's connection; one for another registration is none."""
    web_service, assignment = connection
    for body in beside:
        spec = part(body, "spec") or {}
        wanted = body.get("kind") == "WebServiceGrant" and spec.get("webService") == web_service
        of_agent = str(part(spec, "agent", "assignment") or "")
        named = part(spec, "consumer") or {}
        meant = named.get("registration") in {None, registration}
        named_so = (named.get("namespace"), named.get("name")) == consumer
        if wanted and named_so and meant and of_agent == assignment:
            return body
    return None


def _names(grant: Body | None, request: Request) -> bool:
    """Whether the grant speaks of what is asked for already."""
    versions = [one.get("version") for one in part(grant or {}, "spec", "contractVersions") or ()]
    return grant is not None and (not versions or request.get("contractVersion") in versions)


def _title(request: Request) -> str:
    asked = request.get("contractVersion") or (f"through {request['agent']}" if request.get("agent") else "")
    return " ".join(filter(None, (str(request["webService"]["name"]), asked)))


def _instead(request: Request) -> str:
    """What answers otherwise where the holder has said no."""
    if request.get("state") != "Refused" or not request.get("grant"):
        return ""
    return f"; to let it in after all, change WebServiceGrant {request['grant']}"


def _why(request: Request) -> str:
    return f": {request['message']}" if request.get("message") else ""
