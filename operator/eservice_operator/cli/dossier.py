# SPDX-License-Identifier: Apache-2.0
"""Everything about one e-service as kubectl prints it: plain dicts, for commands that only show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eservice_operator.cli.kubectl import Kubectl, KubectlError, Listing, Query, Refusal
from eservice_operator.cli.plain import part

Body = Mapping[str, Any]
GROUP: Final = "eservice.dev"
RECORDS: Final = ("unpublishdecisions", "unpublishdeferrals", "acceptanceacts")
MISSED: Final = {
    "unpublishdecisions": "what was decided under R8 is not shown",
    "unpublishdeferrals": "deferrals are not shown",
    "acceptanceacts": "acts are not shown",
    "productionverifications": "verifications are not shown",
    "eserviceregistrations": "the registration is not shown",
    "eservicetemplates": "the template's versions and policy are not shown",
    "webservicegrants": "what the holders of web services granted is not shown",
    "agentassignments": "whom agents call for is not shown",
}


@dataclass(frozen=True)
class Dossier:
    """One e-service, and what speaks of it."""

    service: Body
    registration: Body | None = None
    template: Body | None = None
    decisions: tuple[Body, ...] = ()
    """Of its registration and environment, in the order of their names."""
    deferrals: tuple[Body, ...] = ()
    acts: tuple[Body, ...] = ()
    verifications: tuple[Body, ...] = ()
    grants: tuple[Body, ...] = ()
    """In the namespaces of the web services that it uses."""
    assignments: tuple[Body, ...] = ()
    refused: tuple[Refusal, ...] = field(default=())

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and name."""
        return place_of(self.service)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each kind that the person may not read."""
        plurals = [one.resource.partition(".")[0] for one in self.refused]
        return tuple(f"you may not read {plural}: {MISSED[plural]}" for plural in dict.fromkeys(plurals))


def place_of(service: Body) -> tuple[str, str]:
    """Namespace and name of an object."""
    return str(part(service, "metadata", "namespace") or ""), str(part(service, "metadata", "name"))


def resource(plural: str) -> str:
    """One of our kinds as kubectl takes it without doubt."""
    return f"{plural}.{GROUP}"


def find_service(kubectl: Kubectl, name: str, namespace: str | None) -> Body:
    """The EService of that name; without a namespace in that of the context.

    Raises:
        KubectlError: it is not there, or may not be read.
    """
    return ask_for_service(kubectl, name, namespace)()


def ask_for_service(kubectl: Kubectl, name: str, namespace: str | None) -> Callable[[], Body]:
    """Begin to `find_service` while something else is done; what is answered waits for it."""
    ended = kubectl.ask(Query((resource("eservices"),), namespace, name=name))

    def found() -> Body:
        (listing,) = ended()
        return _only(listing, namespace)

    return found


def _only(listing: Listing, namespace: str | None) -> Body:
    """The one EService; where nobody named a namespace, what to do when it is not in that of the context."""
    if listing.missing and namespace is None:
        hint = "Without -n that is the namespace of the context: kubectl eservice list -A shows all"
        raise KubectlError(f"{listing.missing}\n{hint}")
    return listing.only()


def gather(kubectl: Kubectl, name: str, namespace: str | None) -> Dossier:
    """The e-service and all that speaks of it, in two rounds of kubectl.

    Raises:
        KubectlError: it is not there, or may not be read.
    """
    found, records, verifications = kubectl.get(
        Query((resource("eservices"),), namespace, name=name),
        Query(tuple(resource(plural) for plural in RECORDS), ""),
        Query((resource("productionverifications"),), namespace),
    )
    service = _only(found, namespace)
    registration, template, *answers = kubectl.get(
        Query((resource("eserviceregistrations"),), name=str(part(service, "spec", "registration"))),
        Query((resource("eservicetemplates"),), name=template_of(service)),
        *_answers(service),
    )
    place = place_of(service)
    standing = part(service, "spec", "registration"), part(service, "spec", "environment")
    decisions = [
        one
        for one in _of_kind(records, "UnpublishDecision")
        if (part(one, "spec", "registration"), part(one, "spec", "environment")) == standing
    ]
    return Dossier(
        service=service,
        registration=next(iter(registration.items), None),
        template=next(iter(template.items), None),
        decisions=tuple(sorted(decisions, key=place_of)),
        deferrals=tuple(one for one in _of_kind(records, "UnpublishDeferral") if _names(one, place)),
        acts=tuple(one for one in _of_kind(records, "AcceptanceAct") if _names(one, place)),
        verifications=tuple(one for one in verifications.items if part(one, "spec", "eService") == place[1]),
        grants=tuple(one for answer in answers for one in _of_kind(answer, "WebServiceGrant")),
        assignments=tuple(one for answer in answers for one in _of_kind(answer, "AgentAssignment")),
        refused=tuple(
            refusal
            for listing in (records, verifications, registration, template, *answers)
            for refusal in listing.refused
        ),
    )


def _answers(service: Body) -> Iterator[Query]:
    """What the holders of its web services have granted, and to whose agents."""
    uses = part(service, "spec", "uses") or ()
    through = {part(use, "webService", "namespace") for use in uses if use.get("agent")}
    for namespace in dict.fromkeys(part(use, "webService", "namespace") for use in uses):
        plurals = ["webservicegrants", *(["agentassignments"] if namespace in through else [])]
        yield Query(tuple(map(resource, plurals)), str(namespace))


def template_of(service: Body) -> str:
    """Name of the template of the public release, or else of the one that the spec names."""
    return str(part(service, "status", "template", "name") or part(service, "spec", "template", "name"))


def _of_kind(listing: Listing, kind: str) -> Iterator[Body]:
    return (item for item in listing.items if item.get("kind") == kind)


def _names(record: Body, place: tuple[str, str]) -> bool:
    named = part(record, "spec", "eService") or {}
    return (named.get("namespace"), named.get("name")) == place


def current_decision(dossier: Dossier) -> Body | None:
    """The decision in force; else the newest there was."""
    name = part(dossier.service, "status", "template", "decision")
    named = (one for one in dossier.decisions if part(one, "metadata", "name") == name)
    return next(named, dossier.decisions[-1] if dossier.decisions else None)
