# SPDX-License-Identifier: Apache-2.0
"""Facts that several gates and builders need, read from the world once for each decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.lifecycle import Enforcement, Lifecycle
from eservice_operator.core.lag import Lag
from eservice_operator.core.once import once
from eservice_operator.core.promise import Instant
from eservice_operator.core.public_release import PublicRelease
from eservice_operator.core.unjudged import as_recorded


@dataclass(frozen=True)
class Facts(PublicRelease):
    """A world at an instant under a policy, with what follows from them."""

    judged: dict[str, UnpublishDecisionStatus] = field(default_factory=dict, compare=False, repr=False)
    """What was found about decisions, by name."""
    effects: dict[str, tuple[UnpublishDecision, Instant]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """When they take effect, by name, and of which decision: one that is announced anew is another."""

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

    def lag(self, template: TemplateRef) -> Lag | None:
        """The lag of a template version; none when it is unknown, which is never overdue."""
        known = self.world.templates.get(template.name)
        return None if known is None else known.lag(template.version, self.today)

    @once
    def public_lag(self) -> Lag | None:
        """The lag of the public release."""
        return None if self.public_template is None else self.lag(self.public_template)

    # registration (R1)

    @once
    def registered_namespace(self) -> str | None:
        """The namespace that the registration has for the environment."""
        registration = self.world.registration
        return None if registration is None else registration.namespace_for(self.spec.environment)

    @once
    def stands(self) -> bool:
        """Whether it is this EService that stands for its registration and environment.

        Anybody can name any registration in a namespace of their own; such an EService has no say in what
        was decided about the real one.
        """
        if self.world.senior is not None:
            return False
        return self.world.registration is None or self.registered_namespace == self.place[0]

    @once
    def decisions(self) -> tuple[UnpublishDecision, ...]:
        """The decisions that this EService is subject to, by name; closed ones too.

        One whose status was lost goes on as the route records it.
        """
        if self.world.senior is not None:
            return ()
        everywhere = self.stands and self.world.registration is not None
        mine = [
            as_recorded(decision, self.last_recorded)
            for decision in self.world.decisions
            if decision.spec.registration == self.spec.registration
            and decision.spec.environment is self.spec.environment
            and (everywhere or self._named(decision.spec.e_service.namespace, decision.spec.e_service.name))
        ]
        return tuple(sorted(mine, key=lambda decision: decision.metadata.name))
