# SPDX-License-Identifier: Apache-2.0
"""The gates between a spec and the public: one small function for each, in the order they are met.

Each answers ``None`` when it is passed, or an ``Unmet`` that says what is missing, who supplies it and
by which rule. Gates read objects and domain conditions, never ``Ready``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from eservice_operator.api.acts import VerificationOutcome
from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.eservice import DocumentKind, GateOwner
from eservice_operator.api.reasons import ConditionType, Gate, Reason
from eservice_operator.api.registration import NamespaceState
from eservice_operator.core.facts import Facts, Subject, available
from eservice_operator.core.hosts import unregistered_hosts
from eservice_operator.core.unpublication import blocking_decision
from eservice_operator.core.versions import is_withdrawn


class Blocks(StrEnum):
    """What an unmet gate holds back."""

    INSTALL = "Install"
    PUBLISH = "Publish"


@dataclass(frozen=True, slots=True)
class Unmet:
    """A gate that is not passed."""

    gate: Gate
    blocks: Blocks
    reason: Reason
    message: str
    owner: GateOwner
    rule: str


Check = Callable[[Facts, Subject], Unmet | None]

FULL_DELIVERY = tuple(DocumentKind)
WEB_SERVICE_DELIVERY = (DocumentKind.REQUIREMENTS_SPECIFICATION, DocumentKind.DESIGN_DESCRIPTION)


def _install(gate: Gate, reason: Reason, message: str, owner: GateOwner, rule: str) -> Unmet:
    return Unmet(gate, Blocks.INSTALL, reason, message, owner, rule)


def _publish(gate: Gate, reason: Reason, message: str, owner: GateOwner, rule: str) -> Unmet:
    return Unmet(gate, Blocks.PUBLISH, reason, message, owner, rule)


def registered(facts: Facts, _subject: Subject) -> Unmet | None:
    """R1: registered, in the namespace registered for the environment, and the only one there."""
    name = facts.spec.registration
    registration = facts.world.registration
    metadata = facts.world.service.metadata
    environment = facts.spec.environment.value

    def unmet(reason: Reason, message: str, owner: GateOwner) -> Unmet:
        return _install(Gate.REGISTERED, reason, message, owner, "R1")

    if registration is None:
        text = f"EServiceRegistration {name} does not exist: the institution applies, the Agency registers"
        return unmet(Reason.REGISTRATION_NOT_FOUND, text, GateOwner.AGENCY)
    namespace = next(
        (entry.name for entry in registration.spec.namespaces if entry.environment is facts.spec.environment),
        None,
    )
    if namespace != metadata.namespace:
        where = (
            f"its namespace for {environment} is {namespace}"
            if namespace
            else f"it has no namespace for {environment}"
        )
        text = f"EServiceRegistration {name} does not place an EService into {metadata.namespace}: {where}"
        return unmet(Reason.NAMESPACE_NOT_REGISTERED, text, GateOwner.AGENCY)
    condition = next(
        (entry for entry in registration.status.conditions if entry.type == ConditionType.REGISTERED), None
    )
    if condition is None or condition.status is not ConditionStatus.TRUE:
        why = condition.message if condition else "the operator has not looked at it yet"
        return unmet(Reason.REGISTRATION_NOT_READY, f"EServiceRegistration {name}: {why}", GateOwner.AGENCY)
    place = next((e for e in registration.status.namespaces if e.environment is facts.spec.environment), None)
    if place is None or place.state is not NamespaceState.READY:
        why = place.message if place else "the operator has not looked at it yet"
        return unmet(
            Reason.NAMESPACE_NOT_ONBOARDED, f"namespace {metadata.namespace}: {why}", GateOwner.AGENCY
        )
    if facts.world.senior is not None:
        senior = facts.world.senior.metadata
        text = f"EService {senior.namespace}/{senior.name} already stands for {name} in {environment}: one for each environment"
        return unmet(Reason.ALREADY_TAKEN, text, GateOwner.INSTITUTION)
    return None


def template_supported(facts: Facts, subject: Subject) -> Unmet | None:
    """R7, R8: a known version, not withdrawn; in Production no pre-release, and not overdue under enforcement.

    A release on the same template version as the public one passes also when it is overdue, so that a
    security fix can always go out.
    """
    reference = subject.snapshot.template

    def unmet(
        reason: Reason, message: str, owner: GateOwner = GateOwner.INSTITUTION, rule: str = "R7"
    ) -> Unmet:
        return _install(Gate.TEMPLATE_SUPPORTED, reason, message, owner, rule)

    if reference.name not in facts.world.templates:
        text = f"EServiceTemplate {reference.name} does not exist"
        return unmet(Reason.TEMPLATE_UNKNOWN, text, GateOwner.AGENCY)
    version = facts.version(reference)
    if version is None:
        text = f"EServiceTemplate {reference.name} has no version {reference.version}"
        return unmet(Reason.TEMPLATE_VERSION_UNKNOWN, text)
    if is_withdrawn(version, facts.today):
        text = f"{reference.name} {reference.version} was withdrawn on {version.withdrawn_at}: use another version"
        return unmet(Reason.TEMPLATE_VERSION_WITHDRAWN, text)
    if not facts.production:
        return None
    if version.number.prerelease:
        text = (
            f"{reference.name} {reference.version} is a pre-release: Production takes released versions only"
        )
        return unmet(Reason.TEMPLATE_VERSION_PRERELEASE, text)
    lag = facts.lag(reference)
    same = facts.public_template == reference
    if lag is not None and lag.overdue(facts.today) and facts.enforces(reference) and not same:
        text = f"{reference.name} {reference.version} is overdue since {lag.overdue_since}: build from a newer version"
        return unmet(Reason.TEMPLATE_OVERDUE, text, rule="R8")
    return None


def delivery_complete(facts: Facts, subject: Subject) -> Unmet | None:
    """R4: image by digest, source with revision, all five documents, SRS and SDD of each web service made."""
    if not subject.wanted:
        return None
    release = facts.spec.release
    missing = [] if "@sha256:" in release.image else ["image by digest"]
    if release.source is None:
        missing.append("source with revision")
    delivered = {document.kind for document in release.documents}
    missing += [f"document {kind.value}" for kind in FULL_DELIVERY if kind not in delivered]
    for service in release.web_services:
        has = {document.kind for document in service.documents}
        missing += [
            f"{kind.value} of web service {service.name}" for kind in WEB_SERVICE_DELIVERY if kind not in has
        ]
    if not missing:
        return None
    text = f"the delivery in spec.release lacks: {', '.join(missing)}"
    return _install(Gate.DELIVERY_COMPLETE, Reason.DELIVERY_INCOMPLETE, text, GateOwner.INSTITUTION, "R4")


def accepted(facts: Facts, subject: Subject) -> Unmet | None:
    """R2: an acceptance act in force for exactly this release."""
    snapshot = subject.snapshot
    act = facts.act(snapshot)
    what = f"image {snapshot.image} on {snapshot.template.name} {snapshot.template.version}"
    if act is None:
        text = (
            f"no AcceptanceAct for {what}: the Agency prepares it after the acceptance test, both sides sign"
        )
        return _install(Gate.ACCEPTED, Reason.AWAITING_ACCEPTANCE, text, GateOwner.AGENCY, "R2")
    if facts.in_force(act) or act.spec.revoked is None:
        return None
    text = (
        f"AcceptanceAct {act.metadata.name} was revoked on {act.spec.revoked.at}: {act.spec.revoked.reason}"
    )
    return _install(Gate.ACCEPTED, Reason.ACT_REVOKED, text, GateOwner.AGENCY, "R2")


def requested(facts: Facts, subject: Subject) -> Unmet | None:
    """R4: the institution requested the installation, not before the act was signed."""
    if not subject.wanted:
        return None
    request = facts.spec.production_request
    if request is None:
        text = "spec.productionRequest is missing: the institution requests the installation after the act is signed"
        return _install(Gate.REQUESTED, Reason.REQUEST_MISSING, text, GateOwner.INSTITUTION, "R4")
    act = facts.act(subject.snapshot)
    if act is None or request.requested_at >= act.spec.signed_at:
        return None
    text = (
        f"spec.productionRequest.requestedAt {request.requested_at} is before AcceptanceAct {act.metadata.name}"
        f" was signed on {act.spec.signed_at}: request anew"
    )
    return _install(Gate.REQUESTED, Reason.REQUEST_BEFORE_ACT, text, GateOwner.INSTITUTION, "R4")


def access_granted(_facts: Facts, subject: Subject) -> Unmet | None:
    """R3: every web service that the e-service uses is granted by its holder.

    Grants do not exist yet in this version of the API, so that any use is "not granted".
    """
    if not subject.snapshot.uses:
        return None
    asked = ", ".join(
        f"{use.web_service.namespace}/{use.web_service.name}"
        + (f" {use.contract_version}" if use.contract_version else "")
        for use in subject.snapshot.uses
    )
    text = f"not granted by the holder: {asked}"
    return _install(Gate.ACCESS_GRANTED, Reason.ACCESS_NOT_GRANTED, text, GateOwner.HOLDER, "R3")


def installed(facts: Facts, subject: Subject) -> Unmet | None:
    """R5: the release's Deployment is Available."""
    deployment = facts.deployment(subject.snapshot.name)
    if available(deployment):
        return None
    if deployment is None:
        text, reason = "the release is not installed yet", Reason.AWAITING_INSTALLATION
    else:
        text = f"Deployment {deployment.ref.name} has no available Pod yet"
        reason = Reason.AWAITING_PODS
    return _publish(Gate.INSTALLED, reason, text, GateOwner.OPERATOR, "R5")


def host_allowed(facts: Facts, subject: Subject) -> Unmet | None:
    """R1: every host is registered for this environment, and nobody else's."""
    hosts = subject.snapshot.hosts
    missing = unregistered_hosts(hosts, facts.world.registration, facts.spec.environment)
    if missing:
        text = (
            f"not among the hosts of EServiceRegistration {facts.spec.registration} for"
            f" {facts.spec.environment.value}: {', '.join(missing)}"
        )
        return _publish(Gate.HOST_ALLOWED, Reason.HOST_NOT_REGISTERED, text, GateOwner.AGENCY, "R1")
    taken = [f"{claim.host} by {claim.owner}" for claim in facts.world.claims if claim.host in hosts]
    if taken:
        text = f"already served: {', '.join(taken)}"
        return _publish(Gate.HOST_ALLOWED, Reason.HOST_CONFLICT, text, GateOwner.AGENCY, "R1")
    return None


def catalogued(facts: Facts, subject: Subject) -> Unmet | None:
    """R4: described in the public service catalogue, with somebody to ask for help."""
    if not subject.wanted:
        return None
    publication = facts.spec.publication
    catalogue, support = publication.catalogue, publication.support
    missing = [
        field
        for field, given in (
            ("catalogue.url", catalogue.url),
            ("catalogue.title.lv", catalogue.title.lv),
            ("catalogue.description.lv", catalogue.description.lv),
            ("support.email or support.phone", support.email or support.phone),
        )
        if not given
    ]
    if not missing:
        return None
    text = f"spec.publication lacks: {', '.join(missing)}"
    return _publish(Gate.CATALOGUED, Reason.CATALOGUE_INCOMPLETE, text, GateOwner.INSTITUTION, "R4")


def verified(facts: Facts, subject: Subject) -> Unmet | None:
    """R6: the newest valid verification of exactly this release has passed."""
    known = facts.verifications(subject.snapshot)
    valid = [verification for verification in known if facts.verification_counts(verification, subject)]

    def unmet(reason: Reason, message: str) -> Unmet:
        return _publish(Gate.VERIFIED, reason, message, GateOwner.INSTITUTION, "R6")

    if valid:
        last = valid[-1]
        if last.spec.outcome is VerificationOutcome.PASSED:
            return None
        notes = f": {last.spec.notes}" if last.spec.notes else ""
        return unmet(Reason.VERIFICATION_FAILED, f"ProductionVerification {last.metadata.name} failed{notes}")
    if known:
        text = (
            f"ProductionVerification {known[-1].metadata.name} does not count: its verifiedAt"
            " lies in the future or before the production request"
        )
        return unmet(Reason.VERIFICATION_NOT_VALID, text)
    return unmet(
        Reason.AWAITING_VERIFICATION,
        "no ProductionVerification for this release: the institution checks the installation before the public sees it",
    )


def template_within_limit(facts: Facts, subject: Subject) -> Unmet | None:
    """R8: no unpublication is in effect for the template version of the release."""
    decision = blocking_decision(facts, subject.snapshot.template)
    if decision is None:
        return None
    reference = decision.spec.release.template
    text = (
        f"{reference.name} {reference.version} is overdue since {decision.spec.overdue_since}"
        f" (UnpublishDecision {decision.metadata.name}): renew from a newer template version"
    )
    return _publish(Gate.TEMPLATE_WITHIN_LIMIT, Reason.TEMPLATE_OVERDUE, text, GateOwner.INSTITUTION, "R8")


INSTALL_GATES: tuple[Check, ...] = (registered, template_supported, access_granted)
PUBLISH_GATES: tuple[Check, ...] = (installed, host_allowed)
PRODUCTION_INSTALL_GATES: tuple[Check, ...] = (
    registered,
    template_supported,
    delivery_complete,
    accepted,
    requested,
    access_granted,
)
PRODUCTION_PUBLISH_GATES: tuple[Check, ...] = (
    installed,
    host_allowed,
    catalogued,
    verified,
    template_within_limit,
)


def check_all(facts: Facts, subject: Subject) -> tuple[Unmet, ...]:
    """Every gate that the release does not pass, in order; empty when the public may see it."""
    if facts.production:
        checks = PRODUCTION_INSTALL_GATES + PRODUCTION_PUBLISH_GATES
    else:
        checks = INSTALL_GATES + PUBLISH_GATES
    return tuple(unmet for check in checks if (unmet := check(facts, subject)) is not None)


def blocks_install(gates: tuple[Unmet, ...]) -> bool:
    """Whether a gate before the installation is unmet."""
    return any(unmet.blocks is Blocks.INSTALL for unmet in gates)
