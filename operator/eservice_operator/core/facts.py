# SPDX-License-Identifier: Apache-2.0
"""Facts that several gates and builders need, read from the world once for each decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from eservice_operator.api import names
from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.base import Environment, ObjectMeta, TemplateRef
from eservice_operator.api.eservice import EServiceSpec
from eservice_operator.api.template import Enforcement, Lifecycle
from eservice_operator.core.dates import local_day, start_of_day
from eservice_operator.core.lag import Lag, measure_lag
from eservice_operator.core.releases import Snapshot, newest, release_name, snapshot_of
from eservice_operator.core.templating import lag_policy_of
from eservice_operator.core.versions import CatalogueVersion
from eservice_operator.core.world import Observed, Policy, World

CANDIDATE_SUFFIX = "-candidate"


@dataclass(frozen=True)
class Subject:
    """The release that gates are asked about: the one the spec names, or the public one beside it."""

    snapshot: Snapshot
    wanted: bool
    """Whether the spec names it; only then the spec's delivery and request speak of it."""


@dataclass(frozen=True)
class Facts:
    """A world at an instant under a policy, with what follows from them."""

    world: World
    now: datetime
    policy: Policy

    @cached_property
    def spec(self) -> EServiceSpec:
        """The spec of the EService."""
        return self.world.service.spec

    @cached_property
    def today(self) -> date:
        """The local day."""
        return local_day(self.now, self.policy.zone)

    @cached_property
    def production(self) -> bool:
        """Whether the rules for Production bind."""
        return self.spec.environment is Environment.PRODUCTION

    @cached_property
    def wanted(self) -> Snapshot:
        """The release that the spec names, as the spec wants it."""
        return snapshot_of(self.world.service)

    @cached_property
    def public_service(self) -> Observed | None:
        """The Service that the public route points to."""
        return self.world.child("Service", self.world.service.metadata.name)

    @cached_property
    def public_name(self) -> str | None:
        """Name of the release in public use: the Service's selector remembers it.

        Where somebody deleted the Service or edited it, our own status is the better memory, until the
        Service is put back.
        """
        remembered = self.world.service.status.release.public
        service = self.public_service
        if service is None or (service.edited and remembered is not None):
            return remembered.name if remembered else None
        selector = service.spec.get("selector") or {}
        return selector.get(names.RELEASE_LABEL) or (remembered.name if remembered else None)

    @cached_property
    def public(self) -> Snapshot | None:
        """The public release as it last ran; of the wanted one if its snapshot was lost."""
        if self.public_name is None:
            return None
        found = newest(self.world.snapshots, self.public_name)
        if found is None and self.public_name == self.wanted.name:
            return self.wanted
        return found

    @cached_property
    def public_template(self) -> TemplateRef | None:
        """The template version in public use; the lag is that of it (R8)."""
        if self.public is not None:
            return self.public.template
        remembered = self.world.service.status.release.public
        if self.public_name is not None and remembered is not None and remembered.name == self.public_name:
            return remembered.template
        return None

    @cached_property
    def updating(self) -> bool:
        """Whether the spec names another release than the public one."""
        return self.public_name is not None and self.public_name != self.wanted.name

    @cached_property
    def previous_name(self) -> str | None:
        """The release that was public before, kept as the way back."""
        service = self.public_service
        return None if service is None else service.annotations.get(names.PREVIOUS_RELEASE_ANNOTATION) or None

    def installed_snapshot(self, name: str) -> Snapshot | None:
        """The newest remembered snapshot of a release."""
        return newest(self.world.snapshots, name)

    def lifecycle(self, template: TemplateRef) -> Lifecycle | None:
        """The policy of a template; none when the template is unknown."""
        known = self.world.templates.get(template.name)
        return None if known is None else known.template.spec.lifecycle

    def enforces(self, template: TemplateRef) -> bool:
        """Whether overdue services of a template are unpublished today."""
        lifecycle = self.lifecycle(template)
        if lifecycle is None or lifecycle.enforcement is not Enforcement.ENFORCE:
            return False
        return lifecycle.enforce_from is None or lifecycle.enforce_from <= self.today

    def version(self, template: TemplateRef) -> CatalogueVersion | None:
        """The version in the catalogue; none when the template or the version is unknown."""
        known = self.world.templates.get(template.name)
        return None if known is None else known.catalogue.find(template.version)

    def lag(self, template: TemplateRef) -> Lag | None:
        """The lag of a template version; none when it is unknown, which is never overdue."""
        known, used = self.world.templates.get(template.name), self.version(template)
        if known is None or used is None:
            return None
        return measure_lag(known.catalogue, used, lag_policy_of(known.template), self.today)

    @cached_property
    def public_lag(self) -> Lag | None:
        """The lag of the public release."""
        return None if self.public_template is None else self.lag(self.public_template)

    def act(self, release: Snapshot) -> AcceptanceAct | None:
        """The newest act for that release, one in force before a revoked one."""
        mine = [
            act for act in self.world.acts if release_name(act.spec.image, act.spec.template) == release.name
        ]
        return max(mine, key=lambda act: (self.in_force(act), *age(act.metadata)), default=None)

    def in_force(self, act: AcceptanceAct) -> bool:
        """Whether an act holds today."""
        return act.spec.revoked is None or act.spec.revoked.at > self.today

    def verifications(self, release: Snapshot) -> tuple[ProductionVerification, ...]:
        """The verifications of that release, the newest last (creation time, then name)."""
        mine = [
            verification
            for verification in self.world.verifications
            if release_name(verification.spec.image, verification.spec.template) == release.name
        ]
        return tuple(sorted(mine, key=lambda verification: age(verification.metadata)))

    def verification_counts(self, verification: ProductionVerification, subject: Subject) -> bool:
        """Whether a verification is one: not dated in the future, nor before the request."""
        if verification.spec.verified_at > self.now:
            return False
        request = self.spec.production_request if subject.wanted else None
        if request is None:
            return True
        return verification.spec.verified_at >= start_of_day(request.requested_at, self.policy.zone)

    def deployment(self, release: str) -> Observed | None:
        """The Deployment of a release."""
        return self.world.child("Deployment", deployment_name(self.world.service.metadata.name, release))

    @cached_property
    def route(self) -> Observed | None:
        """The public route."""
        return self.world.child("HTTPRoute", route_name(self.world))

    @cached_property
    def paused(self) -> bool:
        """Whether the institution has taken the e-service off for a while."""
        paused = self.spec.publication.paused
        return paused is not None and (paused.until is None or paused.until > self.now)

    @cached_property
    def suspended(self) -> bool:
        """Whether the Agency has taken the e-services of the registration off."""
        return self.world.registration is not None and self.world.registration.spec.suspended is not None


def age(metadata: ObjectMeta) -> tuple[str, str]:
    """Sort key for "newest": creation time, then name."""
    created = metadata.creation_timestamp
    return (created.isoformat() if created else "", metadata.name)


def deployment_name(service: str, release: str) -> str:
    """Name of the Deployment of a release."""
    return f"{service}-{release}"


def route_name(world: World) -> str:
    """Name of the public route in the Agency's namespace."""
    metadata = world.service.metadata
    return f"{metadata.namespace}.{metadata.name}"


def available(deployment: Observed | None) -> bool:
    """Whether a Deployment serves its newest generation."""
    if deployment is None or deployment.status.get("observedGeneration", -1) < deployment.generation:
        return False
    return int(deployment.status.get("availableReplicas", 0)) > 0 and any(
        condition.get("type") == "Available" and condition.get("status") == "True"
        for condition in deployment.status.get("conditions") or ()
    )


def rolled_out(deployment: Observed | None, replicas: int) -> bool:
    """Whether that many replicas of a Deployment's newest template are available, and no old ones are left."""
    if deployment is None or not available(deployment):
        return False
    status = deployment.status
    updated = int(status.get("updatedReplicas", 0))
    return (
        updated >= replicas
        and int(status.get("availableReplicas", 0)) >= replicas
        and int(status.get("replicas", 0)) == updated
    )
