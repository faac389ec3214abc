# SPDX-License-Identifier: Apache-2.0
"""R2, R6: what people have signed about releases: acts and verifications, and which of them count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.base import Environment, TemplateRef, revoked_by
from eservice_operator.api.eservice import EServiceSpec
from eservice_operator.core.asked_access import AskedAccess
from eservice_operator.core.dates import local_day, start_of_day
from eservice_operator.core.once import once
from eservice_operator.core.releases import Snapshot, digest_of, same_template
from eservice_operator.core.seniority import age


@dataclass(frozen=True)
class Subject:
    """The release that gates are asked about: the one the spec names, or the public one beside it."""

    snapshot: Snapshot
    wanted: bool
    """Whether the spec names it; only then the spec's delivery and request speak of it."""


@dataclass(frozen=True)
class Signed(AskedAccess):
    """The part of `Facts` that is about acts and verifications."""

    _acts: dict[tuple[str, str, str], AcceptanceAct | None] = field(
        default_factory=dict, compare=False, repr=False
    )
    """By what acts name of a release: its own name is a short hash."""

    @once
    def spec(self) -> EServiceSpec:
        """The spec of the EService."""
        return self.world.service.spec

    @once
    def today(self) -> date:
        """The local day."""
        return local_day(self.now, self.policy.zone)

    @once
    def production(self) -> bool:
        """Whether the rules for Production bind."""
        return self.spec.environment is Environment.PRODUCTION

    def _named(self, namespace: str, name: str) -> bool:
        return self.place == (namespace, name)

    def act(self, release: Snapshot) -> AcceptanceAct | None:
        """The act for that release: one in force, signed before the request if there is one, the newest."""
        named = release.digest, release.template.name, release.template.version
        if named not in self._acts:
            self._acts[named] = self._find_act(release)
        return self._acts[named]

    def _find_act(self, release: Snapshot) -> AcceptanceAct | None:
        mine = [
            act for act in self._acts_on(release.template) if release.names(act.spec.image, act.spec.template)
        ]
        return max(
            mine, key=lambda act: (self.in_force(act), self._timely(act), *age(act.metadata)), default=None
        )

    def _acts_on(self, template: TemplateRef) -> Iterator[AcceptanceAct]:
        """The acts of any time about releases of this e-service on a template version."""
        return (
            act
            for act in self.world.acts
            if same_template(act.spec.template, template)
            and self._named(act.spec.e_service.namespace, act.spec.e_service.name)
        )

    def accepted(self, template: TemplateRef, image: str | None = None) -> bool:
        """Whether a release on a template version, or the one of that image, was accepted at any time."""
        return any(
            image is None or digest_of(act.spec.image) == digest_of(image) for act in self._acts_on(template)
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
