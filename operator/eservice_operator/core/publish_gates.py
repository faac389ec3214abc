# SPDX-License-Identifier: Apache-2.0
"""The gates before the publication, one small function for each; see ``install_gates``."""

from __future__ import annotations

from eservice_operator.api.acts import VerificationOutcome
from eservice_operator.api.gates import GateOwner
from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.core.availability import available, failure_of
from eservice_operator.core.contests import sentence
from eservice_operator.core.facts import Facts
from eservice_operator.core.hosts import unregistered_hosts
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Unmet, holds_publish


def installed(facts: Facts, subject: Subject) -> Unmet | None:
    """R5: the release's Deployment is Available."""
    deployment = facts.deployment(subject.snapshot.name)
    if available(deployment):
        return None
    failure = failure_of(deployment)
    if deployment is None:
        reason, text = Reason.AWAITING_INSTALLATION, "the release is not installed yet"
    elif failure is not None:
        reason, text = Reason.ROLLOUT_FAILED, failure
    else:
        reason, text = Reason.AWAITING_PODS, f"Deployment {deployment.ref.name} has no available Pod yet"
    return holds_publish(Gate.INSTALLED, reason, text, GateOwner.OPERATOR, "R5")


def host_allowed(facts: Facts, subject: Subject) -> Unmet | None:
    """R1: every host is registered for this environment, and nobody else's.

    Whoever does not stand for the registration is told that, and gets no host: others do not matter to it.
    """
    hosts = subject.snapshot.hosts
    missing = unregistered_hosts(hosts, facts.world.registration, facts.spec.environment)
    if missing:
        text = (
            f"not among the hosts of EServiceRegistration {facts.spec.registration} for"
            f" {facts.spec.environment.value}: {', '.join(missing)}"
        )
        return holds_publish(Gate.HOST_ALLOWED, Reason.HOST_NOT_REGISTERED, text, GateOwner.AGENCY, "R1")
    gateway = subject.snapshot.gateway
    refused = None if gateway is None else facts.driver.refuses(gateway)
    if refused is not None:
        return holds_publish(Gate.HOST_ALLOWED, *refused, GateOwner.INSTITUTION, "R1")
    taken = sentence(facts, (claim for claim in facts.world.claims if claim.host in hosts))
    if taken and facts.stands:
        return holds_publish(Gate.HOST_ALLOWED, Reason.HOST_CONFLICT, taken, GateOwner.AGENCY, "R1")
    return None


def catalogued(facts: Facts, subject: Subject) -> Unmet | None:
    """R4: described in the public service catalogue, with somebody to ask for help."""
    if not subject.wanted:
        return None
    catalogue, support = facts.spec.publication.catalogue, facts.spec.publication.support
    wanted = (
        ("catalogue.url", catalogue.url),
        ("catalogue.title.lv", catalogue.title.lv),
        ("catalogue.description.lv", catalogue.description.lv),
        ("support.email or support.phone", support.email or support.phone),
    )
    missing = [field for field, given in wanted if not given]
    if not missing:
        return None
    text = f"spec.publication lacks: {', '.join(missing)}"
    return holds_publish(Gate.CATALOGUED, Reason.CATALOGUE_INCOMPLETE, text, GateOwner.INSTITUTION, "R4")


def verified(facts: Facts, subject: Subject) -> Unmet | None:
    """R6: the newest valid verification of exactly this release has passed."""
    last = facts.last_verification(subject)
    if last is not None and last.spec.outcome is VerificationOutcome.PASSED:
        return None
    if last is not None:
        notes = f": {last.spec.notes}" if last.spec.notes else ""
        reason, text = (
            Reason.VERIFICATION_FAILED,
            f"ProductionVerification {last.metadata.name} failed{notes}",
        )
    elif known := facts.verifications(subject.snapshot):
        reason = Reason.VERIFICATION_NOT_VALID
        text = (
            f"ProductionVerification {known[-1].metadata.name} does not count: its verifiedAt"
            " lies in the future or before the production request"
        )
    else:
        reason = Reason.AWAITING_VERIFICATION
        text = "no ProductionVerification: the institution checks the installation before the public sees it"
    return holds_publish(Gate.VERIFIED, reason, text, GateOwner.INSTITUTION, "R6")
