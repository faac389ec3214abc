# SPDX-License-Identifier: Apache-2.0
"""What the rules say of web services, grants, agents and uses in files (R3, R9, R10).

By the operator's own checks, as far as files can tell. The two sides of a grant live in two repositories, as
a rule: that the other side is not among the files is a note, that two files contradict one another an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.base import Environment, Model
from eservice_operator.api.eservice import EService
from eservice_operator.api.grant import GrantedVersion, WebServiceGrant
from eservice_operator.api.reasons import Reason
from eservice_operator.api.uses import Use, WebServiceRef
from eservice_operator.api.webservice import Protocol, WebService
from eservice_operator.cli.check_judging import Judged, Severity
from eservice_operator.core.access.addresses import address_finding
from eservice_operator.core.access.asking import answers
from eservice_operator.core.access.assignments import assignment_finding
from eservice_operator.core.access.case import Consumer, GrantCase, Offer
from eservice_operator.core.access.grant_checks import expired, refused, same_registration, versions_fit
from eservice_operator.core.access.naming import named
from eservice_operator.core.access.terms import Answer, Finding, Times
from eservice_operator.core.access.trial import misfit
from eservice_operator.core.access.version_checks import contract_alive, contract_known, evidenced

KINDS: Final = frozenset(model.__name__ for model in (AgentAssignment, EService, WebService, WebServiceGrant))
CONTRADICTIONS: Final = frozenset(
    {
        *(Reason.VERSIONS_NOT_NAMED, Reason.VERSIONS_NOT_ALLOWED, Reason.CONTRACT_UNKNOWN),
        Reason.BACKEND_NOT_ALLOWED,
    }
)
"""What no time and no document mends: the files say what cannot be."""
VERSION_CHECKS: Final = (contract_known, contract_alive, evidenced)
Place = tuple[str, str]
M = TypeVar("M", AgentAssignment, EService, WebService, WebServiceGrant)


@dataclass(frozen=True)
class AccessFiles:
    """The objects of the files that speak of web services, each by its namespace and name."""

    times: Times
    web_services: Mapping[Place, WebService]
    grants: Mapping[Place, WebServiceGrant]
    assignments: Mapping[Place, AgentAssignment]
    services: Mapping[Place, EService]

    def judge(self, one: Model) -> Iterator[Judged]:
        """Everything to be said of one of them."""
        match one:
            case WebServiceGrant():
                yield from self._grant(one)
            case AgentAssignment():
                yield from self._assignment(one)
            case WebService():
                yield from self._web_service(one)
            case EService():
                for index, use in enumerate(one.spec.uses):
                    yield from self._use(one, use, f"spec.uses[{index}]")
            case _:
                raise TypeError(f"{type(one).__name__} has nothing to do with access")

    def _grant(self, grant: WebServiceGrant) -> Iterator[Judged]:
        place = grant.metadata.namespace, grant.spec.web_service
        web_service = self.web_services.get(place)
        if web_service is None:
            yield _elsewhere("spec.webService", f"WebService {place[1]}", "what it grants is not checked")
            return
        case = GrantCase(grant, Offer(web_service))
        if refused(case, self.times) is not None:
            return
        for check, path in ((expired, "spec.validUntil"), (versions_fit, "spec.contractVersions")):
            if (found := check(case, self.times)) is not None:
                yield _judged(found, path, "R3" if check is expired else "R10")
                return
        for index, entry in enumerate(grant.spec.contract_versions):
            yield from self._version(case, entry, f"spec.contractVersions[{index}]")
        yield from self._connection(grant)
        yield from self._consumer(grant, web_service)

    def _version(self, case: GrantCase, entry: GrantedVersion, path: str) -> Iterator[Judged]:
        found = next((one for check in VERSION_CHECKS if (one := check(case, entry, self.times))), None)
        if found is not None:
            yield _judged(found, path, "R10")

    def _connection(self, grant: WebServiceGrant) -> Iterator[Judged]:
        """R9: the assignment that the grant of an agent's application names."""
        if grant.spec.agent is None:
            return
        name, path = grant.spec.agent.assignment, "spec.agent.assignment"
        assignment = self.assignments.get((grant.metadata.namespace, name))
        if assignment is None:
            yield _elsewhere(path, f"AgentAssignment {name}", "whether the agent may connect is not checked")
        elif assignment.spec.web_service != grant.spec.web_service:
            text = f"AgentAssignment {name} is for {assignment.spec.web_service}"
            text += f", the grant for {grant.spec.web_service}"
            yield Judged(Severity.ERROR, path, "R9", text)

    def _consumer(self, grant: WebServiceGrant, web_service: WebService) -> Iterator[Judged]:
        """R3: the other side, where it is among the files: of the same environment, and it has asked."""
        consumer = grant.spec.consumer
        service = self.services.get((consumer.namespace, consumer.name))
        if service is None:
            return
        path, where = "spec.consumer", f"EService {consumer.namespace}/{consumer.name}"
        here, there = service.spec.environment.value, web_service.spec.environment.value
        if here != there:
            text = f"{where} is of {here}, the web service of {there}: they have to be the same"
            yield Judged(Severity.ERROR, path, "R3", text)
            return
        found = same_registration(GrantCase(grant, consumer=Consumer(service)), self.times)
        if found is not None:
            yield Judged(Severity.ERROR, path, "R3", found.message)
            return
        asked = {
            use.contract_version
            for use in service.spec.uses
            if use.web_service == web_service.reference and answers(grant, use)
        }
        missing = [entry.version for entry in grant.spec.contract_versions if entry.version not in asked]
        if missing or not asked:
            role = "" if grant.spec.agent is None else f"with asAgent: {grant.spec.agent.assignment}"
            what = " ".join(filter(None, (web_service.metadata.name, ", ".join(missing), role)))
            text = f"{where} does not ask for {what} in spec.uses: it is not let in before it does"
            yield Judged(Severity.WARNING, path, "R3", text)

    def _assignment(self, assignment: AgentAssignment) -> Iterator[Judged]:
        place = assignment.metadata.namespace, assignment.spec.web_service
        web_service = self.web_services.get(place)
        if web_service is None:
            follows = "whether the rules for Production bind is not known"
            yield _elsewhere("spec.webService", f"WebService {place[1]}", follows)
        production = web_service is not None and web_service.spec.environment is Environment.PRODUCTION
        found = assignment_finding(assignment, self.times, production=production)
        if found is not None:
            yield _judged(found, "spec", "R9")

    def _web_service(self, web_service: WebService) -> Iterator[Judged]:
        """R3, R10: an address that nobody is led to, and a place for tests that proves nothing."""
        amiss = address_finding(web_service.spec.backend, ())
        if amiss is not None:
            yield _judged(amiss, "spec.backend", "R3")
        at = web_service.spec.tested_as
        there = None if at is None else self.web_services.get((at.namespace, at.name))
        why = None if there is None else misfit(web_service, there)
        if at is not None and why is not None:
            text = (
                f"{at.namespace}/{at.name} {why}, so that a test there proves nothing: name a SOAP service of"
                " the same holder in Test or Acceptance"
            )
            yield Judged(Severity.WARNING, "spec.testedAs", "R10", text)

    def _use(self, service: EService, use: Use, path: str) -> Iterator[Judged]:
        web_service = self.web_services.get((use.web_service.namespace, use.web_service.name))
        if web_service is not None:
            found = next(self._asked(service, use, web_service, path), None)
            if found is not None:
                yield found
                return
            yield from self._retiring(use, web_service, path)
        if not self._answered(service, use):
            yield _elsewhere(path, f"a grant of {named(use)}", "its holder answers; see `explain`")

    def _asked(self, service: EService, use: Use, web_service: WebService, path: str) -> Iterator[Judged]:
        """What keeps a use from ever being granted as it is written."""
        here, there = service.spec.environment.value, web_service.spec.environment.value
        if here != there:
            text = f"{named(use)} is of {there}, the e-service of {here}: they have to be the same"
            yield Judged(Severity.ERROR, f"{path}.webService", "R3", text)
        if use.agent is not None or web_service.spec.protocol is Protocol.REST:
            return
        if use.contract_version is None:
            known = ", ".join(contract.version for contract in web_service.spec.contracts)
            text = f"{named(use)} is SOAP: name the contractVersion that is asked for, one of {known}"
            yield Judged(Severity.ERROR, path, "R10", text)
        elif web_service.contract(use.contract_version) is None:
            text = f"there is no contract version {use.contract_version} of {web_service.metadata.name}"
            yield Judged(Severity.ERROR, f"{path}.contractVersion", "R10", text)

    def _retiring(self, use: Use, web_service: WebService, path: str) -> Iterator[Judged]:
        """R10: a consumer must move before its contract version is retired."""
        contract = web_service.contract(use.contract_version) if use.contract_version else None
        if contract is None or contract.end_of_life is None:
            return
        end, gone = contract.end_of_life, self.times.today > contract.end_of_life
        word, rest = ("reached", "nobody is let in any more") if gone else ("reaches", "move before")
        text = f"{named(use)} {word} its end of life on {end}: {rest}"
        severity = Severity.WARNING if gone else Severity.NOTE
        yield Judged(severity, f"{path}.contractVersion", "R10", text)

    def _answered(self, service: EService, use: Use) -> bool:
        """Whether one of the files answers the use."""
        if use.agent is not None:
            return (use.web_service.namespace, use.agent) in self.assignments
        place = service.metadata.namespace, service.metadata.name
        return any(
            (grant.spec.consumer.namespace, grant.spec.consumer.name) == place
            and use.web_service == WebServiceRef(namespace=namespace, name=grant.spec.web_service)
            and self._covers(grant, use)
            for (namespace, _), grant in self.grants.items()
        )

    def _covers(self, grant: WebServiceGrant, use: Use) -> bool:
        if not answers(grant, use):
            return False
        versions = {entry.version for entry in grant.spec.contract_versions}
        return not versions or use.contract_version in versions


def access_files(times: Times, models: Collection[Model]) -> AccessFiles:
    """The objects of the files, each where it is looked for."""

    def of(model: type[M]) -> dict[Place, M]:
        found = [one for one in models if isinstance(one, model)]
        return {(one.metadata.namespace, one.metadata.name): one for one in found}

    return AccessFiles(times, of(WebService), of(WebServiceGrant), of(AgentAssignment), of(EService))


def _judged(found: Finding, path: str, rule: str) -> Judged:
    severity = Severity.NOTE if found.answer is Answer.OVER else Severity.WARNING
    if found.reason in CONTRADICTIONS:
        severity = Severity.ERROR
    return Judged(severity, path, rule, found.message)


def _elsewhere(path: str, what: str, follows: str) -> Judged:
    return Judged(Severity.NOTE, path, "R3", f"{what} is not among the files: {follows}")
