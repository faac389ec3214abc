# SPDX-License-Identifier: Apache-2.0
"""Facts that several gates and builders need, read from the world once for each decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property

from eservice_operator.api import names
from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.base import Environment, ObjectMeta, TemplateRef, revoked_by
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceSpec
from eservice_operator.api.lifecycle import Enforcement, Lifecycle
from eservice_operator.core.asked_access import AskedAccess
from eservice_operator.core.dates import local_day, start_of_day
from eservice_operator.core.lag import Lag
from eservice_operator.core.owner import deployment_name
from eservice_operator.core.releases import Snapshot, newest, snapshot_of
from eservice_operator.core.versions import CatalogueVersion
from eservice_operator.core.world import Observed

UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Subject:
    """The release that gates are asked about: the one the spec names, or the public one beside it."""

    snapshot: Snapshot
    wanted: bool
    """Whether the spec names it; only then the spec's delivery and request speak of it."""


@dataclass(frozen=True)
class Facts(AskedAccess):
    """A world at an instant under a policy, with what follows from them."""

    judged: dict[str, UnpublishDecisionStatus] = field(default_factory=dict, compare=False, repr=False)
    """What was found about decisions, by name."""
    _acts: dict[str, AcceptanceAct | None] = field(default_factory=dict, compare=False, repr=False)

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
        """Name of the release in public use; none where all that says so could be made by hand."""
        name = self._remembered_name
        release = None if name is None else self._remembered(name)
        on_route = self.route is not None and self.driver.far
        return name if release is None or on_route or self.vouched_for(release) else None

    @cached_property
    def _remembered_name(self) -> str | None:
        """The Service's selector remembers it.

        Where somebody deleted the Service or edited its selector, our own status is the better memory, until
        the Service is put back. Any other edit is no matter: the status tells of a switch only afterwards.
        """
        remembered = self.world.service.status.release.public
        service = self.public_service
        if service is None or (service.reselected and remembered is not None):
            return remembered.name if remembered else None
        selector = service.spec.get("selector") or {}
        return selector.get(names.RELEASE_LABEL) or (remembered.name if remembered else None)

    @cached_property
    def public(self) -> Snapshot | None:
        """The public release as it last ran; as the spec wants it where only our status still names it."""
        return None if self.public_name is None else self._remembered(self.public_name)

    def _remembered(self, name: str) -> Snapshot | None:
        """A Service alone proves nothing: whoever may write one could name a release that nobody accepted."""
        found = newest(self.world.snapshots, name)
        remembered = self.world.service.status.release.public
        named = remembered is not None and remembered.name == name
        return self.wanted if found is None and named and name == self.wanted.name else found

    def vouched_for(self, release: Snapshot) -> bool:
        """R2: whether a release in Production runs, or was accepted at any time.

        The institution may write Service, snapshots and status: by them alone nothing is installed.
        """
        there = self.deployment(release.name) is not None
        return there or not self.production or self.act(release) is not None

    @cached_property
    def lost(self) -> bool:
        """Whether nobody remembers any more how the public release runs: then it is left as it is."""
        return self.public_name is not None and self.public is None

    @cached_property
    def public_template(self) -> TemplateRef | None:
        """The template version in public use; the lag is that of it (R8)."""
        if self.public is not None:
            return self.public.template
        remembered = self.world.service.status.release.public
        if self.public_name is not None and remembered is not None and remembered.name == self.public_name:
            return remembered.template
        return None

    # templates (R7, R8)

    def lifecycle(self, template: TemplateRef) -> Lifecycle | None:
        """The policy of a template; none when the template is unknown."""
        known = self.world.templates.get(template.name)
        return None if known is None else known.template.spec.lifecycle

    def enforces(self, template: TemplateRef, day: date | None = None) -> bool:
        """Whether overdue services of a template are unpublished on a day, by default today."""
        lifecycle = self.lifecycle(template)
        if lifecycle is None or lifecycle.enforcement is not Enforcement.ENFORCE:
            return False
        return lifecycle.enforce_from is None or lifecycle.enforce_from <= (day or self.today)

    def version(self, template: TemplateRef) -> CatalogueVersion | None:
        """The version in the catalogue; none when the template or the version is unknown."""
        known = self.world.templates.get(template.name)
        return None if known is None else known.catalogue.find(template.version)

    def lag(self, template: TemplateRef) -> Lag | None:
        """The lag of a template version; none when it is unknown, which is never overdue."""
        known = self.world.templates.get(template.name)
        return None if known is None else known.lag(template.version, self.today)

    @cached_property
    def public_lag(self) -> Lag | None:
        """The lag of the public release."""
        return None if self.public_template is None else self.lag(self.public_template)

    # registration (R1)

    @cached_property
    def registered_namespace(self) -> str | None:
        """The namespace that the registration has for the environment."""
        registration = self.world.registration
        return None if registration is None else registration.namespace_for(self.spec.environment)

    @cached_property
    def stands(self) -> bool:
        """Whether it is this EService that stands for its registration and environment.

        Anybody can name any registration in a namespace of their own; such an EService has no say in what
        was decided about the real one.
        """
        if self.world.senior is not None:
            return False
        return self.world.registration is None or self.registered_namespace == self.place[0]

    @cached_property
    def decisions(self) -> tuple[UnpublishDecision, ...]:
        """The decisions that this EService is subject to, by name; closed ones too."""
        if self.world.senior is not None:
            return ()
        everywhere = self.stands and self.world.registration is not None
        mine = [
            decision
            for decision in self.world.decisions
            if decision.spec.registration == self.spec.registration
            and decision.spec.environment is self.spec.environment
            and (everywhere or self._named(decision.spec.e_service.namespace, decision.spec.e_service.name))
        ]
        return tuple(sorted(mine, key=lambda decision: decision.metadata.name))

    def _named(self, namespace: str, name: str) -> bool:
        return self.place == (namespace, name)

    # records (R2, R6)

    def act(self, release: Snapshot) -> AcceptanceAct | None:
        """The act for that release: one in force, signed before the request if there is one, the newest."""
        if release.name not in self._acts:
            self._acts[release.name] = self._find_act(release)
        return self._acts[release.name]

    def _find_act(self, release: Snapshot) -> AcceptanceAct | None:
        mine = [
            act
            for act in self.world.acts
            if release.names(act.spec.image, act.spec.template)
            and self._named(act.spec.e_service.namespace, act.spec.e_service.name)
        ]
        return max(
            mine, key=lambda act: (self.in_force(act), self._timely(act), *age(act.metadata)), default=None
        )

    def in_force(self, act: AcceptanceAct) -> bool:
        """Whether an act holds today."""
        return revoked_by(self.today, act.spec.revoked) is None

    def _timely(self, act: AcceptanceAct) -> bool:
        request = self.spec.production_request
        return request is not None and act.spec.signed_at <= request.requested_at

    def verifications(self, release: Snapshot) -> tuple[ProductionVerification, ...]:
        """The verifications of that release, the newest last (creation time, then name)."""
        mine = [
            verification
            for verification in self.world.verifications
            if release.names(verification.spec.image, verification.spec.template)
            and self._named(verification.metadata.namespace, verification.spec.e_service)
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

    def last_verification(self, subject: Subject) -> ProductionVerification | None:
        """The newest verification that counts."""
        known = self.verifications(subject.snapshot)
        return next((one for one in reversed(known) if self.verification_counts(one, subject)), None)

    def deployment(self, release: str) -> Observed | None:
        """The Deployment of a release."""
        return self.world.child("Deployment", deployment_name(self.world.service.metadata.name, release))


def age(metadata: ObjectMeta) -> tuple[datetime, str]:
    """Sort key for "newest": creation time, then name."""
    return metadata.creation_timestamp or UNDATED, metadata.name
