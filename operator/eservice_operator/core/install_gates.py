# SPDX-License-Identifier: Apache-2.0
"""The gates before the installation, one small function for each.

Each answers ``None`` when it is passed. Gates read objects and domain conditions, never ``Ready``.
"""

from __future__ import annotations

from eservice_operator.api.base import revoked_by
from eservice_operator.api.delivery import DocumentKind
from eservice_operator.api.gates import GateOwner
from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.core.facts import Facts
from eservice_operator.core.promised import comes_back
from eservice_operator.core.registered import place_problem
from eservice_operator.core.releases import same_template, short_image
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Unmet, holds_install
from eservice_operator.core.versions import is_withdrawn

FULL_DELIVERY = tuple(DocumentKind)
WEB_SERVICE_DELIVERY = (DocumentKind.REQUIREMENTS_SPECIFICATION, DocumentKind.DESIGN_DESCRIPTION)


def registered(facts: Facts, _subject: Subject) -> Unmet | None:
    """R1: registered, in the namespace registered for the environment, and the only one there."""
    name, registration = facts.spec.registration, facts.world.registration
    if registration is None:
        text = f"EServiceRegistration {name} does not exist: the institution applies, the Agency registers"
        return _unregistered(Reason.REGISTRATION_NOT_FOUND, text)
    problem, senior = place_problem(registration, facts.spec.environment, facts.place[0]), facts.world.senior
    if problem is not None and (senior is None or problem[0] is Reason.NAMESPACE_NOT_REGISTERED):
        return _unregistered(*problem)
    if senior is None:
        return None
    older = f"EService {senior.namespace}/{senior.name}"
    if facts.world.service.metadata.deletion_timestamp is not None:
        older = "an older EService"  # which one of several is next may change: who goes is not woken by that
    text = (
        f"{older} already stands for {name} in {facts.spec.environment.value}:"
        " there is one for each environment, delete this one"
    )
    return _unregistered(Reason.ALREADY_TAKEN, text, GateOwner.INSTITUTION)


def _unregistered(reason: Reason, message: str, owner: GateOwner = GateOwner.AGENCY) -> Unmet:
    return holds_install(Gate.REGISTERED, reason, message, owner, "R1")


def template_supported(facts: Facts, subject: Subject) -> Unmet | None:
    """R7, R8: a known version, not withdrawn; in Production no pre-release, and not overdue if enforced.

    A release on the same template version as the public one passes also when it is overdue, so that a
    security fix can always go out; so does what would be public still, had nobody deleted it (`promised`).
    """
    release, reference = subject.snapshot, subject.snapshot.template
    what = f"{reference.name} {reference.version}"
    if reference.name not in facts.world.templates:
        text = f"EServiceTemplate {reference.name} does not exist"
        return _unsupported(Reason.TEMPLATE_UNKNOWN, text, GateOwner.AGENCY)
    version = facts.version(reference)
    if version is None:
        text = f"EServiceTemplate {reference.name} has no version {reference.version}"
        return _unsupported(Reason.TEMPLATE_VERSION_UNKNOWN, text)
    if is_withdrawn(version, facts.today) and not comes_back(facts, release, withdrawn=True):
        text = f"{what} was withdrawn on {version.withdrawn_at}: use another version"
        return _unsupported(Reason.TEMPLATE_VERSION_WITHDRAWN, text)
    if not facts.production:
        return None
    if version.is_prerelease:
        text = f"{what} is a pre-release: Production takes released versions only"
        return _unsupported(Reason.TEMPLATE_VERSION_PRERELEASE, text)
    lag = facts.lag(reference)
    overdue = lag is not None and facts.enforces(reference) and lag.overdue(facts.today)
    if lag is None or not overdue or same_template(facts.public_template, reference):
        return None
    if comes_back(facts, release, withdrawn=False):
        return None
    text = f"{what} is overdue since {lag.overdue_since}: build from a newer version"
    return _unsupported(Reason.TEMPLATE_OVERDUE, text, rule="R8")


def _unsupported(
    reason: Reason, message: str, owner: GateOwner = GateOwner.INSTITUTION, rule: str = "R7"
) -> Unmet:
    return holds_install(Gate.TEMPLATE_SUPPORTED, reason, message, owner, rule)


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
    return holds_install(
        Gate.DELIVERY_COMPLETE, Reason.DELIVERY_INCOMPLETE, text, GateOwner.INSTITUTION, "R4"
    )


def accepted(facts: Facts, subject: Subject) -> Unmet | None:
    """R2: an acceptance act in force for exactly this release."""
    snapshot = subject.snapshot
    act = facts.act(snapshot)
    if act is None:
        text = (
            f"no AcceptanceAct for {short_image(snapshot.image)} on {snapshot.template.name}"
            f" {snapshot.template.version}: the Agency prepares it after the acceptance test, both sides sign"
        )
        return holds_install(Gate.ACCEPTED, Reason.AWAITING_ACCEPTANCE, text, GateOwner.AGENCY, "R2")
    revoked = revoked_by(facts.today, act.spec.revoked)
    if revoked is None:
        return None
    text = f"AcceptanceAct {act.metadata.name} was revoked on {revoked.at}: {revoked.reason}"
    return holds_install(Gate.ACCEPTED, Reason.ACT_REVOKED, text, GateOwner.AGENCY, "R2")


def requested(facts: Facts, subject: Subject) -> Unmet | None:
    """R4: the institution requested the installation, not before the act was signed."""
    if not subject.wanted:
        return None
    request = facts.spec.production_request
    if request is None:
        text = "spec.productionRequest is missing: the institution requests it after the act is signed"
        return holds_install(Gate.REQUESTED, Reason.REQUEST_MISSING, text, GateOwner.INSTITUTION, "R4")
    act = facts.act(subject.snapshot)
    if act is None or request.requested_at >= act.spec.signed_at:
        return None
    text = (
        f"spec.productionRequest.requestedAt {request.requested_at} is before AcceptanceAct"
        f" {act.metadata.name} was signed on {act.spec.signed_at}: request anew"
    )
    return holds_install(Gate.REQUESTED, Reason.REQUEST_BEFORE_ACT, text, GateOwner.INSTITUTION, "R4")
